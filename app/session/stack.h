/* stack.h - whether the firmware's network stack is on a NIC, and if not, why. */
#ifndef APP_STACK_H
#define APP_STACK_H

#include <stdbool.h>

struct pci_nic;

enum stack_state {
  STACK_NO_INTERFACE,  /* no driver offers SNP there, on which a stack could run                          */
  STACK_RUNS,          /* MNP or IPv4 is on it                                                            */
  STACK_IDLE,          /* a driver of the firmware's would start on it, but nobody connected it           */
  STACK_NO_RANDOMNESS, /* no driver would start, and the firmware has no source of random numbers         */
  STACK_NONE,          /* no driver would start: the firmware has none, or it is switched off in the setup */
};

/* Looks, and changes nothing: where no stack is on the NIC's SNP, each driver is asked whether it supports it, as
 * ConnectController does. TPL_APPLICATION. */
enum stack_state stack_look(const struct pci_nic *pci);

/* What a user is told below a NIC on which no stack can run for want of random numbers; NULL of every other. As
 * stack_look. */
const char *stack_problem(const struct pci_nic *pci);

/* Whether the firmware has EFI_RNG_PROTOCOL. edk2's network stack since 2024 is not even loaded without. */
bool stack_has_randomness(void);

#endif
