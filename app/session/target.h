/* target.h - whom a command talks to, from which address, and through whom: judged before anything is sent. */
#ifndef APP_TARGET_H
#define APP_TARGET_H

#include "session.h"

/* Addresses in host order. */
struct target {
  struct inet_host host; /* ours, without the MAC address                            */
  uint32_t address;      /* whom the command talks to                                */
  uint32_t hop;          /* who gets the frames: the target itself, or our gateway   */
};

/* `word` is the target as it was given; our address is --addr's, or the firmware's by session_address. Complains, with
 * the command's name before: EFI_INVALID_PARAMETER for addresses that cannot be, or what session_address returned. */
EFI_STATUS target_find(struct target *target, const char *command, const char *word, const struct nic_options *options,
                       const struct cidr_option *address, uint32_t gateway);

/* The first half: only what is wrong with the word, whatever the network is. */
EFI_STATUS target_read(const char *command, const char *word, uint32_t *address);

#endif
