/* netdevice.h - what a network driver offers: struct netdev, the netdev_* calls, statistics and ownership rules. */
#ifndef NET_NETDEVICE_H
#define NET_NETDEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/platform.h"

/*
 * Concurrency: calls on one device are serialised by the caller (UEFI: raise to TPL_CALLBACK; kernel: one lock or one
 * work queue per device; in a panic, see netdev_panic). Calls on different devices are independent. The list of
 * registered devices is the exception: register and unregister are serialised over all devices.
 *
 * Ownership: a frame given to netdev_transmit is copied before the call returns, so its memory stays the caller's.
 * The `cookie` given along comes back exactly once through netdev_client.tx_done after the device is done with the
 * frame, or with an error when the device is closed, reset or gone. A frame shown by netdev_peek stays the driver's.
 *
 * Lengths are those of the frame in memory: destination address to the end of the payload, without the FCS, which
 * the device adds and strips. 60 to 1514 bytes here are 64 to 1518 on the wire; a VLAN tag adds 4.
 */

#define NETDEV_MAC_LENGTH       6U
#define NETDEV_HEADER_LENGTH    14U   /* destination, source, type                                    */
#define NETDEV_MIN_FRAME        60U   /* shorter frames are padded with zeroes                        */
#define NETDEV_MAX_FRAME        1514U /* without a VLAN tag                                           */
#define NETDEV_MAX_TAGGED_FRAME 1518U /* with one; the longest that netdev_transmit takes             */
#define NETDEV_MTU              1500U
#define NETDEV_MAX_MULTICAST    16U /* addresses in a filter list                                     */

/* Results: 0 or one of these, all negative. netdev_strerror() has a sentence for each. */
#define NETDEV_OK            0
#define NETDEV_E_INVALID     (-1)  /* an argument is out of its documented range                      */
#define NETDEV_E_NO_MEMORY   (-2)  /* the platform had none                                           */
#define NETDEV_E_BUSY        (-3)  /* the transmit ring is full: complete some, try again             */
#define NETDEV_E_EMPTY       (-4)  /* no frame is waiting                                             */
#define NETDEV_E_TOO_SMALL   (-5)  /* the buffer is shorter than the frame; the frame is kept         */
#define NETDEV_E_TIMEOUT     (-6)  /* the device did not do its part in the time the manual gives it  */
#define NETDEV_E_GONE        (-7)  /* the device no longer answers on the bus                         */
#define NETDEV_E_NVM         (-8)  /* the NVM cannot be read                                          */
#define NETDEV_E_NO_ADDRESS  (-9)  /* neither the registers nor the NVM hold a usable MAC address     */
#define NETDEV_E_STATE       (-10) /* the device is not open, or open already                         */
#define NETDEV_E_UNSUPPORTED (-11) /* the driver does not know this device, or cannot do this         */
#define NETDEV_E_CANCELLED   (-12) /* tx_done only: closed before the device sent the frame           */
#define NETDEV_E_RESET       (-13) /* tx_done only: lost in the reset that ended a transmit hang      */

/* netdev_set_filter flags. A driver may let more through than asked for, never less. */
#define NETDEV_FILTER_UNICAST       (1U << 0) /* frames to the current address    */
#define NETDEV_FILTER_MULTICAST     (1U << 1) /* frames to the addresses listed   */
#define NETDEV_FILTER_BROADCAST     (1U << 2)
#define NETDEV_FILTER_PROMISCUOUS   (1U << 3)
#define NETDEV_FILTER_ALL_MULTICAST (1U << 4)

/* netdev_transmit flags */
#define NETDEV_TX_MORE (1U << 0) /* another frame follows at once: leave the doorbell to it or to netdev_flush */

enum netdev_state {
  NETDEV_CLOSED, /* quiet: no DMA, no interrupt                                       */
  NETDEV_OPEN,   /* sends and receives                                                */
  NETDEV_GONE,   /* was open, then stopped answering; only close and destroy are left */
};

struct netdev_link {
  bool up;
  bool full_duplex;
  uint16_t speed_mbps; /* 10, 100 or 1000; 0 while down, or not known */
};

/* What the device itself counts on the wire, also of frames that the filter or the driver drops. NETDEV_NOT_COUNTED
 * where the device has no such counter. Bytes here are the device's own notion, with or without FCS. */
#define NETDEV_NOT_COUNTED UINT64_MAX

struct netdev_wire_stats {
  uint64_t rx_total_frames;
  uint64_t rx_total_bytes;
  uint64_t rx_good_frames;
  uint64_t rx_undersize_frames;
  uint64_t rx_oversize_frames;
  uint64_t rx_broadcast_frames;
  uint64_t rx_multicast_frames;
  uint64_t tx_total_frames;
  uint64_t tx_total_bytes;
  uint64_t tx_good_frames;
  uint64_t tx_broadcast_frames;
  uint64_t tx_multicast_frames;
};

/* Counted since the device was created; 64 bits wide, so they never wrap in practice. */
struct netdev_stats {
  uint64_t rx_frames;        /* handed to the client                                                 */
  uint64_t rx_bytes;         /* of those frames, without FCS                                         */
  uint64_t rx_errors;        /* received damaged, skipped: the sum of the three that follow          */
  uint64_t rx_device_errors; /* the descriptor carried an error bit                                  */
  uint64_t rx_length_errors; /* shorter than a header or longer than NETDEV_MAX_TAGGED_FRAME         */
  uint64_t rx_split_errors;  /* spread over several buffers, which a frame in range never is         */
  uint64_t rx_missed;        /* no buffer (counted by the device), or lost when it was left quiet    */
  uint64_t rx_crc_errors;    /* dropped by the device                                                */
  uint64_t tx_frames;        /* sent: the device reported them done                                  */
  uint64_t tx_bytes;         /* of those frames, padding included, without FCS                       */
  uint64_t tx_errors;        /* handed back unsent                                                   */
  uint64_t tx_busy;          /* refused because the ring was full                                    */
  uint64_t tx_collisions;    /* half duplex only (counted by the device)                             */
  uint64_t tx_hangs;         /* the transmitter stopped and the device was reset                     */
  uint64_t link_changes;
  uint64_t tx_doorbells; /* writes to the transmit tail register                                 */
  uint64_t rx_doorbells; /* writes to the receive tail register                                  */
  struct netdev_wire_stats wire;
};

/* A received frame inside the driver's memory. */
struct netdev_frame {
  const uint8_t *data; /* readable until netdev_release or netdev_close             */
  uint32_t length;     /* bytes, NETDEV_HEADER_LENGTH to NETDEV_MAX_TAGGED_FRAME    */
};

struct netdev;

/* What the owner of a device wants to be told. Every member may be NULL. Called from inside netdev_poll,
 * netdev_complete, netdev_tick, netdev_transmit (completions only), netdev_open and netdev_set_client (link only), and
 * netdev_close, in the caller's context. A callback may transmit, but is refused with NETDEV_E_STATE or NETDEV_E_GONE
 * while the device is being closed or reset; it must not open, close, poll or destroy the device. */
struct netdev_client {
  void *ctx;

  /* The device is done with the frame that was sent with `cookie`: status is NETDEV_OK or why it was not sent. */
  void (*tx_done)(void *ctx, void *cookie, int status);

  /* One good frame, in the order of arrival; it is the driver's again when the function returns. While this is NULL
   * frames wait in the receive ring for netdev_peek or netdev_receive. */
  void (*receive)(void *ctx, const struct netdev_frame *frame);

  /* The link went up or down, or changed its speed. */
  void (*link_changed)(void *ctx, const struct netdev_link *link);
};

/* Somebody who sees the frames of a device beside its client. The owner keeps it until it is removed. */
struct netdev_tap {
  void *ctx;

  /* A frame that was queued to be sent, or that the client takes from the ring (damaged ones never are), before the
   * client's own callback returns or netdev_receive does. Valid during the call, in the caller's context. It must not
   * call the device, and changes nothing that anybody else gets. */
  void (*frame)(void *ctx, bool sent, const struct netdev_frame *frame);

  struct netdev_tap *next; /* netdev.c's */
};

/* How a device interrupts. */
enum netdev_irq_mode {
  NETDEV_IRQ_INTX,
  NETDEV_IRQ_MSI,
  NETDEV_IRQ_MSIX, /* every cause on entry 0 of the table */
};

/* Rows: what can be looked at. Strings are constants of the driver; they live as long as its image. */
enum netdev_unit {
  NETDEV_UNIT_COUNT, /* a plain number                     */
  NETDEV_UNIT_HEX8,  /* a register of that many bits       */
  NETDEV_UNIT_HEX16,
  NETDEV_UNIT_HEX32,
  NETDEV_UNIT_HEX64,
  NETDEV_UNIT_BYTES,
  NETDEV_UNIT_MBPS,
  NETDEV_UNIT_BOOL, /* 0 no, 1 yes                        */
};

/* Groups of rows, as a mask for netdev_inspect. */
#define NETDEV_ROWS_REGISTERS (1U << 0)
#define NETDEV_ROWS_PHY       (1U << 1)
#define NETDEV_ROWS_NVM       (1U << 2)
#define NETDEV_ROWS_COUNTERS  (1U << 3) /* sums since the device was created, as of the last netdev_get_stats */
#define NETDEV_ROWS_RINGS     (1U << 4) /* rings or queues: sizes, indices, addresses                         */
#define NETDEV_ROWS_FEATURES  (1U << 5)
#define NETDEV_ROWS_CLEARING  (1U << 31) /* also read registers that reading clears                            */

struct netdev_row {
  uint32_t group;   /* one NETDEV_ROWS_ bit                                                         */
  const char *name; /* "RCTL"; of an array, the array's name                                        */
  uint32_t index;   /* in an array                                                                  */
  uint32_t count;   /* rows in the array; 1 = none                                                  */
  uint32_t offset;  /* of a register, in bytes                                                      */
  uint64_t value;   /* 0 when `unread`                                                              */
  bool unread;      /* not read: reading would clear it or take a semaphore                         */
  bool failed;      /* could not be read                                                            */
  bool wrong;       /* the value itself is an error: a checksum that does not add up                */
  bool clears;      /* a register that reading clears                                               */
  enum netdev_unit unit;
  const char *text;    /* what it is, one line                                                         */
  const char *bits;    /* NULL, or the value's bits by name: "EN:1 UPE:3 LBM:6-7", low bit first        */
  const char *section; /* of the manual                                                                */
};

/* Told about each row; `row` is valid during the call only, its strings for as long as the driver's image. */
typedef void (*netdev_visitor)(void *ctx, const struct netdev_row *row);

struct netdev_selftest {
  /* Told about each check; may be NULL. `value` explains a failure: a register, a count, a length. */
  void (*report)(void *ctx, const char *name, bool passed, uint32_t value);
  void *ctx;
  const char *section; /* out: of the manual, about the check that `report` is told of; NULL where none says it */
  bool dma;            /* out: whether that check needed the device to reach memory */
  uint32_t run;        /* out: checks made   */
  uint32_t failed;     /* out: of those      */
};

struct net_handoff_nic;

/* What a driver implements. The netdev_* calls check state and arguments first, so no operation has to. Those from
 * irq_enable on may be NULL where a family cannot do it: the netdev_* call then answers NETDEV_E_UNSUPPORTED. */
struct netdev_ops {
  int (*open)(struct netdev *dev);
  void (*close)(struct netdev *dev, bool gone); /* gone: the device no longer answers, touch memory only */
  void (*destroy)(struct netdev *dev);          /* closed and unregistered: frees everything             */
  int (*transmit)(struct netdev *dev, const void *frame, uint32_t length, void *cookie);
  void (*flush)(struct netdev *dev);
  uint32_t (*complete)(struct netdev *dev);
  int (*peek)(struct netdev *dev, struct netdev_frame *frame);
  void (*release)(struct netdev *dev);
  int (*set_mac)(struct netdev *dev, const uint8_t mac[NETDEV_MAC_LENGTH]);
  int (*set_filter)(struct netdev *dev);
  void (*update_stats)(struct netdev *dev);
  int (*tick)(struct netdev *dev);
  void (*quiesce)(struct netdev *dev);
  void (*handoff_export)(struct netdev *dev, struct net_handoff_nic *nic, void *block);
  bool (*handoff_leave)(struct netdev *dev, bool live, struct net_handoff_nic *nic, void *block);

  int (*irq_enable)(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second);
  bool (*irq_handle)(struct netdev *dev);
  bool (*irq_rearm)(struct netdev *dev);
  void (*irq_disable)(struct netdev *dev);
  int (*selftest)(struct netdev *dev, bool loopback, struct netdev_selftest *test);
  int (*inspect)(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx);
  int (*identify)(struct netdev *dev, bool on);
  int (*nvm_read)(struct netdev *dev, uint32_t word, uint16_t *value);

  /* How many frames the device was told of, has not finished, and could: 0 as well when waiting for them is no use. May
   * read registers. NULL: a close does not wait. */
  uint32_t (*tx_waiting)(struct netdev *dev);

  /* As netdev_news, of an open device. May claim what turns out to be nothing (a damaged frame), never the reverse.
   * NULL: it has to be asked. */
  uint32_t (*news)(const struct netdev *dev);
};

/* A network device. Readable by everybody, written by the driver and by netdev.c only. */
struct netdev {
  char name[8];                             /* "eth0", given by netdev_register                                  */
  const char *model;                        /* "82540EM"                                                          */
  uint8_t mac[NETDEV_MAC_LENGTH];           /* current station address                                            */
  uint8_t permanent_mac[NETDEV_MAC_LENGTH]; /* what the hardware came with                                        */
  uint32_t nvm_words;                       /* 16-bit words that netdev_nvm_read reads; 0 = it has no NVM       */
  enum netdev_state state;
  struct netdev_link link; /* as of the last netdev_tick                                                          */
  uint32_t filter;         /* NETDEV_FILTER_ flags in force                                                       */
  uint32_t multicast_count;
  uint8_t multicast[NETDEV_MAX_MULTICAST][NETDEV_MAC_LENGTH];
  struct netdev_stats stats; /* as of the last netdev_get_stats                                                   */
  const struct netdev_ops *ops;
  const struct net_platform *platform;
  struct netdev_client client;
  struct netdev_tap *taps;
  struct netdev *next; /* list of registered devices                                                              */
};

/* Puts a device on the list and names it "eth" and the lowest number that is free. NETDEV_E_INVALID when it is on the
 * list already or has no operations. Takes no reference: unregister before destroying. */
int netdev_register(struct netdev *dev);

/* Closes the device if it is open and takes it off the list. Harmless for a device that is not on it. */
void netdev_unregister(struct netdev *dev);

/* The registered device after `previous`, or the first one for NULL; NULL at the end. */
struct netdev *netdev_next(const struct netdev *previous);

/* Sets who is told about completions, frames and the link; NULL for nobody. While closed, or while nobody is told yet:
 * a device that was adopted is open already, and tells about its link here if that is up. Otherwise NETDEV_E_STATE.
 * Register the device before it is opened if the client wants to know its name. */
int netdev_set_client(struct netdev *dev, const struct netdev_client *client);

/* From now on the tap sees every frame; at any time, in any state. A tap that is added already stays as it is. */
void netdev_tap_add(struct netdev *dev, struct netdev_tap *tap);

/* The tap is not called any more, and is its owner's again. Harmless for one that was not added. */
void netdev_tap_remove(struct netdev *dev, struct netdev_tap *tap);

/* Programs rings and filters and starts the device; resets it before that, unless it is as create or the last close
 * left it. So it must have kept its power since (a kernel that suspended it destroys it and creates it anew). Does not
 * wait for a link. NETDEV_E_STATE unless closed, NETDEV_E_TIMEOUT when the device does not come out of its reset,
 * NETDEV_E_GONE; it is then closed and quiet. Takes less than a millisecond, with a reset up to 60 ms; half a second at
 * the most when the device does not answer as it should. */
int netdev_open(struct netdev *dev);

/* Stops the device: no DMA and no interrupt after this returns. Frames that were accepted are sent first: it waits
 * while they finish, half a second for the next one and two seconds in all at the most, and not at all for a device
 * that has no link, was told to pause, or has gone. What is then not sent comes back through tx_done as
 * NETDEV_E_CANCELLED; frames not yet received are lost. Harmless when closed. */
void netdev_close(struct netdev *dev);

/* Queues one frame of NETDEV_HEADER_LENGTH to NETDEV_MAX_TAGGED_FRAME bytes and copies it; `cookie` is the caller's
 * word for it. Rings the doorbell (one register write) unless flags has NETDEV_TX_MORE. NETDEV_E_BUSY when the ring
 * is full even after completing what is done: no cookie is owed then. Also NETDEV_E_INVALID, NETDEV_E_STATE,
 * NETDEV_E_GONE. */
int netdev_transmit(struct netdev *dev, const void *frame, size_t length, void *cookie, uint32_t flags);

/* Rings the doorbell for frames queued with NETDEV_TX_MORE; no register access when there are none. */
void netdev_flush(struct netdev *dev);

/* Reports finished transmissions through tx_done, at most one ring's worth; returns their number. No
 * register access. */
uint32_t netdev_complete(struct netdev *dev);

#define NETDEV_NEWS_SENT     (1U << 0) /* a transmission is finished: netdev_complete has something to report */
#define NETDEV_NEWS_RECEIVED (1U << 1) /* netdev_peek has something to look at                                */

/* What there is to do, by a look at memory alone: NETDEV_NEWS_ bits, 0 for nothing. Changes nothing, and may be called
 * without what serialises calls on the device: an answer of 0 was true at some moment of the call. All bits unless the
 * device is open. */
static inline uint32_t netdev_news(const struct netdev *dev) {
  return dev->state == NETDEV_OPEN && dev->ops->news ? dev->ops->news(dev) : NETDEV_NEWS_SENT | NETDEV_NEWS_RECEIVED;
}

/* netdev_complete, then hands at most `budget` waiting frames to client.receive (none while that is NULL); returns the
 * number of frames handed over. A return below `budget` means that nothing is waiting. No register access when nothing
 * happened; one write for every batch of receive buffers given back. */
uint32_t netdev_poll(struct netdev *dev, uint32_t budget);

/* Shows the oldest waiting frame without consuming it. NETDEV_E_EMPTY, NETDEV_E_STATE, NETDEV_E_GONE.
 * Damaged frames are counted and skipped. */
int netdev_peek(struct netdev *dev, struct netdev_frame *frame);

/* Consumes the frame that netdev_peek showed. Only after a netdev_peek that returned NETDEV_OK. */
void netdev_release(struct netdev *dev);

/* Copies the oldest waiting frame into `buffer` and consumes it. *length is set to the frame's length, also when it
 * exceeds `capacity`: then NETDEV_E_TOO_SMALL, and the frame stays. Otherwise as netdev_peek. */
int netdev_receive(struct netdev *dev, void *buffer, size_t capacity, size_t *length);

/* Sets the station address: unicast, not all zero (NETDEV_E_INVALID). In force at once when open, else at the next
 * open. NULL restores the permanent one. */
int netdev_set_mac(struct netdev *dev, const uint8_t *mac);

/* Sets what is received: NETDEV_FILTER_ flags and up to NETDEV_MAX_MULTICAST multicast addresses (6 bytes each, copied;
 * NULL when count is 0). NETDEV_E_INVALID for more, or for one that is not multicast. In force as netdev_set_mac. */
int netdev_set_filter(struct netdev *dev, uint32_t flags, const uint8_t (*multicast)[NETDEV_MAC_LENGTH],
                      uint32_t count);

/* Adds up the device's counters (60 to 120 register reads when open) and returns the statistics; valid until the device
 * is destroyed. */
const struct netdev_stats *netdev_get_stats(struct netdev *dev);

/* The device's heartbeat: call it 10 to 100 times a second while open. Completes transmissions, reads the link state
 * (at most two register reads), recovers a transmitter that hangs. NETDEV_E_GONE once the device is gone. */
int netdev_tick(struct netdev *dev);

/* Unregisters, closes and frees a device. The controller is quiet and owns its permanent address again. A ring that was
 * adopted is not freed: its memory is the host's to keep or reuse. NULL is harmless. */
void netdev_destroy(struct netdev *dev);

/* Stops receiver, transmitter and interrupts with a handful of register accesses and nothing else: no wait, no memory,
 * no callback. For the moment when an operating system takes over, from any context, also an ExitBootServices callback.
 * The device is not closed: no other call may follow but netdev_quiesce itself. */
void netdev_quiesce(struct netdev *dev);

/*
 * For a kernel's panic: makes the device send once more, whatever state it is in. Client and taps are removed first, so
 * nothing of the kernel's is called from here on but the platform's registers, time and log; of these none may take a
 * lock or wait for an interrupt. Interrupts are off, and every other processor has stopped.
 *
 * `interrupted`: the device's lock was not free, so somebody may have been stopped inside a call on the device and does
 * not come back. Nothing in memory is believed then: the device is reset and started as netdev_open does it, which
 * takes 0.1 s longer, what was queued is lost, and the filter is the one of a new device. Without it an open device
 * goes on as it is, with its interrupts masked, and a closed one stays closed.
 *
 * Afterwards, with NETDEV_OK, these may be called, all by the one processor that is left and without the lock:
 * netdev_transmit, netdev_flush, netdev_complete, netdev_peek, netdev_release, netdev_receive, netdev_tick,
 * netdev_panic itself, and netdev_quiesce last. NETDEV_E_STATE for a device that is closed, NETDEV_E_GONE, or what the
 * start returned: then only netdev_quiesce may. What it cannot mend is a self-test's loopback, which stays in the PHY.
 */
int netdev_panic(struct netdev *dev, bool interrupted);

/* Fills in what the firmware's half knows of an open or closed device: filters, addresses, link and statistics, and the
 * family's block (net_driver.handoff_size bytes, aligned to 8). Reads no register. The PCI fields, the lease, the state
 * and the block's place are the caller's (HANDOFF.md). */
void netdev_handoff_export(struct netdev *dev, struct net_handoff_nic *nic, void *block);

/*
 * Leaves the controller for a kernel, running (`live`) or quiet with its rings programmed, interrupts masked either
 * way, and exports what it then is. A device that somebody closed meanwhile is programmed again, from empty rings.
 * Registers and the device's own memory only: for ExitBootServices. False when the device no longer answers. Nothing
 * may be asked of `dev` afterwards.
 */
bool netdev_handoff_leave(struct netdev *dev, bool live, struct net_handoff_nic *nic, void *block);

/* Interrupts (kernels only: UEFI has none) ----------------------------------------------------------------------- */

/* Sets the mode and the moderation (at most `max_per_second` interrupts; 0 = unlimited), unmasks, and sees to it that
 * frames which wait already raise one; a device that has no way to (virtio-net without a control queue) needs a poll
 * afterwards. In force until the device is closed, also after a reset that ended a hang. The interrupt controller and
 * PCI capability are the caller's, and must be ready. NETDEV_E_UNSUPPORTED for a mode that the device does not have, or
 * moderation where it has none; NETDEV_E_INVALID for a rate that it cannot keep to; NETDEV_E_STATE unless open.
 * Thread. */
int netdev_irq_enable(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second);

/* From the interrupt handler: true when the interrupt is this device's; further ones are then masked until
 * netdev_irq_rearm, and there is something to poll for. Touches nothing but registers, and may interrupt any other call
 * on the device on the same processor: with several, hold what serialises calls. While all is masked, a device without
 * a bit that says so (8254x) claims an interrupt of somebody else's if a frame came meanwhile. */
bool netdev_irq_handle(struct netdev *dev);

/* After the work is done (netdev_poll returned less than its budget): unmasks, then looks once more. True when
 * something came in meanwhile: poll and rearm again, for it may not interrupt. False: the next one interrupts. Who
 * leaves frames over polls again from a work queue, timer or idle loop. Does nothing, and answers false, on a device
 * that is not open, or whose interrupts are not enabled. */
bool netdev_irq_rearm(struct netdev *dev);

/* Masks, until netdev_irq_enable. netdev_irq_handle then answers false and touches nothing. */
void netdev_irq_disable(struct netdev *dev);

/* Looking at it -------------------------------------------------------------------------------------------------- */

/* Checks what a running device does not notice; with `loopback` also sends frames to itself, for which an open device
 * is closed and opened again: what it was sending comes back through tx_done, what it receives meanwhile is lost. Takes
 * some seconds then. The verdict is in test->failed; the result says only whether the device is in the state it was in:
 * NETDEV_OK, or what netdev_open returned. NETDEV_E_UNSUPPORTED, NETDEV_E_GONE. */
int netdev_selftest(struct netdev *dev, bool loopback, struct netdev_selftest *test);

/* Shows the rows of the groups asked for (NETDEV_ROWS_) to `visitor`, in a fixed order. Rows that reading would clear
 * are shown unread unless NETDEV_ROWS_CLEARING is among them. NETDEV_E_INVALID for an unknown group,
 * NETDEV_E_UNSUPPORTED, NETDEV_E_GONE. */
int netdev_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx);

/* Lets the NIC's own lights blink (`on`), so that a person finds it, and puts them back as they were. In any state but
 * NETDEV_GONE; closing the device puts them back as well. NETDEV_E_UNSUPPORTED where the part has none that a driver
 * can switch, NETDEV_E_GONE. */
int netdev_identify(struct netdev *dev, bool on);

/* Reads one 16-bit word of the NVM. NETDEV_E_NVM when it does not answer, NETDEV_E_INVALID beyond its end,
 * NETDEV_E_UNSUPPORTED where there is none. */
int netdev_nvm_read(struct netdev *dev, uint32_t word, uint16_t *value);

/* True for an address a station may have: unicast and not all zero. */
bool netdev_mac_valid(const uint8_t mac[NETDEV_MAC_LENGTH]);

/* A short English sentence for a NETDEV_ result; never NULL. */
const char *netdev_strerror(int result);

#endif
