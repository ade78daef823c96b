/* handoff.h - the boot-info structure by which firmware hands a running network controller to a kernel.
 *
 * Self-contained: a kernel needs nothing else to read it. HANDOFF.md beside this file is its specification. */
#ifndef NET_HANDOFF_H
#define NET_HANDOFF_H

#include <stdint.h>

/* Vendor GUID of the entry in the EFI configuration table: 9F2C51D4-6A1B-4E0E-8D57-31C0A7E4B962 */
#define NET_HANDOFF_GUID                                                                                               \
  {                                                                                                                    \
    0x9F2C51D4U, 0x6A1BU, 0x4E0EU, {                                                                                   \
      0x8D, 0x57, 0x31, 0xC0, 0xA7, 0xE4, 0xB9, 0x62                                                                   \
    }                                                                                                                  \
  }

#define NET_HANDOFF_MAGIC         0x46464F444E48544EULL /* "NTHNDOFF" in memory */
#define NET_HANDOFF_VERSION_MAJOR 1U
#define NET_HANDOFF_VERSION_MINOR 0U
#define NET_HANDOFF_MAX_SIZE      65536U /* no table is larger */
#define NET_HANDOFF_NICS_MAX      8U
#define NET_HANDOFF_PAYLOADS_MAX  8U
#define NET_HANDOFF_MTA_WORDS     128U
#define NET_HANDOFF_MULTICAST_MAX 16U

/* net_handoff_nic.state */
#define NET_HANDOFF_ARMED_QUIET 1U /* before ExitBootServices: will be left quiet                             */
#define NET_HANDOFF_ARMED_LIVE  2U /* before ExitBootServices: will be left receiving                         */
#define NET_HANDOFF_QUIET       3U /* after it: rings programmed, receiver and transmitter off                */
#define NET_HANDOFF_LIVE        4U /* after it: receiver and transmitter run, interrupts masked               */
#define NET_HANDOFF_LOST        5U /* withdrawn, or it could not be left as asked: reset it and start afresh  */

/* One descriptor ring with its buffers. Slot i's buffer is at buffers + i * buffer_stride. */
struct net_handoff_ring {
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

#define NET_HANDOFF_FORMAT_E1000_LEGACY 1U

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
  uint8_t interrupt_pin;  /* 0 none, 1 to 4 INTA# to INTD#                    */
  uint8_t msi_capability; /* offset in configuration space, 0 = none           */
  uint8_t msix_capability;
  uint8_t state; /* NET_HANDOFF_ARMED_QUIET to NET_HANDOFF_LOST       */
  uint8_t reserved0;
  uint32_t reserved1;
  uint64_t bar0; /* physical address of the registers                 */
  uint64_t bar0_size;

  /* Addresses and link */
  uint8_t permanent_mac[6];
  uint8_t current_mac[6];
  uint8_t link_up;
  uint8_t full_duplex;
  uint16_t speed_mbps;

  /* Rings */
  struct net_handoff_ring rx;
  struct net_handoff_ring tx;

  /* Register images and filters */
  uint32_t rctl; /* what RCTL held while the receiver ran: writing it starts a quiet NIC */
  uint32_t tctl;
  uint32_t filter; /* NETDEV_FILTER_ flags of netdevice.h; HANDOFF.md has their values */
  uint32_t multicast_count;
  uint8_t multicast[NET_HANDOFF_MULTICAST_MAX][6];
  uint32_t mta[NET_HANDOFF_MTA_WORDS];

  /* The IPv4 lease when the handoff was asked for; bytes in network order, 0.0.0.0 = none */
  uint8_t ipv4_address[4];
  uint8_t ipv4_mask[4];
  uint8_t ipv4_gateway[4];
  uint32_t reserved2;

  struct net_handoff_statistics statistics;
};

/* Something the firmware fetched for the kernel, who compares the SHA-256 before the first use. No producer fills it
 * yet. */
struct net_handoff_payload {
  char name[48]; /* ends with a zero byte */
  uint64_t physical;
  uint64_t size; /* bytes */
  uint8_t sha256[32];
};

struct net_handoff {
  uint64_t magic;
  uint16_t version_major;
  uint16_t version_minor;
  uint32_t size;        /* bytes of the whole table, as its producer knew it                        */
  uint32_t crc32;       /* IEEE 802.3 CRC-32 over `size` bytes, with this field taken as 0          */
  uint32_t header_size; /* offset of nic[0]                                                         */
  uint32_t nic_size;    /* bytes of one entry of nic[]                                              */
  uint32_t nic_count;
  uint32_t payload_offset; /* bytes from the start of the table                                        */
  uint32_t payload_size;   /* bytes of one payload entry                                               */
  uint32_t payload_count;
  uint32_t reserved;
  struct net_handoff_nic nic[NET_HANDOFF_NICS_MAX];
  struct net_handoff_payload payload[NET_HANDOFF_PAYLOADS_MAX];
};

/* The layout is the ABI. */
_Static_assert(sizeof(struct net_handoff_ring) == 64, "ABI");
_Static_assert(sizeof(struct net_handoff_nic) == 888, "ABI");
_Static_assert(sizeof(struct net_handoff_payload) == 96, "ABI");

#endif
