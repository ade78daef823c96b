/* e1000_menios.h - the driver as menios sees it. README.md beside this file says where each call belongs. */
#ifndef MENIOS_E1000_MENIOS_H
#define MENIOS_E1000_MENIOS_H

#include "net/netdevice.h"

/* Finds what the firmware left, before anything is allocated from memory that was the firmware's. Right after
 * memory_initialize(). A kernel that was started without EFI, or without a handoff, is as good. */
void e1000_menios_early(void);

/* Brings up every NIC that PCI shows and this driver knows: goes on where the firmware stopped, or starts it afresh.
 * With PCI enumerated and the APIC initialised; interrupts may be on, and NICs that
 * are up may interrupt. Returns the number of NICs that are up, 0
 * when there is none, or a negative NETDEV_E_ code when none of them could be brought up. A second call only repeats
 * the number. */
int e1000_init(void);

/* Who gets the frames: called from the interrupt handler or e1000_menios_poll, with the device locked and interrupts
 * off, so it copies and queues, and neither waits nor allocates. It may answer by netdev_transmit(dev, ...). `frame` is
 * the driver's again when it returns. NULL drops frames. */
void e1000_menios_set_receiver(void (*receive)(struct netdev *dev, const struct netdev_frame *frame));

/* Sends a frame from any thread, but not from the receiver: locks the device, then as netdev_transmit. */
int e1000_menios_transmit(struct netdev *dev, const void *frame, size_t length);

/* The heartbeat, and a budget of frames: what an interrupt left over, and all where no interrupt comes. From any
 * thread, 10 times a second or more. True when there is more at once: the idle loop then calls it again instead of hlt,
 * for what is left over need not interrupt. */
bool e1000_menios_poll(void);

/* Before the machine is switched off or started anew: every NIC is quiet afterwards, and all memory is given
 * back. From the thread that polls; interrupts may be on. */
void e1000_menios_shutdown(void);

#endif
