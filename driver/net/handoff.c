/* handoff.c - building and judging net_handoff tables: pure functions over memory. Rules in include/net/HANDOFF.md. */
#include "handoff.h"

#include <string.h>

#include "e1000/e1000_hw.h"

#define CRC32_POLYNOMIAL 0xEDB88320U /* IEEE 802.3, bit-reversed */

/* CRC and header ------------------------------------------------------------------------------------------------- */

static uint32_t crc32_add(uint32_t crc, uint8_t byte) {
  crc ^= byte;
  for(uint32_t bit = 0; bit < 8; bit++) {
    crc = crc >> 1 ^ (crc & 1U ? CRC32_POLYNOMIAL : 0U);
  }
  return crc;
}

/* Over `size` bytes, with the four of the crc32 field taken as 0. */
static uint32_t table_crc(const uint8_t *bytes, uint32_t size) {
  uint32_t crc = UINT32_MAX;
  for(uint32_t i = 0; i < size; i++) {
    bool own = i >= offsetof(struct net_handoff, crc32) && i < offsetof(struct net_handoff, crc32) + sizeof(uint32_t);
    crc = crc32_add(crc, own ? 0 : bytes[i]);
  }
  return ~crc;
}

void net_handoff_init(struct net_handoff *table) {
  memset(table, 0, sizeof(*table));
  table->magic = NET_HANDOFF_MAGIC;
  table->version_major = NET_HANDOFF_VERSION_MAJOR;
  table->version_minor = NET_HANDOFF_VERSION_MINOR;
  table->size = sizeof(*table);
  table->header_size = offsetof(struct net_handoff, nic);
  table->nic_size = sizeof(struct net_handoff_nic);
  table->payload_offset = offsetof(struct net_handoff, payload);
  table->payload_size = sizeof(struct net_handoff_payload);
}

void net_handoff_seal(struct net_handoff *table) {
  table->crc32 = table_crc((const uint8_t *)table, table->size);
}

/* Ranges --------------------------------------------------------------------------------------------------------- */

struct range {
  uint64_t start;
  uint64_t size;
};

static bool range_valid(struct range range) {
  return range.start != 0 && range.size != 0 && range.start + range.size > range.start;
}

static bool ranges_overlap(struct range left, struct range right) {
  return left.start < right.start + right.size && right.start < left.start + left.size;
}

static bool all_apart(const struct range *ranges, size_t count) {
  for(size_t i = 0; i < count; i++) {
    for(size_t j = 0; j < i; j++) {
      if(ranges_overlap(ranges[i], ranges[j])) {
        return false;
      }
    }
  }
  return true;
}

static struct range descriptor_range(const struct net_handoff_ring *ring) {
  return (struct range){ring->descriptors, (uint64_t)ring->count * ring->descriptor_size};
}

static struct range buffer_range(const struct net_handoff_ring *ring) {
  return (struct range){ring->buffers, (uint64_t)ring->count * ring->buffer_stride};
}

/* Checks --------------------------------------------------------------------------------------------------------- */

static const char *check_header(const uint8_t *memory, size_t available, struct net_handoff *head) {
  if(available < offsetof(struct net_handoff, nic)) {
    return "shorter than its header";
  }
  memcpy(head, memory, offsetof(struct net_handoff, nic));
  if(head->magic != NET_HANDOFF_MAGIC) {
    return "the magic number is wrong";
  }
  if(head->version_major != NET_HANDOFF_VERSION_MAJOR) {
    return "another major version";
  }
  if(head->size > NET_HANDOFF_MAX_SIZE || head->size > available || head->size < offsetof(struct net_handoff, nic)) {
    return "the size is out of range";
  }
  if(head->crc32 != table_crc(memory, head->size)) {
    return "the CRC is wrong";
  }
  return NULL;
}

/* All sums fit: counts are small, sizes and offsets 32 bits in 64-bit arithmetic. */
static const char *check_entries(const struct net_handoff *head) {
  if(head->nic_count == 0 || head->nic_count > NET_HANDOFF_NICS_MAX) {
    return "the number of controllers is out of range";
  }
  if(head->payload_count > NET_HANDOFF_PAYLOADS_MAX) {
    return "the number of payloads is out of range";
  }
  if(head->header_size < offsetof(struct net_handoff, nic) || head->nic_size < sizeof(struct net_handoff_nic) ||
     head->header_size + (uint64_t)head->nic_count * head->nic_size > head->size) {
    return "the controllers do not fit the table";
  }
  if(head->payload_count > 0 &&
     (head->payload_size < sizeof(struct net_handoff_payload) || head->payload_offset < head->header_size ||
      head->payload_offset + (uint64_t)head->payload_count * head->payload_size > head->size)) {
    return "the payloads do not fit the table";
  }
  return NULL;
}

static const char *check_ring(const struct net_handoff_ring *ring, bool receive) {
  if(ring->descriptor_format != NET_HANDOFF_FORMAT_E1000_LEGACY ||
     ring->descriptor_size != sizeof(union e1000_descriptor)) {
    return "a ring's descriptors are of an unknown kind";
  }
  if(ring->count < E1000_RING_MIN || ring->count > E1000_RING_MAX || (ring->count & (ring->count - 1U))) {
    return "a ring's count is no power of two in range";
  }
  if(ring->buffer_size != E1000_BUFFER_SIZE || ring->buffer_stride != E1000_BUFFER_SIZE) {
    return "a ring's buffers are of another size";
  }
  if(!range_valid(descriptor_range(ring)) || !range_valid(buffer_range(ring)) ||
     !range_valid((struct range){ring->descriptors_device, descriptor_range(ring).size}) ||
     !range_valid((struct range){ring->buffers_device, buffer_range(ring).size})) {
    return "a ring's addresses are out of range";
  }
  if(ring->descriptors % sizeof(union e1000_descriptor) || ring->descriptors_device % sizeof(union e1000_descriptor)) {
    return "a ring is not aligned";
  }
  uint32_t used = ring->tail - ring->head;
  if(ring->published - ring->head > used || used > ring->count - 1U || (receive && used != ring->count - 1U)) {
    return "a ring's indices contradict each other";
  }
  return NULL;
}

/* The bits on which the rings rest: a wrong one has the device write beyond its buffers, or descriptors of another
 * kind. */
static const char *check_control(const struct net_handoff_nic *nic) {
  const uint32_t filters = E1000_RCTL_UPE | E1000_RCTL_BAM;
  if((nic->rctl & ~filters) != (E1000_RCTL_EN | E1000_RCTL_BSIZE_2048 | E1000_RCTL_SECRC)) {
    return "the receiver is set up for other rings";
  }
  return nic->tctl & E1000_TCTL_EN ? NULL : "the transmitter is off";
}

/* What the device would reach under the same address. Other devices may have other addresses for the same memory. */
static bool device_ranges_apart(const struct net_handoff_nic *nic) {
  const struct range ranges[] = {
      {nic->rx.descriptors_device, descriptor_range(&nic->rx).size},
      {nic->tx.descriptors_device, descriptor_range(&nic->tx).size},
      {nic->rx.buffers_device, buffer_range(&nic->rx).size},
      {nic->tx.buffers_device, buffer_range(&nic->tx).size},
  };
  return all_apart(ranges, sizeof(ranges) / sizeof(ranges[0]));
}

/* The rings of any other entry mean nothing, and must not spoil the rest of the table. */
static bool has_rings(const struct net_handoff_nic *nic) {
  return nic->state == NET_HANDOFF_QUIET || nic->state == NET_HANDOFF_LIVE;
}

static const char *check_nic(const struct net_handoff_nic *nic) {
  if(nic->bar0_size < E1000_BAR0_MIN_SIZE || !range_valid((struct range){nic->bar0, nic->bar0_size})) {
    return "BAR 0 is out of range";
  }
  if(!netdev_mac_valid(nic->permanent_mac) || !netdev_mac_valid(nic->current_mac)) {
    return "an address is no station address";
  }
  if(nic->multicast_count > NET_HANDOFF_MULTICAST_MAX) {
    return "too many multicast addresses";
  }
  if(nic->state < NET_HANDOFF_ARMED_QUIET || nic->state > NET_HANDOFF_LOST) {
    return "the state is unknown";
  }
  if(!has_rings(nic)) {
    return NULL;
  }
  const char *problem = check_control(nic);
  if(!problem) {
    problem = check_ring(&nic->rx, true);
  }
  if(!problem) {
    problem = check_ring(&nic->tx, false);
  }
  if(!problem && !device_ranges_apart(nic)) {
    problem = "rings or buffers overlap for the device";
  }
  return problem;
}

static const char *check_payload(const struct net_handoff_payload *payload) {
  if(payload->name[sizeof(payload->name) - 1] != '\0') {
    return "a payload's name does not end";
  }
  return range_valid((struct range){payload->physical, payload->size}) ? NULL : "a payload's address is out of range";
}

/* Of entries and payloads that are good each for itself. */
static const char *check_overlap(const struct net_handoff *table, uint64_t physical) {
  struct range ranges[1U + NET_HANDOFF_NICS_MAX * 5U + NET_HANDOFF_PAYLOADS_MAX] = {{physical, table->size}};
  size_t count = 1;
  for(uint32_t i = 0; i < table->nic_count; i++) {
    const struct net_handoff_nic *nic = &table->nic[i];
    if(has_rings(nic)) {
      ranges[count++] = (struct range){nic->bar0, nic->bar0_size};
      ranges[count++] = descriptor_range(&nic->rx);
      ranges[count++] = descriptor_range(&nic->tx);
      ranges[count++] = buffer_range(&nic->rx);
      ranges[count++] = buffer_range(&nic->tx);
    }
  }
  for(uint32_t i = 0; i < table->payload_count; i++) {
    ranges[count++] = (struct range){table->payload[i].physical, table->payload[i].size};
  }
  return all_apart(ranges, count) ? NULL : "rings, buffers, registers, payloads or the table overlap";
}

const char *net_handoff_validate(const void *memory, size_t available, uint64_t physical, struct net_handoff *table) {
  const uint8_t *bytes = memory;
  memset(table, 0, sizeof(*table));
  const char *problem = check_header(bytes, available, table);
  if(!problem) {
    problem = check_entries(table);
  }
  for(uint32_t i = 0; !problem && i < table->nic_count; i++) {
    memcpy(&table->nic[i], bytes + table->header_size + (size_t)i * table->nic_size, sizeof(table->nic[i]));
    problem = check_nic(&table->nic[i]);
  }
  for(uint32_t i = 0; !problem && i < table->payload_count; i++) {
    memcpy(&table->payload[i], bytes + table->payload_offset + (size_t)i * table->payload_size,
           sizeof(table->payload[i]));
    problem = check_payload(&table->payload[i]);
  }
  return problem ? problem : check_overlap(table, physical);
}
