/* handoff.h - the boot-info structure by which firmware hands a running network controller to a kernel.
 *
 * Self-contained: a kernel needs nothing else to read it, in C or in C++. HANDOFF.md beside this file is its
 * specification: the rules, and what every field means. */
#ifndef NET_HANDOFF_H
#define NET_HANDOFF_H

#include <stdint.h>

/* Vendor GUID of the entry in the EFI configuration table: 9F2C51D4-6A1B-4E0E-8D57-31C0A7E4B962 */
#define NET_HANDOFF_GUID_OF(a, b, c, ...)                                                                              \
  {                                                                                                                    \
    (a), (b), (c), {                                                                                                   \
      __VA_ARGS__                                                                                                      \
    }                                                                                                                  \
  }
#define NET_HANDOFF_GUID                                                                                               \
  NET_HANDOFF_GUID_OF(0x9F2C51D4U, 0x6A1BU, 0x4E0EU, 0x8D, 0x57, 0x31, 0xC0, 0xA7, 0xE4, 0xB9, 0x62)

#define NET_HANDOFF_MAGIC         0x46464F444E48544EULL /* "NTHNDOFF" in memory */
#define NET_HANDOFF_VERSION_MAJOR 2U
#define NET_HANDOFF_VERSION_MINOR 0U

#define NET_HANDOFF_MAX_SIZE      65536U /* no table is larger                            */
#define NET_HANDOFF_NICS_MAX      8U     /* entries                                       */
#define NET_HANDOFF_PAYLOADS_MAX  8U     /* payloads                                      */
#define NET_HANDOFF_BARS          6U     /* base address registers of a PCI function      */
#define NET_HANDOFF_PATH_MAX      16U    /* bridges above a NIC                           */
#define NET_HANDOFF_MULTICAST_MAX 16U    /* addresses in the receive filter               */
#define NET_HANDOFF_DNS_MAX       4U     /* name servers of a lease                       */
#define NET_HANDOFF_SOURCE_MAX    512U   /* bytes of the boot source with its zero byte   */
#define NET_HANDOFF_BLOCK_MAX     1024U  /* bytes of a family's block                     */
#define NET_HANDOFF_MTA_WORDS     128U   /* e1000: registers of the multicast table       */
#define NET_HANDOFF_QUEUES_MAX    3U     /* virtio-net: receive, transmit, control        */
#define NET_HANDOFF_QUEUE_MAX     1024U  /* virtio-net: descriptors of a queue            */

/* net_handoff_nic.state */
#define NET_HANDOFF_ARMED_QUIET 1U /* before ExitBootServices: will be left quiet                             */
#define NET_HANDOFF_ARMED_LIVE  2U /* before ExitBootServices: will be left receiving                         */
#define NET_HANDOFF_QUIET       3U /* after it: programmed, nothing moves                                     */
#define NET_HANDOFF_LIVE        4U /* after it: receives and sends, interrupts masked                         */
#define NET_HANDOFF_LOST        5U /* withdrawn, or it could not be left as asked: reset it and start afresh  */
#define NET_HANDOFF_ADOPTED     6U /* a kernel has the NIC: nothing else in the entry holds any more          */

/* net_handoff_nic.flags. A flag that is not set says that the producer does not know. */
#define NET_HANDOFF_PATH_KNOWN       (1U << 0) /* path and path_count say which bridges are above the NIC         */
#define NET_HANDOFF_COHERENT         (1U << 1) /* DMA sees the processor's caches: no cache maintenance is needed  */
#define NET_HANDOFF_REMAPPED         (1U << 2) /* the firmware maps DMA (IOMMU, memory encryption): see HANDOFF.md */
#define NET_HANDOFF_IDENTITY         (1U << 3) /* each device address in the block equals the physical address     */
#define NET_HANDOFF_ASPM_OFF         (1U << 4) /* PCIe link power management was switched off: leave it off        */
#define NET_HANDOFF_MEMORY_PLAIN     (1U << 5) /* memory is not encrypted                                          */
#define NET_HANDOFF_MEMORY_ENCRYPTED (1U << 6) /* it is, and the NIC's buffers are shared with the device in plain */

/* net_handoff_nic.filter: what is received. More may come through, never less. */
#define NET_HANDOFF_FILTER_UNICAST       (1U << 0) /* frames to current_mac                 */
#define NET_HANDOFF_FILTER_MULTICAST     (1U << 1) /* frames to the addresses in multicast  */
#define NET_HANDOFF_FILTER_BROADCAST     (1U << 2)
#define NET_HANDOFF_FILTER_PROMISCUOUS   (1U << 3) /* everything                            */
#define NET_HANDOFF_FILTER_ALL_MULTICAST (1U << 4)

/* net_handoff_bar.flags */
#define NET_HANDOFF_BAR_MEMORY       (1U << 0)
#define NET_HANDOFF_BAR_IO           (1U << 1)
#define NET_HANDOFF_BAR_64BIT        (1U << 2)
#define NET_HANDOFF_BAR_PREFETCHABLE (1U << 3)

/* net_handoff_lease.origin */
#define NET_HANDOFF_LEASE_NONE   0U /* there is no address                   */
#define NET_HANDOFF_LEASE_DHCP   1U
#define NET_HANDOFF_LEASE_STATIC 2U /* set by hand                           */
#define NET_HANDOFF_LEASE_OTHER  3U /* there is one; where from is not known */

#define NET_HANDOFF_LEASE_FOREVER 0xFFFFFFFFU /* net_handoff_lease.seconds */

/* net_handoff_nic.block_kind: the layout of a family's block */
#define NET_HANDOFF_BLOCK_NONE       0U
#define NET_HANDOFF_BLOCK_E1000      1U /* struct net_handoff_e1000      */
#define NET_HANDOFF_BLOCK_VIRTIO_NET 2U /* struct net_handoff_virtio_net */

/* Header. The first 20 bytes are the same in every version. */
struct net_handoff {
  uint64_t magic;
  uint16_t version_major;
  uint16_t version_minor;
  uint32_t size;        /* bytes of the whole table                                                 */
  uint32_t crc32;       /* IEEE 802.3 CRC-32 over `size` bytes, with this field taken as 0          */
  uint32_t header_size; /* bytes of this struct, as its producer knew it                            */
  uint32_t nic_offset;  /* bytes from the start of the table                                        */
  uint32_t nic_size;    /* bytes from one entry to the next                                         */
  uint32_t nic_count;
  uint32_t payload_offset; /* the same for payloads                                                 */
  uint32_t payload_size;
  uint32_t payload_count;
  uint32_t source_offset; /* where the boot source is: a URL in ASCII                               */
  uint32_t source_size;   /* bytes with its zero byte, 0 = none                                     */
  uint64_t reserved;
};

/* A base address register. */
struct net_handoff_bar {
  uint64_t processor; /* physical address as the processor reaches it                             */
  uint64_t bus;       /* what the register in configuration space holds, without its flag bits    */
  uint64_t size;      /* bytes; 0 = not there, or the upper half of the 64-bit one before it      */
  uint32_t flags;     /* NET_HANDOFF_BAR_                                                         */
  uint32_t reserved;
};

/* A bridge on the way to the NIC. */
struct net_handoff_bridge {
  uint8_t bus; /* that the bridge is on, as the firmware numbered it */
  uint8_t device;
  uint8_t function;
  uint8_t reserved;
};

/* The IPv4 lease when the handoff was asked for; bytes in network order, 0.0.0.0 = none. */
struct net_handoff_lease {
  uint8_t address[4];
  uint8_t mask[4];
  uint8_t gateway[4];
  uint8_t server[4]; /* the DHCP server's identifier                                             */
  uint8_t dns[NET_HANDOFF_DNS_MAX][4];
  uint32_t origin;   /* NET_HANDOFF_LEASE_                                                       */
  uint32_t seconds;  /* lease time from `obtained` on; 0 = not known                             */
  uint64_t obtained; /* seconds since 1970-01-01 by the firmware's clock; 0 = not known          */
};

/* Counts of the firmware's driver; HANDOFF.md says what counts. Bytes without FCS. */
struct net_handoff_statistics {
  uint64_t rx_frames;
  uint64_t rx_bytes;
  uint64_t rx_errors;
  uint64_t rx_missed;
  uint64_t tx_frames;
  uint64_t tx_bytes;
  uint64_t tx_errors;
  uint64_t link_changes;
};

/* One NIC, of whatever family. */
struct net_handoff_nic {
  /* Where and what */
  uint16_t pci_segment;
  uint8_t pci_bus;
  uint8_t pci_device;
  uint8_t pci_function;
  uint8_t revision_id;
  uint16_t vendor_id;
  uint16_t device_id;
  uint16_t subsystem_vendor_id;
  uint16_t subsystem_id;
  uint8_t interrupt_line; /* PCI Interrupt Line, as the firmware programmed it */
  uint8_t interrupt_pin;  /* 0 none, 1 to 4 INTA# to INTD#                     */
  uint8_t msi_capability; /* offset in configuration space, 0 = none           */
  uint8_t msix_capability;
  uint8_t state;      /* NET_HANDOFF_ARMED_QUIET to NET_HANDOFF_ADOPTED       */
  uint8_t path_count; /* bridges between the root bus and the NIC              */
  uint32_t flags;     /* NET_HANDOFF_PATH_KNOWN and following                  */
  struct net_handoff_bar bar[NET_HANDOFF_BARS];
  struct net_handoff_bridge path[NET_HANDOFF_PATH_MAX]; /* from the root bus down */

  /* Addresses, link, filter */
  uint8_t permanent_mac[6];
  uint8_t current_mac[6];
  uint8_t link_up;
  uint8_t full_duplex;
  uint16_t mtu; /* bytes behind the Ethernet header, 1500 where nothing else is known */
  uint32_t speed_mbps;
  uint32_t filter; /* NET_HANDOFF_FILTER_ */
  uint32_t multicast_count;
  uint8_t multicast[NET_HANDOFF_MULTICAST_MAX][6];
  uint32_t reserved0;

  struct net_handoff_lease lease;
  struct net_handoff_statistics statistics;

  /* What its family needs to go on */
  uint32_t block_kind;   /* NET_HANDOFF_BLOCK_               */
  uint32_t block_offset; /* bytes from the start of the table */
  uint32_t block_size;   /* bytes                             */
  uint32_t reserved1;
};

/* Something the firmware fetched for the kernel, who compares the SHA-256 before the first use. */
struct net_handoff_payload {
  char name[48]; /* ends with a zero byte */
  uint64_t physical;
  uint64_t size; /* bytes */
  uint8_t sha256[32];
};

/* The e1000 family (Intel 8254x, 82574L) ------------------------------------------------------------------------- */

#define NET_HANDOFF_FORMAT_E1000_LEGACY 1U

/* One descriptor ring with its buffers. Slot i's buffer is at buffers + i * buffer_stride. */
struct net_handoff_e1000_ring {
  uint64_t descriptors;        /* physical address                                                  */
  uint64_t descriptors_device; /* the address that the device was given                             */
  uint64_t buffers;            /* physical address of slot 0's buffer                               */
  uint64_t buffers_device;     /* the same, as the device was given it                              */
  uint32_t count;              /* descriptors, a power of two, 8 to 4096                            */
  uint32_t descriptor_size;    /* bytes, 16                                                         */
  uint32_t descriptor_format;  /* NET_HANDOFF_FORMAT_                                               */
  uint32_t buffer_size;        /* bytes the device may write or read in a buffer                    */
  uint32_t buffer_stride;      /* bytes from one buffer to the next                                 */
  uint32_t head;               /* free-running: the oldest descriptor not yet taken back            */
  uint32_t published;          /* free-running: the tail register's value, completed                */
  uint32_t tail;               /* free-running: the next descriptor to prepare                      */
};

struct net_handoff_e1000 {
  struct net_handoff_e1000_ring rx;
  struct net_handoff_e1000_ring tx;
  uint32_t rctl; /* what RCTL held while the receiver ran: writing it starts a quiet NIC */
  uint32_t tctl;
  uint32_t mta[NET_HANDOFF_MTA_WORDS];
};

/* virtio-net, modern PCI transport, split virtqueues (VIRTIO 1.2) ------------------------------------------------ */

/* Where a capability's structure is (VIRTIO 1.2, 4.1.4). */
struct net_handoff_virtio_place {
  uint32_t bar;    /* number of the BAR's register, 0 to 5; 0xFFFFFFFF = not there */
  uint32_t offset; /* bytes from its start                                         */
  uint32_t length; /* bytes                                                        */
};

/* One virtqueue. Descriptor i's buffer is at buffers + i * buffer_stride. */
struct net_handoff_virtio_queue {
  uint64_t descriptors; /* descriptor area: physical address                                  */
  uint64_t descriptors_device;
  uint64_t available; /* driver area                                                          */
  uint64_t available_device;
  uint64_t used; /* device area                                                               */
  uint64_t used_device;
  uint64_t buffers; /* physical address of descriptor 0's buffer                              */
  uint64_t buffers_device;
  uint32_t buffer_size;     /* bytes of a buffer, header included                              */
  uint32_t buffer_stride;   /* bytes from one buffer to the next                               */
  uint32_t notify_offset;   /* of the doorbell, in bytes from the start of the notify structure's BAR */
  uint16_t size;            /* descriptors, a power of two; 0 = the queue is not used          */
  uint16_t msix_vector;     /* queue_msix_vector, 0xFFFF = none                                */
  uint16_t available_index; /* what the driver area's idx holds: free-running                 */
  uint16_t used_last;       /* free-running: used entries before it were taken back            */
  uint32_t reserved;
  uint32_t in_flight[NET_HANDOFF_QUEUE_MAX / 32U]; /* bit i % 32 of word i / 32: descriptor i is the device's */
};

struct net_handoff_virtio_net {
  uint64_t features; /* as negotiated                                                         */
  struct net_handoff_virtio_place common;
  struct net_handoff_virtio_place notify;
  struct net_handoff_virtio_place isr;
  struct net_handoff_virtio_place device;
  uint32_t notify_multiplier;
  uint32_t header_size; /* bytes of virtio_net_hdr before each frame: 12                      */
  uint16_t config_msix_vector;
  uint8_t device_status; /* 0x0F when LIVE, 0x0B when QUIET                                   */
  uint8_t reserved0;
  uint32_t queue_count; /* of queue[] in use: 2, or 3 with a control queue                    */
  struct net_handoff_virtio_queue queue[NET_HANDOFF_QUEUES_MAX]; /* receive, transmit, control */
};

/* The layout is the ABI. These are the sizes of version 2.0: a table of version 2 has no smaller ones, and a later
 * minor version's are larger. */
#define NET_HANDOFF_HEADER_SIZE_2_0     64U
#define NET_HANDOFF_NIC_SIZE_2_0        536U
#define NET_HANDOFF_PAYLOAD_SIZE_2_0    96U
#define NET_HANDOFF_E1000_SIZE_2_0      648U
#define NET_HANDOFF_VIRTIO_NET_SIZE_2_0 720U

#ifdef __cplusplus
#define NET_HANDOFF_ASSERT static_assert
#else
#define NET_HANDOFF_ASSERT _Static_assert
#endif
NET_HANDOFF_ASSERT(sizeof(struct net_handoff) == NET_HANDOFF_HEADER_SIZE_2_0, "ABI");
NET_HANDOFF_ASSERT(sizeof(struct net_handoff_nic) == NET_HANDOFF_NIC_SIZE_2_0, "ABI");
NET_HANDOFF_ASSERT(sizeof(struct net_handoff_payload) == NET_HANDOFF_PAYLOAD_SIZE_2_0, "ABI");
NET_HANDOFF_ASSERT(sizeof(struct net_handoff_e1000) == NET_HANDOFF_E1000_SIZE_2_0, "ABI");
NET_HANDOFF_ASSERT(sizeof(struct net_handoff_virtio_net) == NET_HANDOFF_VIRTIO_NET_SIZE_2_0, "ABI");

#endif
