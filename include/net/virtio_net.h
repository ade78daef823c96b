/* virtio_net.h - virtio network devices (VIRTIO 1.2, modern PCI transport, split virtqueues) behind struct netdev. */
#ifndef NET_VIRTIO_NET_H
#define NET_VIRTIO_NET_H

#include "net/driver.h"

#define VIRTIO_NET_RING_MIN     8U /* descriptors to ask for; a device that has fewer gets a shorter queue */
#define VIRTIO_NET_RING_MAX     1024U
#define VIRTIO_NET_RING_DEFAULT 256U

/*
 * What this family does in its own way:
 *
 * - Statistics: the device counts nothing. rx_missed, rx_crc_errors and tx_collisions stay 0: a frame for which there
 *   was no buffer is dropped outside the device, and no register tells.
 * - Link: up and full duplex, or down. A device without a link status is always up. speed_mbps is 0: not known.
 * - Address: netdev_set_mac on an open device, and netdev_open after it, answer NETDEV_E_UNSUPPORTED for another than
 *   the permanent one on a device without VIRTIO_NET_F_CTRL_MAC_ADDR, or which refuses the address. A device that has
 *   none gets a locally administered one, another at each netdev_driver.create.
 * - Filter: by the device (addresses, not hashes) with VIRTIO_NET_F_CTRL_RX. Without it the device hands over whatever
 *   reaches it, and so does the driver: a network stack compares the destination anyway.
 * - netdev_set_mac and netdev_set_filter send commands and wait for the answer: some microseconds from a device that
 *   lives, up to two seconds from one that does not. Then NETDEV_E_TIMEOUT, and the next netdev_tick resets the device.
 * - A device that returns what it never had, asks for a reset (DEVICE_NEEDS_RESET) or stops sending is reset by
 *   netdev_tick; what it had to send comes back as NETDEV_E_RESET. After some such resets, each within a minute of the
 *   last, it counts as gone.
 * - Frames longer than the device's MTU, where it has one below NETDEV_MTU, are refused: NETDEV_E_INVALID.
 */
extern const struct net_driver virtio_net_driver;

/* For a kernel that knows this family only: virtio_net_driver.create and .adopt by name. */
int virtio_net_create(const struct net_platform *platform, const struct net_config *config, struct netdev **out);
int virtio_net_adopt(const struct net_platform *platform, const struct net_handoff_nic *nic, const void *block,
                     net_map map, struct netdev **out);

/* The features (bit n of VIRTIO 1.2, 5.1.3 and 6) that driver and device agreed on. Any context. */
uint64_t virtio_net_features(const struct netdev *dev);

/* The longest frame that the device takes is this and NETDEV_HEADER_LENGTH (and 4 for a VLAN tag): 68 to NETDEV_MTU. */
uint32_t virtio_net_mtu(const struct netdev *dev);

#endif
