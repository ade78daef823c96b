/* driver.h - what a family of network controllers is: struct net_driver, and the list of those in an image. */
#ifndef NET_DRIVER_H
#define NET_DRIVER_H

#include "net/handoff.h"
#include "net/netdevice.h"

/* What PCI configuration space says about a function (offsets 0x00 to 0x2C). */
struct net_device_id {
  uint16_t vendor_id;
  uint16_t device_id;
  uint16_t subsystem_vendor_id;
  uint16_t subsystem_id;
  uint8_t revision_id;
};

#define NET_RING_MIN 8U /* no family takes fewer descriptors, and none more */
#define NET_RING_MAX 4096U

/* net_model.flags */
#define NET_MODEL_NO_ASPM (1U << 0) /* PCIe link power states L0s and L1 must be off while the device is driven */

/* One part of a family, and what its host has to know about it. */
struct net_model {
  const char *name;   /* the marketing name: "82574L"                                      */
  const char *title;  /* with maker and kind, at most 40 characters, for a list of devices */
  uint32_t dma_bits;  /* DMA addresses that it may be given: 32 (below 4 GiB) to 64        */
  uint32_t flags;     /* NET_MODEL_                                                        */
  uint16_t vendor_id; /* PCI                                                               */
  uint16_t device_id;
};

/* How a device is made. */
struct net_config {
  struct net_device_id id;
  uint32_t tx_descriptors; /* a power of two from net_driver.ring_min to ring_max; 0 = net_driver.ring_default */
  uint32_t rx_descriptors; /* the same                                                                         */
};

/* Gives the processor's address of `size` bytes at physical address `physical`, or NULL when it cannot. `ctx` is
 * net_platform.ctx. */
typedef void *(*net_map)(void *ctx, uint64_t physical, uint64_t size);

#define NET_HANDOFF_SPANS_MAX 16U

/* Memory that a device may reach by what a handoff says: a ring, a queue's area, a block of buffers. */
struct net_handoff_span {
  uint64_t physical;
  uint64_t device; /* the device's address of the same byte */
  uint64_t size;
};

/* A family. Constant data; every member is set unless it says otherwise. */
struct net_driver {
  const char *name;  /* "e1000": in messages, and of the image NAME.efi                              */
  const char *title; /* what the driver is called in a list of drivers: at most 40 characters, its own */
  uint32_t ring_min;
  uint32_t ring_max;
  uint32_t ring_default;

  /* The part, or NULL when this family does not know it. Touches nothing. Any context. */
  const struct net_model *(*match)(const struct net_device_id *id);

  /* What can be seen of a controller without taking it: station address and link, by a few reads that disturb nobody
   * who is driving it. The BARs decode. NETDEV_E_GONE when it does not answer, NETDEV_E_UNSUPPORTED when its BARs are
   * not what the family needs. TPL_CALLBACK or lower, thread. */
  int (*glance)(const struct net_platform *platform, const struct net_device_id *id, uint8_t mac[NETDEV_MAC_LENGTH],
                struct netdev_link *link);

  /* Makes a device: allocates rings and buffers, resets the controller and leaves it quiet, reads its addresses. On
   * success *out is closed and not registered, and belongs to the caller until netdev_destroy. `platform` must outlive
   * it; `config` need not. NETDEV_E_UNSUPPORTED for an unknown device, or one whose BARs are not what the family needs;
   * NETDEV_E_INVALID for a ring size; NETDEV_E_NO_MEMORY, NETDEV_E_TIMEOUT, NETDEV_E_GONE, NETDEV_E_NO_ADDRESS. Nothing
   * is then left allocated. TPL_CALLBACK or lower, thread. */
  int (*create)(const struct net_platform *platform, const struct net_config *config, struct netdev **out);

  /* Its blocks in a handoff: NET_HANDOFF_BLOCK_, bytes that it writes, and those that the oldest version of them had. A
   * family that hands nothing over has NET_HANDOFF_BLOCK_NONE, and neither judge nor adopt. */
  uint32_t handoff_kind;
  uint32_t handoff_size;
  uint32_t handoff_size_min;

  /* Judges the block of an entry in state QUIET or LIVE, alone: that it can be this family's at all. `block` has
   * NET_HANDOFF_BLOCK_MAX bytes, aligned to 8; what the table's producer did not know is zero. NULL, and the memory
   * that the device may reach by it in spans[0] to spans[*count - 1], at most NET_HANDOFF_SPANS_MAX and not yet
   * checked; or a sentence that says what is wrong. Touches nothing. */
  const char *(*handoff_judge)(const struct net_handoff_nic *nic, const void *block, struct net_handoff_span *spans,
                               uint32_t *count);

  /* Shows what a block holds, for people: rows of group NETDEV_ROWS_RINGS. May be NULL. Touches nothing. */
  void (*handoff_show)(const void *block, netdev_visitor visitor, void *ctx);

  /* Continues a controller that firmware left running, or quiet and programmed, where the firmware stopped: no reset,
   * no frame lost. `nic` and `block` are an entry that net_handoff_validate let through. The device is compared with
   * them before anything is written (HANDOFF.md, checks 6 and 7), except that interrupts are masked. `map` is called in
   * here alone. On success *out is open, not registered, and has no client: netdev_set_client before the first poll.
   * Otherwise the controller is as it was found, but for the mask: reset it by `create`. NETDEV_E_UNSUPPORTED for an
   * unknown device or state, NETDEV_E_STATE when the device disagrees with the entry (logged with what it said),
   * NETDEV_E_GONE, NETDEV_E_NO_MEMORY, NETDEV_E_INVALID. Thread. */
  int (*adopt)(const struct net_platform *platform, const struct net_handoff_nic *nic, const void *block, net_map map,
               struct netdev **out);
};

/* What rows of netdev_inspect say besides their values. A driver's image may leave it to whoever reads the rows: then
 * text is "", and bits and section are NULL. */
struct net_words {
  const struct net_driver *driver;

  /* Fills in text, bits and section of a row that a device with these IDs showed; what is not known stays as it is.
   * Touches no device. */
  void (*describe)(const struct net_device_id *id, struct netdev_row *row);
};

/* Of the families that leave words out, the last one without a driver. In the file that has net_drivers, when something
 * in the image reads another image's rows (driver/efi/remote.c). */
extern const struct net_words net_words[];

/* The families of this image, the last one NULL. One small file an image defines it (driver/net/drivers_*.c); a kernel
 * that vendors one family defines it with that one. */
extern const struct net_driver *const net_drivers[];

/* The family that knows the device, and its part in *model (may be NULL); NULL when none of net_drivers does. Touches
 * nothing. Any context. */
const struct net_driver *net_driver_find(const struct net_device_id *id, const struct net_model **model);

#endif
