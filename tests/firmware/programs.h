/* programs.h - what programs need of the fake firmware besides firmware.h: a clock that runs, a console, a Shell, a
 * volume with files, a network stack on a driver's SNP, and somebody at the other end of the wire. */
#ifndef FIRMWARE_PROGRAMS_H
#define FIRMWARE_PROGRAMS_H

#include "firmware.h"

/* All of it is there between programs_begin, which follows firmware_begin, and programs_end, which comes before
 * firmware_end or firmware_power_off. */
void programs_begin(void);
void programs_end(void);

/* Clock ---------------------------------------------------------------------------------------------------------- */

/*
 * Time goes on whenever somebody looks at the clock, by this many microseconds (10 unless said otherwise), while
 * somebody stalls, and while somebody waits for an event. As it does, timers expire, frames arrive and keys are
 * pressed, each at its own microsecond. Nothing here takes time of the host's.
 */
void programs_clock_step(UINT64 us);

/* Calls `what` once, when the clock has come to `at_us`. */
void programs_at(UINT64 at_us, void (*what)(void *ctx), void *ctx);

/* Console -------------------------------------------------------------------------------------------------------- */

/* What was printed since console_forget, as ASCII with "\n" for a line's end; on ConOut and StdErr together, and on
 * either alone. */
const char *console_text(void);
const char *console_output(void);
const char *console_errors(void);
void console_forget(void);

/* The attribute (UEFI 2.10, 12.4.3) that the first `printed` had; of what comes next for NULL. A screen that is cleared
 * is "\f" in the text, a cursor that is moved "\v". */
UINTN console_attribute(const char *printed);

/* From now on each character takes so long, as over a serial line (87 us at 115200 baud); 0, as at first, for none. */
void console_slow(UINT64 us);

/* A key is pressed when the clock has come to `at_us`. */
#define KEY_ESCAPE    0x17U /* scan codes */
#define KEY_CONTROL_C 3U    /* a character */
void console_press(UINT64 at_us, UINT16 scan_code, CHAR16 character);

/* The characters of `text`, the first at `at_us` and each so long after the one before; returns when the next would
 * be. */
UINT64 console_type(UINT64 at_us, UINT64 each_us, const char *text);

/* The screen is so large from now on (80 x 25 at first), and empty. */
void console_size(UINTN columns, UINTN rows);

/* What it shows in a row, without blanks at the end, valid until the next call; how many rows
 * went out at the top, and how many characters were drawn, since console_size. */
const char *console_row(UINTN row);
UINTN console_scrolled(void);
UINTN console_drawn(void);

/* The cursor and the colours that are set. */
const SIMPLE_TEXT_OUTPUT_MODE *console_mode(void);

/* Programs ------------------------------------------------------------------------------------------------------- */

struct program {
  const char *name; /* of the file, without a folder */
  EFI_STATUS (*entry)(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);
  void (*reload)(void); /* sets its variables to what the file says; may be NULL          */
  BOOLEAN driver;       /* stays after its entry point has returned EFI_SUCCESS */
  EFI_STATUS refusal;   /* what LoadImage answers: 0, EFI_ACCESS_DENIED, or EFI_SECURITY_VIOLATION with an image */
};

/* Puts a file on the volume; *program must stay. */
void programs_add(const struct program *program);

/* Takes it away again. */
void programs_remove(const struct program *program);

/* Runs a program of the volume as the Shell does with this line: the first word is the program's name, blanks separate
 * words, "double quotes" hold one together. Returns what it exits with. */
EFI_STATUS programs_run(const char *line);

/* The Shell's "> file" and "2> file" for what runs from now on: the protocols say that StdOut, StdErr are files. What
 * is printed is kept as before. */
void programs_redirect(BOOLEAN out, BOOLEAN errors);

/* Runs it as the boot manager does: with load options, without Shell parameters; a driver of the firmware's is its
 * parent, while programs_run's is an application, the Shell. */
EFI_STATUS programs_boot(const char *name, const void *options, UINT32 size);

/* The image that was made of this file and has not ended: of a driver, NULL when there is none. */
EFI_HANDLE programs_image(const char *name);

/* Takes the Shell protocol away. */
void programs_without_shell(void);

/* The Shell's ExecutionBreak is signalled when the clock has come to `at_us`. */
void programs_break(UINT64 at_us);

/* SetWatchdogTimer's seconds; 300 at first, 0 for off. How often it was called. */
UINTN programs_watchdog(void);
UINTN programs_watchdog_calls(void);

/* How often ResetSystem was called. It returns, which a firmware's must not. */
UINTN programs_resets(void);

/* Forgets the volatile variables that SetVariable made. */
void programs_forget_variables(void);

/* Wire ----------------------------------------------------------------------------------------------------------- */

/* Sees each frame that the NIC sends, once, in order. */
typedef void (*wire_peer)(void *ctx, struct firmware_nic *nic, const UINT8 *frame, size_t length);
void wire_attach(struct firmware_nic *nic, wire_peer peer, void *ctx);

/* A frame arrives at the NIC `delay_us` from now. Frames due at the same time keep their order. */
void wire_send(struct firmware_nic *nic, UINT64 delay_us, const void *frame, size_t length);

/* Frames that are still to arrive. */
UINTN wire_pending(void);

/* Drivers -------------------------------------------------------------------------------------------------------- */

/* Another vendor's driver: its name, and what it does to those who want the NIC. */
struct foreign_driver {
  const char *name;
  BOOLEAN keeps;    /* its Stop refuses                                                                */
  BOOLEAN snatches; /* its Start throws out whoever holds the NIC, as an exclusive open does           */
  BOOLEAN refuses;  /* its Start fails from now on                                                     */
  BOOLEAN snp;      /* it offers SNP, with which a network stack can run (stack_add comes before)      */
  BOOLEAN narrow;   /* its SNP cannot be promiscuous                                                   */
};

/* Installs it; firmware_connect then lets it take NICs. *driver must stay. foreign_remove takes it away. */
EFI_HANDLE foreign_add(struct foreign_driver *driver);
void foreign_remove(EFI_HANDLE driver);

/* Network stack -------------------------------------------------------------------------------------------------- */

/* What the firmware's DHCP client and configuration do. Addresses in host order. */
struct stack_config {
  BOOLEAN dhcp_policy; /* the policy at first                                                   */
  UINT32 address;      /* set by hand, 0 for none                                               */
  UINT32 mask;
  UINT32 gateway;
  UINT32 dhcp_address; /* what the server gives, 0 for no server                                */
  UINT32 dhcp_mask;
  UINT32 dhcp_gateway;
  UINT64 dhcp_delay_us;    /* from the policy being set to the address                              */
  UINT64 gateway_delay_us; /* from the address to the gateway                                       */
  UINT32 dns[6];           /* name servers, as many as are not 0                                    */
  BOOLEAN sends_late;      /* a sent frame's token ends when SNP hands the buffer back, not at once */
};

/* Installs a driver that starts on every SNP: MNP with its service binding, IP4Config2. All NICs share *config, which
 * must stay and may change at any time. */
void stack_add(struct stack_config *config);
void stack_remove(void);

/* Gives the interface on this NIC another address by hand than the others have. */
void stack_address_of(const struct firmware_nic *nic, UINT32 address);

/* MNP children that exist, and how many IP4Config2 policies have been set. */
UINTN stack_children(void);
UINTN stack_policies_set(void);

/* The policy in force for this NIC's interface: TRUE for DHCP. It survives the interface, as a variable does. */
BOOLEAN stack_policy(void);

/* What DHCP gave the first interface and is in force; 0 for nothing. */
UINT32 stack_leased_address(void);

/* The image that was started last from memory: where it came from, and its load options as ASCII. */
struct started_image {
  EFI_HANDLE device;
  EFI_DEVICE_PATH *path; /* that LoadImage was given; valid while the image runs */
  char options[128];
  UINTN count; /* of images started from memory or from a RAM disk */
};
const struct started_image *programs_started(void);

/* What LoadImage says of every image from memory from now on; EFI_SUCCESS, as at first: it loads. */
void programs_refuse(EFI_STATUS status);

#endif
