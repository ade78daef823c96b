/* kernel.h - the reference kernel, between its two ways to be booted and what it does then. */
#ifndef TEST_KERNEL_KERNEL_H
#define TEST_KERNEL_KERNEL_H

#include <efi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_HEAP_SIZE (4U << 20) /* for the driver's records, and for rings of its own when there is no handoff */
#define KERNEL_LINE_SIZE 256U
#define KERNEL_LOG_SIZE                                                                                                \
  16384U /* of the network console: what is said before there is a NIC, and while its ring is full */

#define KERNEL_TRANSMIT_MAX    100U /* --transmit */
#define KERNEL_TRANSMIT_LENGTH 200U

/* Marks for whoever traces the machine's ports, written to port 0x80 */
#define MARK_PORT      0x80U
#define MARK_LEAVING   0xE1U /* ExitBootServices is called next          */
#define MARK_LEFT      0xE2U /* the kernel has the machine to itself     */
#define MARK_DELIVERED 0xE3U /* the first numbered frame was delivered   */

struct kernel_options {
  const char *interrupts; /* "poll", "intx", "pic", "msi" or "msix"                                       */
  const char *netconsole; /* where the log goes to as well: Linux' parameter, NULL = nowhere               */
  uint32_t frames;        /* numbered frames to wait for                                                  */
  uint32_t moderation;    /* interrupts per second at the most, 0 = as they come                          */
  uint32_t nic;           /* which of the machine's NICs                                                  */
  uint32_t transmit;      /* numbered frames to send: before ExitBootServices by SNP, and as many after it */
  uint32_t idle;          /* seconds without a frame after which it gives up                              */
  bool stalled;           /* with --transmit: the transmitter is off until the kernel has the NIC         */
  bool hold;              /* wait for a byte on the serial port before coming to the NIC */
  bool echo;              /* send the numbered frames back                                                */
  bool panic;             /* breaks down over the last numbered frame, while it handles it                */
};

/* Takes `line` apart in place. NULL, or what is wrong (static, until the next call). */
const char *kernel_parse(char *line, struct kernel_options *options);

/* Entered with boot services left, memory mapped to itself and interrupts off; ends the machine. */
_Noreturn void kernel_main(const struct kernel_options *options, EFI_SYSTEM_TABLE *system, uint8_t *heap,
                           uint32_t transmitted);

#endif
