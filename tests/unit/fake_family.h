/* fake_family.h - a third family of network controllers, which exists in the tests alone: its registers and memory. */
#ifndef FAKE_FAMILY_H
#define FAKE_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/driver.h"

#define FAKE_VENDOR_ID 0xF00DU
#define FAKE_DEVICE_ID 0x0001U

/* Registers, in memory BAR 2; each is accessed in its own width. */
#define FAKE_BAR         2U
#define FAKE_BAR_SIZE    0x1000U
#define FAKE_ID          0x00U /* 32: FAKE_MAGIC                                           */
#define FAKE_RUN         0x04U /* 8: 1 while it receives and sends                         */
#define FAKE_CAUSE       0x05U /* 8: 1 when a slot was finished; reading clears it          */
#define FAKE_LINK        0x06U /* 16: megabits per second, 0 without a link                */
#define FAKE_MAC         0x08U /* 32, and 16 at 0x0C: its own address                      */
#define FAKE_MEMORY_LOW  0x10U /* 32: device's address of struct fake_memory               */
#define FAKE_MEMORY_HIGH 0x14U
#define FAKE_KICK        0x18U /* 16: number of the transmit slot to be sent               */
#define FAKE_RX_NEXT     0x1AU /* 16: receive slot that is filled next; 0 by any write to RUN of 2 */
#define FAKE_UNMASKED    0x1CU /* 8: 1 lets FAKE_CAUSE interrupt                           */
#define FAKE_MAGIC       0x454B4146U
#define FAKE_RUN_RESET   2U

#define FAKE_SLOTS       8U
#define FAKE_SLOT_LENGTH 1528U

enum fake_slot_state { FAKE_SLOT_IDLE, FAKE_SLOT_DEVICE, FAKE_SLOT_DONE };

struct fake_slot {
  volatile uint32_t state; /* enum fake_slot_state */
  uint32_t length;
  uint8_t data[FAKE_SLOT_LENGTH];
};

struct fake_memory {
  struct fake_slot tx[FAKE_SLOTS];
  struct fake_slot rx[FAKE_SLOTS];
};

/* Its block in a handoff: a kind that nobody else has. */
#define FAKE_HANDOFF_KIND 0xFA3EU

struct fake_handoff {
  uint64_t memory;
  uint64_t memory_device;
  uint32_t slots;
  uint32_t rx_next; /* slot that was not taken yet */
  uint32_t tx_next; /* slot that is free next      */
  uint32_t reserved;
};

extern const struct net_driver fake_driver;

#endif
