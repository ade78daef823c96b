/* virtio_sim_internal.h - the simulated virtio-net device from the inside: its own numbers and state. Private to
 * tests/sim. */
#ifndef VIRTIO_SIM_INTERNAL_H
#define VIRTIO_SIM_INTERNAL_H

#include "sim_host.h"
#include "virtio_sim.h"

/* Transcribed from VIRTIO 1.2 and not from the driver: a wrong number there shows as a disagreement. */

/* 2.1 device status */
#define ST_ACKNOWLEDGE 0x01U
#define ST_DRIVER      0x02U
#define ST_DRIVER_OK   0x04U
#define ST_FEATURES_OK 0x08U
#define ST_NEEDS_RESET 0x40U
#define ST_FAILED      0x80U

/* 5.1.3 and 6 feature bits */
#define FB(bit)            (1ULL << (bit))
#define FB_MTU             FB(3)
#define FB_MAC             FB(5)
#define FB_MRG_RXBUF       FB(15)
#define FB_STATUS          FB(16)
#define FB_CTRL_VQ         FB(17)
#define FB_CTRL_RX         FB(18)
#define FB_CTRL_VLAN       FB(19)
#define FB_CTRL_RX_EXTRA   FB(20)
#define FB_CTRL_MAC_ADDR   FB(23)
#define FB_INDIRECT        FB(28)
#define FB_EVENT_IDX       FB(29)
#define FB_VERSION_1       FB(32)
#define FB_ACCESS_PLATFORM FB(33)

/* 2.7.5 descriptors, 2.7.6 and 2.7.8 rings */
#define DESCRIPTOR         16U
#define DESC_NEXT          1U
#define DESC_WRITE         2U
#define DESC_INDIRECT      4U
#define AVAIL_NO_INTERRUPT 1U
#define USED_NO_NOTIFY     1U
#define RING_INDEX         2U /* offset of idx in both rings  */
#define RING_ENTRIES       4U /* offset of ring[] in both     */
#define NO_VECTOR          0xFFFFU

#define NET_HEADER     12U   /* struct virtio_net_hdr under VERSION_1 */
#define NET_BUFFERS_AT 10U   /* num_buffers in it                    */
#define NET_BUFFER_MIN 1526U /* 5.1.6.3.1, without MRG_RXBUF and GUEST_ features */

#define ISR_QUEUE  1U
#define ISR_CONFIG 2U

#define VSIM_CONFIG_SPACE 256U
#define VSIM_QUEUE_MAX    1024U
#define VSIM_FRAME_MAX    2048U

/* 4.1.4.3 */
enum {
  C_DEVICE_FEATURE_SELECT = 0,
  C_DEVICE_FEATURE = 4,
  C_DRIVER_FEATURE_SELECT = 8,
  C_DRIVER_FEATURE = 12,
  C_CONFIG_VECTOR = 16,
  C_NUM_QUEUES = 18,
  C_STATUS = 20,
  C_GENERATION = 21,
  C_QUEUE_SELECT = 22,
  C_QUEUE_SIZE = 24,
  C_QUEUE_VECTOR = 26,
  C_QUEUE_ENABLE = 28,
  C_QUEUE_NOTIFY_OFF = 30,
  C_QUEUE_AREA = 32,
  C_END = 56,
};

enum { DESC_AREA, AVAIL_AREA, USED_AREA, AREAS };

enum vsim_structure { IN_COMMON, IN_NOTIFY, IN_ISR, IN_DEVICE, STRUCTURES };

struct vsim_place {
  uint8_t bar;
  uint32_t offset;
  uint32_t length;
};

struct vsim_done {
  uint16_t id;
  uint32_t length;
};

struct vsim_queue {
  uint16_t size_max;
  uint16_t size;
  uint16_t vector;
  bool enabled;
  bool broken; /* the driver's mistake makes it useless until a reset */
  uint64_t area[AREAS];

  uint16_t seen;     /* available entries checked and recorded               */
  uint16_t taken;    /* of those: worked on                                  */
  uint16_t used;     /* the index it has written                             */
  uint32_t held;     /* chains that are with the device                      */
  bool called;       /* notified, and has not looked yet                     */
  bool dry;          /* receive: a frame found no buffer                     */
  uint16_t notified; /* available index at the last notification             */
  uint32_t notifies;
  uint32_t needless;

  uint16_t entry[VSIM_QUEUE_MAX];           /* recorded available entries, by slot          */
  bool owned[VSIM_QUEUE_MAX];               /* descriptors that are with the device         */
  uint8_t desc[VSIM_QUEUE_MAX][DESCRIPTOR]; /* as they were when published                  */
  uint8_t used_copy[RING_ENTRIES + 8U * VSIM_QUEUE_MAX + 2U];
  struct vsim_done done[VSIM_QUEUE_MAX]; /* not in the used ring yet */
  uint32_t done_count;
};

struct virtio_sim {
  struct sim_host host;
  struct virtio_sim_config config;
  struct net_platform platform;
  uint8_t space[VSIM_CONFIG_SPACE];
  struct vsim_place place[STRUCTURES];
  uint8_t msix_bar;
  uint32_t msix_cap;   /* offset of the capability */
  uint32_t access_cap; /* offset of the PCI configuration access capability */

  uint8_t status;
  bool reset_unread;    /* 0 was written to device_status, and not read back yet */
  uint32_t reset_reads; /* reads until a reset that was asked for is over        */
  bool resetting;
  bool features_unread;                           /* FEATURES_OK was written, and not read back */
  uint64_t former_area[VIRTIO_SIM_QUEUES][AREAS]; /* in use until the reset is read back        */
  uint32_t feature_select[2];                     /* device, driver */
  uint64_t features;
  uint16_t queue_select;
  uint16_t config_vector;
  uint8_t generation;
  uint8_t isr;
  bool link_was_down;
  struct vsim_queue queue[VIRTIO_SIM_QUEUES];
  struct virtio_sim_filter filter;

  bool asserted;
  uint32_t interrupts;
  uint32_t messages[VIRTIO_SIM_VECTORS];
  uint64_t accesses;
  uint64_t reads;
  uint64_t writes;
  uint32_t commands;
};

/* virtio_sim.c */
void vsim_violate(struct virtio_sim *sim, const char *text, uint64_t value);
bool vsim_is_gone(const struct virtio_sim *sim);

/* Whether the device can reach memory at all. */
bool vsim_may_master(const struct virtio_sim *sim);
void vsim_update_interrupt(struct virtio_sim *sim);
void vsim_interrupt_config(struct virtio_sim *sim);
void vsim_interrupt_queue(struct virtio_sim *sim, const struct vsim_queue *queue);
uint32_t vsim_bar_read(struct virtio_sim *sim, uint32_t bar, uint32_t offset, uint32_t width);
void vsim_bar_write(struct virtio_sim *sim, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value);

static inline bool vsim_has(const struct virtio_sim *sim, uint64_t feature) {
  return (sim->features & feature) != 0;
}

static inline bool vsim_runs(const struct virtio_sim *sim) {
  return (sim->status & ST_DRIVER_OK) && !(sim->status & ST_NEEDS_RESET);
}

static inline bool vsim_msix(const struct virtio_sim *sim) {
  return (sim->space[sim->msix_cap + 3U] & 0x80U) != 0;
}

/* virtio_sim_pci.c: configuration space and where things are */
void vsim_build_space(struct virtio_sim *sim);
uint32_t vsim_space_read(struct virtio_sim *sim, uint32_t offset, uint32_t width);
void vsim_space_write(struct virtio_sim *sim, uint32_t offset, uint32_t width, uint32_t value);

/* Of a queue's doorbell, from the start of the notification structure. */
uint32_t vsim_notify_off(const struct virtio_sim *sim, uint32_t queue);
uint32_t vsim_notify_multiplier(const struct virtio_sim *sim);

/* virtio_sim_regs.c: the structures behind the BARs */
void vsim_reset(struct virtio_sim *sim);
uint64_t vsim_offered(const struct virtio_sim *sim);
uint32_t vsim_structure_read(struct virtio_sim *sim, uint32_t which, uint32_t offset, uint32_t width);
void vsim_structure_write(struct virtio_sim *sim, uint32_t which, uint32_t offset, uint32_t width, uint32_t value);

/* virtio_sim_queue.c */
void vsim_look(struct virtio_sim *sim, uint32_t queue);
void vsim_return(struct virtio_sim *sim, struct vsim_queue *queue);
/* DRIVER_OK was set, or the knob turned. */
void vsim_wake(struct virtio_sim *sim);
void vsim_notified(struct virtio_sim *sim, uint32_t queue);

/* The chain's bytes for the device to read or to write, one after the other. Copies at most `room`; gives the count of
 * all. */
size_t vsim_gather(struct virtio_sim *sim, const struct vsim_queue *queue, uint16_t head, uint8_t *to, size_t room);
size_t vsim_scatter(struct virtio_sim *sim, const struct vsim_queue *queue, uint16_t head, const uint8_t *from,
                    const bool *skip, size_t length);

/* virtio_sim_ctrl.c */
void vsim_filter_reset(struct virtio_sim *sim);
uint8_t vsim_command(struct virtio_sim *sim, const uint8_t *command, size_t length);
bool vsim_wanted(const struct virtio_sim *sim, const uint8_t *frame, size_t length);

/* virtio_sim_check.c: mistakes of the caller */
void vsim_audit(struct virtio_sim *sim);
void vsim_audit_queue(struct virtio_sim *sim, uint32_t queue);
void vsim_check_free(struct sim_host *host, const struct sim_memory *row);
void vsim_check_enable(struct virtio_sim *sim, struct vsim_queue *queue);
void vsim_check_status(struct virtio_sim *sim, uint8_t value);
void vsim_check_common_write(struct virtio_sim *sim, uint32_t offset, uint32_t value);
bool vsim_check_features(struct virtio_sim *sim);
void vsim_check_frame(struct virtio_sim *sim, const uint8_t *header, size_t length);
uint64_t vsim_area_size(const struct virtio_sim *sim, const struct vsim_queue *queue, uint32_t area);

#endif
