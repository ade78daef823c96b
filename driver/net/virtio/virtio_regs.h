/* virtio_regs.h - the specification in numbers: PCI structures, registers, features, commands (VIRTIO 1.2). */
#ifndef VIRTIO_REGS_H
#define VIRTIO_REGS_H

#include <stdint.h>

#define VIRTIO_VENDOR_ID        0x1AF4U
#define VIRTIO_NET_MODERN       0x1041U /* 0x1040 + device type 1, 4.1.2.1               */
#define VIRTIO_NET_TRANSITIONAL 0x1000U /* has the legacy interface too; we use the modern */

/* PCI configuration space (PCI 3.0, 6) */
#define PCI_COMMAND              0x04U
#define PCI_COMMAND_MASTER       (1U << 2)
#define PCI_COMMAND_INTX_DISABLE (1U << 10)
#define PCI_STATUS               0x06U
#define PCI_STATUS_CAPABILITIES  (1U << 4)
#define PCI_CAPABILITY_POINTER   0x34U
#define PCI_CAPABILITY_FIRST     0x40U /* none lies below                                   */
#define PCI_CAPABILITY_MAX       48U   /* four bytes each at the least, from 0x40 to 0xFF   */
#define PCI_CAPABILITY_VENDOR    0x09U
#define PCI_CAPABILITY_MSIX      0x11U

/* A virtio structure's capability, 4.1.4: offsets in bytes */
#define VIRTIO_CAP_LENGTH        2U
#define VIRTIO_CAP_TYPE          3U
#define VIRTIO_CAP_BAR           4U
#define VIRTIO_CAP_OFFSET        8U
#define VIRTIO_CAP_SIZE          12U
#define VIRTIO_CAP_MULTIPLIER    16U /* of the notification structure, 4.1.4.4 */
#define VIRTIO_CAP_MIN_LENGTH    16U
#define VIRTIO_CAP_NOTIFY_LENGTH 20U
#define VIRTIO_CAP_COMMON        1U
#define VIRTIO_CAP_NOTIFY        2U
#define VIRTIO_CAP_ISR           3U
#define VIRTIO_CAP_DEVICE        4U

/* Common configuration, 4.1.4.3 */
#define VIRTIO_DEVICE_FEATURE_SELECT 0U
#define VIRTIO_DEVICE_FEATURE        4U
#define VIRTIO_DRIVER_FEATURE_SELECT 8U
#define VIRTIO_DRIVER_FEATURE        12U
#define VIRTIO_CONFIG_MSIX_VECTOR    16U
#define VIRTIO_NUM_QUEUES            18U
#define VIRTIO_DEVICE_STATUS         20U /*  8 bits */
#define VIRTIO_CONFIG_GENERATION     21U /*  8 bits */
#define VIRTIO_QUEUE_SELECT          22U /* 16 bits, as the next four */
#define VIRTIO_QUEUE_SIZE            24U
#define VIRTIO_QUEUE_MSIX_VECTOR     26U
#define VIRTIO_QUEUE_ENABLE          28U
#define VIRTIO_QUEUE_NOTIFY_OFF      30U
#define VIRTIO_QUEUE_DESC            32U /* 64 bits, as the next two: low half first */
#define VIRTIO_QUEUE_DRIVER          40U
#define VIRTIO_QUEUE_DEVICE          48U
#define VIRTIO_COMMON_SIZE           56U

#define VIRTIO_NO_VECTOR 0xFFFFU

/* Device status, 2.1 */
#define VIRTIO_STATUS_ACKNOWLEDGE 0x01U
#define VIRTIO_STATUS_DRIVER      0x02U
#define VIRTIO_STATUS_DRIVER_OK   0x04U
#define VIRTIO_STATUS_FEATURES_OK 0x08U
#define VIRTIO_STATUS_NEEDS_RESET 0x40U
#define VIRTIO_STATUS_FAILED      0x80U
#define VIRTIO_STATUS_ABSENT      0xFFU /* what PCI answers where no device is */
#define VIRTIO_STATUS_READY                                                                                            \
  (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK) /* all but DRIVER_OK */
#define VIRTIO_STATUS_LIVE (VIRTIO_STATUS_READY | VIRTIO_STATUS_DRIVER_OK)

/* Interrupt status, 4.1.4.5: cleared, and the line lowered, by reading */
#define VIRTIO_ISR_QUEUE  0x01U
#define VIRTIO_ISR_CONFIG 0x02U

/* Features: of the network device, 5.1.3, and reserved ones, 6 */
#define VIRTIO_NET_F_MTU           (1ULL << 3)
#define VIRTIO_NET_F_MAC           (1ULL << 5)
#define VIRTIO_NET_F_STATUS        (1ULL << 16)
#define VIRTIO_NET_F_CTRL_VQ       (1ULL << 17)
#define VIRTIO_NET_F_CTRL_RX       (1ULL << 18)
#define VIRTIO_NET_F_CTRL_RX_EXTRA (1ULL << 20)
#define VIRTIO_NET_F_CTRL_MAC_ADDR (1ULL << 23)
#define VIRTIO_F_EVENT_IDX         (1ULL << 29)
#define VIRTIO_F_VERSION_1         (1ULL << 32)
#define VIRTIO_F_ACCESS_PLATFORM   (1ULL << 33)
#define VIRTIO_F_ORDER_PLATFORM    (1ULL << 36)

/* Device configuration of a network device, 5.1.4 */
#define VIRTIO_NET_CONFIG_MAC     0U
#define VIRTIO_NET_CONFIG_STATUS  6U
#define VIRTIO_NET_CONFIG_MTU     10U
#define VIRTIO_NET_STATUS_LINK_UP 1U
#define VIRTIO_NET_MTU_MIN        68U /* 5.1.4.1 */

/* Queues, 5.1.2: numbers while VIRTIO_NET_F_MQ is not negotiated */
#define VIRTIO_NET_RX      0U
#define VIRTIO_NET_TX      1U
#define VIRTIO_NET_CONTROL 2U
#define VIRTIO_NET_QUEUES  3U

/* struct virtio_net_hdr, 5.1.6: with VIRTIO_F_VERSION_1 num_buffers is always there. All zero on transmit: no offload.
 * On receive nothing in it means anything to us; QEMU before 10.0 leaves num_buffers unwritten. */
#define VIRTIO_NET_HEADER_SIZE 12U

/* Commands, 5.1.6.5: a class, a command, its data; the device answers with one byte */
#define VIRTIO_NET_CTRL_RX          0U
#define VIRTIO_NET_CTRL_RX_PROMISC  0U
#define VIRTIO_NET_CTRL_RX_ALLMULTI 1U
#define VIRTIO_NET_CTRL_RX_NOMULTI  3U
#define VIRTIO_NET_CTRL_RX_NOUNI    4U
#define VIRTIO_NET_CTRL_RX_NOBCAST  5U
#define VIRTIO_NET_CTRL_MAC         1U
#define VIRTIO_NET_CTRL_MAC_TABLE   0U
#define VIRTIO_NET_CTRL_MAC_ADDR    1U
#define VIRTIO_NET_CTRL_OK          0U

/* Split virtqueue, 2.7 */
struct virtq_descriptor { /* 2.7.5 */
  uint64_t address;
  uint32_t length;
  uint16_t flags;
  uint16_t next;
};

#define VIRTQ_DESCRIPTOR_NEXT  1U
#define VIRTQ_DESCRIPTOR_WRITE 2U

struct virtq_available { /* 2.7.6; behind the ring: uint16_t used_event */
  uint16_t flags;
  uint16_t index;
  uint16_t ring[];
};

#define VIRTQ_AVAILABLE_NO_INTERRUPT 1U

struct virtq_used_element {
  uint32_t id;
  uint32_t length;
};

struct virtq_used { /* 2.7.8; behind the ring: uint16_t avail_event */
  uint16_t flags;
  uint16_t index;
  struct virtq_used_element ring[];
};

#define VIRTQ_USED_NO_NOTIFY 1U

_Static_assert(sizeof(struct virtq_descriptor) == 16, "2.7.5");
_Static_assert(sizeof(struct virtq_used_element) == 8, "2.7.8");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "queues and registers are little-endian");

#endif
