/* virtio_sim_ctrl.c - the simulated virtio device's control queue (VIRTIO 1.2, 5.1.6.5) and its receive filter. */
#include "virtio_sim_internal.h"

#include <string.h>

#define CLASS_RX  0U
#define CLASS_MAC 1U

#define RX_PROMISC  0U
#define RX_ALLMULTI 1U
#define RX_ALLUNI   2U
#define RX_NOMULTI  3U
#define RX_NOUNI    4U
#define RX_NOBCAST  5U

#define MAC_TABLE_SET 0U
#define MAC_ADDR_SET  1U

#define ACK_OK     0U
#define ACK_ERR    1U
#define TABLE_ROOM 32U
#define ADDRESS    6U
#define MULTICAST  0x01U
#define VLAN_AT    12U

static bool is_broadcast(const uint8_t *address) {
  static const uint8_t all[ADDRESS] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  return memcmp(address, all, ADDRESS) == 0;
}

/* Until it is told otherwise a device lets everything through, as QEMU's does. */
void vsim_filter_reset(struct virtio_sim *sim) {
  sim->filter = (struct virtio_sim_filter){.promiscuous = true};
  memcpy(sim->filter.mac, sim->config.mac, ADDRESS);
}

/* Commands --------------------------------------------------------------------------------------------------------- */

static uint8_t set_mode(struct virtio_sim *sim, uint8_t command, const uint8_t *data, size_t length) {
  struct virtio_sim_filter *filter = &sim->filter;
  bool *const modes[] = {
      [RX_PROMISC] = &filter->promiscuous, [RX_ALLMULTI] = &filter->all_multicast,
      [RX_ALLUNI] = &filter->all_unicast,  [RX_NOMULTI] = &filter->no_multicast,
      [RX_NOUNI] = &filter->no_unicast,    [RX_NOBCAST] = &filter->no_broadcast,
  };
  if(command > RX_NOBCAST || !vsim_has(sim, command <= RX_ALLMULTI ? FB_CTRL_RX : FB_CTRL_RX_EXTRA)) {
    vsim_violate(sim, "a receive mode that was not negotiated", command);
    return ACK_ERR;
  }
  if(length != 1 || data[0] > 1U) {
    vsim_violate(sim, "a receive mode that is not one byte of 0 or 1", length);
    return ACK_ERR;
  }
  *modes[command] = data[0] != 0;
  return ACK_OK;
}

/* One table: a count, and so many addresses. The bytes that it takes, or 0. */
static size_t read_table(struct virtio_sim *sim, const uint8_t *data, size_t length, uint8_t table[TABLE_ROOM][ADDRESS],
                         uint32_t *count) {
  if(length < 4U) {
    return 0;
  }
  uint64_t entries = sim_little(data, 4);
  if(entries > (length - 4U) / ADDRESS) {
    return 0;
  }
  *count = (uint32_t)entries;
  for(uint32_t i = 0; i < entries && i < TABLE_ROOM; i++) {
    memcpy(table[i], data + 4U + ADDRESS * i, ADDRESS);
    if(((table[i][0] & MULTICAST) != 0) != (table == sim->filter.table[1])) {
      vsim_violate(sim, "an address in the wrong MAC table", i);
    }
  }
  return 4U + ADDRESS * (size_t)entries;
}

static uint8_t set_table(struct virtio_sim *sim, const uint8_t *data, size_t length) {
  struct virtio_sim_filter *filter = &sim->filter;
  if(!vsim_has(sim, FB_CTRL_RX)) {
    vsim_violate(sim, "a MAC table without CTRL_RX", length);
    return ACK_ERR;
  }
  size_t first = read_table(sim, data, length, filter->table[0], &filter->unicasts);
  size_t second = first ? read_table(sim, data + first, length - first, filter->table[1], &filter->multicasts) : 0;
  if(second == 0 || first + second != length) {
    vsim_violate(sim, "MAC tables that are not as long as they say", length);
    return ACK_ERR;
  }
  return ACK_OK;
}

static uint8_t set_address(struct virtio_sim *sim, const uint8_t *data, size_t length) {
  if(!vsim_has(sim, FB_CTRL_MAC_ADDR) || length != ADDRESS || (data[0] & MULTICAST)) {
    vsim_violate(sim, "an address set without CTRL_MAC_ADDR, or not a station's", length);
    return ACK_ERR;
  }
  memcpy(sim->filter.mac, data, ADDRESS);
  sim->generation++;
  return ACK_OK;
}

uint8_t vsim_command(struct virtio_sim *sim, const uint8_t *command, size_t length) {
  if(length < 2U) {
    vsim_violate(sim, "a command shorter than its header", length);
    return ACK_ERR;
  }
  if(sim->config.commands_refused) {
    return ACK_ERR;
  }
  if(command[0] == CLASS_RX) {
    return set_mode(sim, command[1], command + 2, length - 2U);
  }
  if(command[0] == CLASS_MAC && command[1] == MAC_TABLE_SET) {
    return set_table(sim, command + 2, length - 2U);
  }
  if(command[0] == CLASS_MAC && command[1] == MAC_ADDR_SET) {
    return set_address(sim, command + 2, length - 2U);
  }
  vsim_violate(sim, "a command that nobody knows", (uint64_t)command[0] << 8 | command[1]);
  return ACK_ERR;
}

/* The filter ------------------------------------------------------------------------------------------------------- */

static bool in_table(const uint8_t table[TABLE_ROOM][ADDRESS], uint32_t count, const uint8_t *address) {
  if(count > TABLE_ROOM) {
    return true; /* what does not fit is not filtered */
  }
  for(uint32_t i = 0; i < count; i++) {
    if(memcmp(table[i], address, ADDRESS) == 0) {
      return true;
    }
  }
  return false;
}

bool vsim_wanted(const struct virtio_sim *sim, const uint8_t *frame, size_t length) {
  const struct virtio_sim_filter *filter = &sim->filter;
  /* Under CTRL_VLAN a tagged frame passes only for a VLAN that was added, and here nobody adds any. */
  if(vsim_has(sim, FB_CTRL_VLAN) && length >= VLAN_AT + 2U && frame[VLAN_AT] == 0x81 && frame[VLAN_AT + 1U] == 0) {
    return false;
  }
  if(filter->promiscuous) {
    return true;
  }
  if(is_broadcast(frame)) {
    return !filter->no_broadcast;
  }
  if(frame[0] & MULTICAST) {
    return !filter->no_multicast && (filter->all_multicast || in_table(filter->table[1], filter->multicasts, frame));
  }
  return !filter->no_unicast && (filter->all_unicast || memcmp(filter->mac, frame, ADDRESS) == 0 ||
                                 in_table(filter->table[0], filter->unicasts, frame));
}
