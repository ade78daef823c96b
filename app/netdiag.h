/* netdiag.h - the sub-commands. Each has a file of its own and a row in the table in main.c. */
#ifndef APP_NETDIAG_H
#define APP_NETDIAG_H

#include "args.h"
#include "console.h"
#include "report/report.h"
#include "efi/version.h"
#include "session/session.h"

#define POSITIONAL_MAX 64 /* words of a command line: NEXT.EFI may be a Linux kernel */

#define COMMAND_EXAMPLES 3U

struct command {
  const char *name;
  const char *summary;   /* one line, for the list of commands          */
  const char *arguments; /* the words after the options, or ""          */
  const char *details;   /* what the help adds, or ""                   */
  /* Command lines without "netdiag", for the end of the help: at least one, and NULL after the last */
  const char *examples[COMMAND_EXAMPLES + 1U];
  const struct option *options;
  size_t values_size; /* bytes of the struct that the options fill   */
  int words_min;
  int words_max;
  /* `values` holds zeroes where the command line said nothing. Returns what netdiag exits with. */
  EFI_STATUS (*run)(const void *values, const char *const *words, int word_count);
};

extern const struct command command_doctor;
extern const struct command command_list;
extern const struct command command_info;
extern const struct command command_stats;
extern const struct command command_regs;
extern const struct command command_rings;
extern const struct command command_selftest;
extern const struct command command_identify;
extern const struct command command_ping;
extern const struct command command_dhcp;
extern const struct command command_arp;
extern const struct command command_route;
extern const struct command command_frames;
extern const struct command command_echo;
extern const struct command command_capture;
extern const struct command command_monitor;
extern const struct command command_bench;
extern const struct command command_handoff;
extern const struct command command_fetch;
extern const struct command command_boot;

#endif
