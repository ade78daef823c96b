/* virtio_nic.h - a virtio network device: its state, and what the family's files share. Private to this folder. */
#ifndef VIRTIO_NIC_H
#define VIRTIO_NIC_H

#include "net/virtio_net.h"
#include "virtio_pci.h"

/* Header and frame in one descriptor: 5.1.6.3.1 asks for room for 1514 bytes at least, and a VLAN tag is 4 more. */
#define VIRTIO_NET_BUFFER_SIZE  1536U
#define VIRTIO_NET_COMMAND_SIZE 256U /* a buffer of the control queue: the longest command has 112 bytes */
#define VIRTIO_NET_MSIX_VECTOR  0U   /* everything interrupts by this one */

/* The features that we ask for. Not among them, though QEMU offers it: CTRL_VLAN, which has the device drop every
 * tagged frame until it is told otherwise; MRG_RXBUF and every offload, which change what a received buffer holds. */
#define VIRTIO_NET_WANTED                                                                                              \
  (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_MAC |   \
   VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA | \
   VIRTIO_NET_F_CTRL_MAC_ADDR)

_Static_assert(VIRTIO_NET_BUFFER_SIZE >= VIRTIO_NET_HEADER_SIZE + NETDEV_MAX_TAGGED_FRAME, "a frame fits");

/* Counted since the device was created; shown as rows. */
struct virtio_counters {
  uint64_t lies;          /* queue entries that cannot be true                     */
  uint64_t needs_reset;   /* DEVICE_NEEDS_RESET, or a status that nobody wrote     */
  uint64_t resets;        /* resets for one of these reasons, or a hang            */
  uint64_t commands;      /* sent over the control queue                           */
  uint64_t refused;       /* of these, answered by an error                        */
  uint64_t unanswered;    /* of these, not answered in time                        */
  uint64_t tx_unnotified; /* transmit bursts that needed no doorbell               */
  uint64_t rx_unnotified; /* receive refills that needed no doorbell               */
};

/* What the device was told to receive, so that a command is sent only for what changes. Bits are those of receive_modes
 * in virtio_ctrl.c. */
struct virtio_filter {
  uint32_t known; /* the modes that the device has confirmed since its last reset */
  uint32_t modes;
  bool table_known;
  uint32_t count;
  uint8_t table[NETDEV_MAX_MULTICAST][NETDEV_MAC_LENGTH];
};

struct virtio_net {
  struct netdev netdev; /* first: a struct netdev of ours is a struct virtio_net */
  const struct net_platform *platform;
  const struct net_model *model;
  struct virtio_pci pci;
  uint64_t offered;
  uint64_t features; /* negotiated: what we want of what is offered, chosen at create */
  uint32_t mtu;
  bool has_mac; /* the permanent address is the device's own, not made up        */
  struct virtq queue[VIRTIO_NET_QUEUES];
  uint32_t queue_count;   /* 2, or 3 with a control queue                                  */
  uint8_t status;         /* what device_status was last made                            */
  uint16_t config_vector; /* MSI-X vector for a change of the configuration              */
  struct virtio_filter filter;
  struct virtio_counters counters;

  const char *trouble;   /* NULL, or why the next tick resets the device                  */
  uint32_t resets_left;  /* until the device is given up; see VIRTIO_RESETS_MAX           */
  uint64_t reset_us;     /* when the last one was                                         */
  uint64_t link_read_us; /* when the tick last read registers                             */
  uint64_t stuck_us;     /* when the transmit queue was first seen at stuck_taken         */
  uint16_t stuck_taken;
  bool stuck_watch; /* the two above mean something                                  */

  bool irq_enabled; /* by irq_enable: a reset on our own account puts it back        */
  bool msix;        /* interrupts by MSI-X                                           */
  bool msix_ready;  /* every queue has taken its vector                              */
  bool cut_off;     /* it would not be reset: its bus mastering is off               */
  bool intx_before; /* PCI command bit 10 was clear before open                      */
};

static inline struct virtio_net *to_virtio(struct netdev *dev) {
  return (struct virtio_net *)dev;
}

static inline struct virtq *virtio_rx(struct virtio_net *nic) {
  return &nic->queue[VIRTIO_NET_RX];
}

static inline struct virtq *virtio_tx(struct virtio_net *nic) {
  return &nic->queue[VIRTIO_NET_TX];
}

static inline bool virtio_has(const struct virtio_net *nic, uint64_t feature) {
  return (nic->features & feature) != 0;
}

static inline void virtio_net_log(const struct virtio_net *nic, enum net_log_level level, const char *text,
                                  uint32_t value) {
  virtio_pci_log(&nic->pci, level, text, value);
}

/* Trust (virtio_trust.c) ----------------------------------------------------------------------------------------- */

/* Notes that the device must be reset, and why; the first reason stands until that is done. `count` is raised once. */
void virtio_net_distrust(struct virtio_net *nic, uint64_t *count, const char *why, uint32_t value);

/* virtq_peek of a device that may lie: a lie is noted. */
enum virtq_verdict virtio_net_peek(struct virtio_net *nic, struct virtq *queue, uint16_t *id, uint32_t *length);

/* All that counts from when a device is opened: its clocks, its resets. */
void virtio_net_fresh_start(struct virtio_net *nic);

/* Counts one more reset at `now`, in microseconds; false when there were too many in too short a time. */
bool virtio_net_may_reset(struct virtio_net *nic, uint64_t now);

/* Start and stop (virtio_start.c) -------------------------------------------------------------------------------- */

/* Resets the device, chooses features, learns address, MTU and queue sizes, and allocates the queues; leaves it reset.
 * `sizes` are those asked for: receive, transmit. */
int virtio_net_learn(struct virtio_net *nic, const uint32_t sizes[2], uint8_t mac[NETDEV_MAC_LENGTH]);

/* Resets the device and brings it up, in the order of 3.1.1, address and filter included. The device may be running
 * when this fails: silence it. */
int virtio_net_start(struct virtio_net *nic);

/* The steps of it up to DRIVER_OK, of a device that has just been reset, by register and memory accesses alone. */
int virtio_net_prepare(struct virtio_net *nic);

/* Writes DRIVER_OK and notifies the receive queue. */
void virtio_net_go(struct virtio_net *nic);

/* Offers every free receive buffer; the device is not told. */
void virtio_net_fill(struct virtio_net *nic);

/* Whether the link is up; a device without a status is always up. One read, or none. */
struct netdev_link virtio_net_read_link(const struct virtio_net *nic);

void virtio_net_free_queues(struct virtio_net *nic);

/* Datapath (virtio_data.c) --------------------------------------------------------------------------------------- */

/* As struct netdev_ops has them; virtio_net_show is peek. */
int virtio_net_transmit(struct netdev *dev, const void *frame, uint32_t length, void *cookie);
void virtio_net_flush(struct netdev *dev);
uint32_t virtio_net_complete(struct netdev *dev);
int virtio_net_show(struct netdev *dev, struct netdev_frame *frame);
void virtio_net_release(struct netdev *dev);
uint32_t virtio_net_news(const struct netdev *dev);

/* A frame that is sent, or comes back with `status`: counted, and told to whoever queued it. */
void virtio_net_frame_done(struct virtio_net *nic, const struct virtq_slot *slot, int status);

/* The next frame that the device is done with, or NULL. */
const struct virtq_slot *virtio_net_next_done(struct virtio_net *nic);

/* Commands (virtio_ctrl.c) --------------------------------------------------------------------------------------- */

/* What the device filters by is unknown again: after a reset. */
void virtio_net_forget_filter(struct virtio_net *nic);

/* Has the device receive frames to `mac`. NETDEV_E_UNSUPPORTED when it cannot, or will not; NETDEV_E_TIMEOUT when it
 * does not answer: then it is distrusted. NETDEV_E_GONE. */
int virtio_net_apply_mac(struct virtio_net *nic, const uint8_t mac[NETDEV_MAC_LENGTH]);

/* Brings the device's filter in line with netdev.filter, by as few commands as that takes. Results as above, but that a
 * device which cannot filter, or narrow its filter, is fine. */
int virtio_net_apply_filter(struct virtio_net *nic);

/* The harmless command of the self-test: a receive mode once more, as it is. NETDEV_E_UNSUPPORTED where there is none,
 * NETDEV_E_INVALID when the device answers by an error. */
int virtio_net_command_again(struct virtio_net *nic);

/* Interrupts (virtio_irq.c) -------------------------------------------------------------------------------------- */

int virtio_net_irq_enable(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second);
bool virtio_net_irq_handle(struct netdev *dev);
bool virtio_net_irq_rearm(struct netdev *dev);
void virtio_net_irq_disable(struct netdev *dev);

/* Arms the queues as irq_enable asked for it, lets INTx through, and has what waits already raise an interrupt. */
void virtio_net_irq_program(struct virtio_net *nic);

/* The line first, then the handler: one that no longer answers must not leave the line high. */
void virtio_net_irq_close(struct virtio_net *nic);

/* Looking at it -------------------------------------------------------------------------------------------------- */

int virtio_net_selftest(struct netdev *dev, bool loopback, struct netdev_selftest *test);
int virtio_net_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx);

/* Handoff (virtio_handoff.c) ------------------------------------------------------------------------------------- */

/* virtio_adopt.c: takes over what the entry says of a device that is netdev_init'ed, once registers and memory agree.
 * Queues that it made are the caller's to free, also after a failure. As net_driver.adopt. */
int virtio_net_adopt_device(struct virtio_net *nic, const struct net_handoff_nic *entry,
                            const struct net_handoff_virtio_net *from, net_map map);

const char *virtio_net_handoff_judge(const struct net_handoff_nic *nic, const void *block,
                                     struct net_handoff_span *spans, uint32_t *count);
void virtio_net_handoff_show(const void *block, netdev_visitor visitor, void *ctx);
void virtio_net_handoff_export(struct netdev *dev, struct net_handoff_nic *nic, void *block);
bool virtio_net_handoff_leave(struct netdev *dev, bool live, struct net_handoff_nic *nic, void *block);

#endif
