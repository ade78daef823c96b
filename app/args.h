/* args.h - command lines: options described by a table, parsed into a struct. Pure C, tested on the host. */
#ifndef APP_ARGS_H
#define APP_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
  OPTION_FLAG,  /* bool                                                         */
  OPTION_U32,   /* uint32_t in [min, max]                                       */
  OPTION_TEXT,  /* const char *, points into argv                               */
  OPTION_MAC,   /* struct mac_option                                            */
  OPTION_IPV4,  /* uint32_t, host order, a station's; 0 when not given          */
  OPTION_CIDR,  /* struct cidr_option, a station's                              */
  OPTION_TEXTS, /* struct text_list: may be given several times         */
  OPTION_RANGE, /* struct range_option, "N" or "N-M", both in [min, max]        */
};

struct mac_option {
  bool given;
  uint8_t mac[6];
};

struct cidr_option {
  uint32_t address; /* host order; 0 when not given */
  uint32_t mask;
};

struct range_option {
  uint32_t first;
  uint32_t last;
};

#define TEXT_LIST_MAX 7U

struct text_list {
  uint32_t count;
  const char *at[TEXT_LIST_MAX]; /* each points into argv */
};

/* One option. The table ends with a row whose name is NULL. */
struct option {
  const char *name;     /* with its dashes                                */
  const char *argument; /* what the help calls it; NULL for OPTION_FLAG   */
  enum option_kind kind;
  size_t offset; /* of the member in the struct that is filled     */
  uint32_t min;
  uint32_t max;
  const char *help;
};

#define ARGS_ERROR_SIZE 192U

/*
 * Parses argv[0..argc-1] (without the command's name) into `values`, which holds the defaults. Words without a dash go
 * to `positional`, at most `positional_max`; their number is returned. A long option may carry its value behind a '='.
 * "--" ends the options. On a mistake -1, and
 * `error` (ARGS_ERROR_SIZE bytes) says what and where; `values` may then be half filled. "-h" and "--help" set *help
 * and end the parsing.
 */
int args_parse(const struct option *options, void *values, int argc, char *const argv[], const char **positional,
               int positional_max, bool *help, char *error);

/* Each parses the whole of `text`; false (and *out untouched) when it is anything else. */
bool args_u32(const char *text, uint32_t *out);
bool args_mac(const char *text, uint8_t mac[6]);
bool args_ipv4(const char *text, uint32_t *out);
bool args_cidr(const char *text, struct cidr_option *out);
bool args_range(const char *text, struct range_option *out);

/* A PCI location: "bus:device.function", hexadecimal, or with "segment:" before it. */
struct pci_location {
  uint32_t segment;
  uint32_t bus;
  uint32_t device;
  uint32_t function;
};
bool args_pci_location(const char *text, struct pci_location *out);

/* Splits one command line at blanks, in place; "double quotes" hold a word together. Returns the number of words
 * stored, at most `max`. For callers that get load options instead of an argument vector. */
int args_split(char *line, char *argv[], int max);

/* The reverse: one line of the words, a blank between them, in double quotes where one holds a blank. False, and an
 * empty line, when they need more than `size` bytes. */
bool args_join(const char *const words[], int count, char *line, size_t size);

bool text_equal(const char *left, const char *right);

/* The same, but A to Z equal a to z. */
bool text_same(const char *left, const char *right);

/* Whether `text` begins with `start`, in the same sense. */
bool text_same_start(const char *text, const char *start);

#endif
