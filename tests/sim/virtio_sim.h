/* virtio_sim.h - a simulated virtio-net device (VIRTIO 1.2, modern PCI transport) behind struct net_platform, with
 * fault knobs and a watch on its caller. */
#ifndef VIRTIO_SIM_H
#define VIRTIO_SIM_H

#include "sim.h" /* enum sim_delivery */

#define VIRTIO_SIM_MODERN       0x1041U
#define VIRTIO_SIM_TRANSITIONAL 0x1000U /* with the legacy interface, in I/O BAR 0, which nobody may touch */

#define VIRTIO_SIM_RX      0U
#define VIRTIO_SIM_TX      1U
#define VIRTIO_SIM_CTRL    2U /* there when CTRL_VQ is offered */
#define VIRTIO_SIM_QUEUES  3U
#define VIRTIO_SIM_VECTORS 4U

/* What QEMU 7.2 offers with -netdev user, and no MTU. */
#define VIRTIO_SIM_FEATURES 0x0000010139BF8064ULL

/* Where the structures lie. */
enum virtio_sim_layout {
  VIRTIO_SIM_LAYOUT_QEMU,  /* MSI-X in BAR 1, all structures in BAR 4, which has 64 bits               */
  VIRTIO_SIM_LAYOUT_BAR0,  /* all structures in BAR 0, which has 64 bits, MSI-X in BAR 2: modern only   */
  VIRTIO_SIM_LAYOUT_APART, /* each structure in another BAR; a second, worse capability after each     */
  VIRTIO_SIM_LAYOUT_ODD,   /* as QEMU's, behind a reserved BAR number, unknown types and other capabilities */
};

/* What the device puts into the used ring instead of the truth. */
enum virtio_sim_lie {
  VIRTIO_SIM_HONEST,
  VIRTIO_SIM_ID_BEYOND,     /* an id that the queue does not have         */
  VIRTIO_SIM_ID_HUGE,       /* one with the high half set                 */
  VIRTIO_SIM_ID_IDLE,       /* one that is not with the device            */
  VIRTIO_SIM_ID_TWICE,      /* each twice                                 */
  VIRTIO_SIM_INDEX_JUMPS,   /* the index runs ahead by more than a queue  */
  VIRTIO_SIM_INDEX_BACK,    /* the index goes back by one                 */
  VIRTIO_SIM_LENGTH_ZERO,   /* receive: no header, no frame               */
  VIRTIO_SIM_LENGTH_HEADER, /* receive: shorter than the header           */
  VIRTIO_SIM_LENGTH_SHORT,  /* receive: header and 13 bytes               */
  VIRTIO_SIM_LENGTH_LONG,   /* receive: a byte more than the buffer has   */
  VIRTIO_SIM_LENGTH_HUGE,   /* receive: 0xFFFFFFFF                        */
};

enum virtio_sim_wake {
  VIRTIO_SIM_WAKE_ASLEEP, /* wants a notification whenever it has done all there was                  */
  VIRTIO_SIM_WAKE_NEVER,  /* looks by itself (virtio_sim_step), suppresses every notification         */
  VIRTIO_SIM_WAKE_ALWAYS, /* suppresses none: wants one for each buffer, also while it works          */
};

/* What is simulated, and what goes wrong. A zeroed struct with a device and an address is a healthy device as the
 * specification describes it, with its link up. Every knob may be turned while the simulation runs. */
struct virtio_sim_config {
  uint16_t device_id;
  enum virtio_sim_layout layout;          /* read at create                                          */
  uint64_t features;                      /* offered; 0: VIRTIO_SIM_FEATURES                         */
  uint64_t features_needed;               /* FEATURES_OK is refused without these                    */
  uint16_t queue_size[VIRTIO_SIM_QUEUES]; /* read at create; 0: 256, 256, 64                         */
  bool queue_absent[VIRTIO_SIM_QUEUES];   /* queue_size reads 0                                      */
  bool doorbells_shared;                  /* notify_off_multiplier 0; read at create                 */
  uint8_t mac[6];                         /* of the device                                           */
  uint16_t mtu;                           /* read by those to whom MTU is offered                    */
  bool link_down;
  bool num_buffers_left; /* not written without MRG_RXBUF, as by QEMU before 10.0                     */
  bool master_ends;      /* bus mastering cleared takes DRIVER_OK away, as in QEMU                    */

  bool reset_never_ends;   /* device_status keeps its value, and the device goes on                 */
  uint32_t reset_reads;    /* so many reads of device_status until it is 0                          */
  bool features_refused;   /* FEATURES_OK does not stick                                            */
  bool vector_refused;     /* a vector reads back as 0xFFFF                                         */
  bool enable_refused;     /* queue_enable reads back as 0                                          */
  bool generation_changes; /* config_generation is another at each read                             */
  bool notifications_lost; /* no notification arrives                                               */
  enum virtio_sim_wake wake;
  enum virtio_sim_lie lie[VIRTIO_SIM_QUEUES];
  bool commands_unanswered;
  bool commands_refused;  /* answered VIRTIO_NET_ERR, and not carried out                          */
  bool tx_held;           /* nothing is transmitted                                                */
  bool delayed;           /* frames wait for virtio_sim_step; commands do not                         */
  bool newest_first;      /* each look returns what it did in reverse order                        */
  bool gone;              /* removed: reads give all ones, writes nothing, no DMA                  */
  bool gone_reads_zero;   /* removed from a bus that answers 0 instead                             */
  uint64_t gone_at;       /* removed from this access on, counted from 1 since create; 0 never     */
  uint64_t read_fails_at; /* this access, if a read, gives all ones, once                          */
  uint32_t fail_alloc_at; /* this call of alloc fails, counted from 1; 0 never                     */
  uint32_t fail_dma_alloc_at;
};

struct virtio_sim;

/* `config` is copied. Never fails (it aborts without memory). */
struct virtio_sim *virtio_sim_create(const struct virtio_sim_config *config);
void virtio_sim_destroy(struct virtio_sim *sim);

const struct net_platform *virtio_sim_platform(struct virtio_sim *sim);
struct virtio_sim_config *virtio_sim_knobs(struct virtio_sim *sim);

/* The 256 bytes of configuration space, for a test to look at or to set. */
uint8_t *virtio_sim_config_space(struct virtio_sim *sim);

/* What the kernel does around a driver: switches MSI-X on or off in configuration space. */
void virtio_sim_set_msix(struct virtio_sim *sim, bool on);

/* For a host with DMA memory of its own: from now on the device reaches `size` bytes at `cpu` under this address. */
void virtio_sim_map(struct virtio_sim *sim, void *cpu, uint64_t device, size_t size);
void virtio_sim_unmap(struct virtio_sim *sim, uint64_t device);

/* Time: only delay_us and this advance it. */
void virtio_sim_advance(struct virtio_sim *sim, uint64_t us);
uint64_t virtio_sim_now(const struct virtio_sim *sim);

/* The device looks at its queues, as far as the knobs now allow: at those that wait, and at all of them when it
 * suppresses notifications. */
void virtio_sim_step(struct virtio_sim *sim);

/* Things that happen to a device ----------------------------------------------------------------------------------- */

void virtio_sim_need_reset(struct virtio_sim *sim); /* DEVICE_NEEDS_RESET, and a configuration interrupt */
void virtio_sim_disable_queue(struct virtio_sim *sim,
                              uint32_t queue); /* behind the driver's back, until a reset      */

/* The device writes 16 bits somewhere into a queue's used area; `offset` is cut down to fit. Nothing while it is
 * off. */
void virtio_sim_scribble(struct virtio_sim *sim, uint32_t queue, uint32_t offset, uint16_t value);

/* The wire --------------------------------------------------------------------------------------------------------- */

/* A frame (without FCS) arrives from the wire. */
enum sim_delivery virtio_sim_inject(struct virtio_sim *sim, const void *frame, size_t length);

/* The same past every filter, with another length in the used ring (header included). */
enum sim_delivery virtio_sim_inject_raw(struct virtio_sim *sim, const void *frame, size_t length, uint32_t used_length);

/* Frames the device has sent, in order. */
size_t virtio_sim_frames(const struct virtio_sim *sim);
const uint8_t *virtio_sim_frame(const struct virtio_sim *sim, size_t index, size_t *length);
void virtio_sim_forget_frames(struct virtio_sim *sim);

/* The device, past the counters and without side effects ----------------------------------------------------------- */

uint8_t virtio_sim_status(const struct virtio_sim *sim);
uint64_t virtio_sim_features(const struct virtio_sim *sim); /* accepted */

struct virtio_sim_queue_state {
  bool enabled;
  uint16_t size;
  uint16_t vector;
  uint16_t last_avail; /* index of the next available entry that the device takes */
  uint16_t used;       /* its used index                                          */
  uint16_t published;  /* the driver's available index, 0 while not enabled       */
  uint32_t held;       /* chains taken and not returned                           */
  bool starved;        /* there are entries, nothing suppressed a notification, and none came */
};
void virtio_sim_queue(struct virtio_sim *sim, uint32_t queue, struct virtio_sim_queue_state *state);

struct virtio_sim_filter {
  bool promiscuous;
  bool all_multicast;
  bool all_unicast;
  bool no_multicast;
  bool no_unicast;
  bool no_broadcast;
  uint8_t mac[6];
  uint32_t unicasts; /* entries of the MAC table */
  uint32_t multicasts;
  uint8_t table[2][32][6]; /* unicast, multicast */
};
const struct virtio_sim_filter *virtio_sim_filter(const struct virtio_sim *sim);

/* Counts ----------------------------------------------------------------------------------------------------------- */

/* Since the last virtio_sim_forget_accesses. Configuration space is not counted here. */
uint64_t virtio_sim_reads(const struct virtio_sim *sim);
uint64_t virtio_sim_writes(const struct virtio_sim *sim); /* notifications included */
uint32_t virtio_sim_notifies(const struct virtio_sim *sim, uint32_t queue);
uint32_t virtio_sim_needless(const struct virtio_sim *sim, uint32_t queue); /* those that were suppressed */
uint32_t virtio_sim_commands(const struct virtio_sim *sim);
void virtio_sim_forget_accesses(struct virtio_sim *sim);

/* Register and configuration space accesses since create: what gone_at counts. */
uint64_t virtio_sim_accesses(const struct virtio_sim *sim);

/* Interrupts ------------------------------------------------------------------------------------------------------- */

/* Whether INTx is asserted. */
bool virtio_sim_interrupt(struct virtio_sim *sim);

/* How often INTx was asserted anew, and how many messages this MSI-X vector has sent. */
uint32_t virtio_sim_interrupts(struct virtio_sim *sim);
uint32_t virtio_sim_messages(const struct virtio_sim *sim, uint32_t vector);

/* What went wrong -------------------------------------------------------------------------------------------------- */

/* Mistakes of the caller, and DMA to where nothing is allocated. */
uint32_t virtio_sim_violations(const struct virtio_sim *sim);
const char *virtio_sim_violation_text(const struct virtio_sim *sim); /* the first; "" when there is none */

/* Allocations and DMA allocations not given back; calls so far, failed ones included. */
uint32_t virtio_sim_leaks(const struct virtio_sim *sim);
uint32_t virtio_sim_allocs(const struct virtio_sim *sim);
uint32_t virtio_sim_dma_allocs(const struct virtio_sim *sim);

/* How many messages of this level contained `text`. */
uint32_t virtio_sim_logged(const struct virtio_sim *sim, enum net_log_level level, const char *text);

#endif
