/* handoff.c - building and judging net_handoff tables: pure functions over memory. Rules in include/net/HANDOFF.md. */
#include "handoff.h"

#include <string.h>

#include "../lib/crc32.h"

#define UNIT 8U /* every offset and size in a table is a multiple of it */

/* Of all versions: magic, version, size, CRC. */
#define PREFIX_SIZE offsetof(struct net_handoff, header_size)

_Static_assert(sizeof(struct net_handoff_image) <= NET_HANDOFF_MAX_SIZE, "an image is a table");

/* CRC and header ------------------------------------------------------------------------------------------------- */

/* Over `size` bytes, with the four of the crc32 field taken as 0. */
static uint32_t table_crc(const uint8_t *bytes, uint32_t size) {
  static const uint8_t zeroes[sizeof(uint32_t)];
  const size_t at = offsetof(struct net_handoff, crc32);
  uint32_t crc = crc32_add(CRC32_START, bytes, at);
  crc = crc32_add(crc, zeroes, sizeof(zeroes));
  return ~crc32_add(crc, bytes + at + sizeof(zeroes), size - at - sizeof(zeroes));
}

static uint32_t read_u32(const uint8_t *bytes, size_t offset) {
  uint32_t value;
  memcpy(&value, bytes + offset, sizeof(value));
  return value;
}

/* `size` is what the table's own field says, or what a copy of it said that was checked. */
static void seal(uint8_t *bytes, uint32_t size) {
  uint32_t crc = table_crc(bytes, size);
  memcpy(bytes + offsetof(struct net_handoff, crc32), &crc, sizeof(crc));
}

void net_handoff_seal(void *table) {
  seal(table, read_u32(table, offsetof(struct net_handoff, size)));
}

/* Building ------------------------------------------------------------------------------------------------------- */

static uint32_t image_size(uint32_t nic_count) {
  return (uint32_t)(offsetof(struct net_handoff_image, block) + (size_t)nic_count * NET_HANDOFF_BLOCK_MAX);
}

void net_handoff_init(struct net_handoff_image *image) {
  memset(image, 0, sizeof(*image));
  image->head = (struct net_handoff){
      .magic = NET_HANDOFF_MAGIC,
      .version_major = NET_HANDOFF_VERSION_MAJOR,
      .version_minor = NET_HANDOFF_VERSION_MINOR,
      .size = image_size(0),
      .header_size = sizeof(struct net_handoff),
      .nic_offset = offsetof(struct net_handoff_image, nic),
      .nic_size = sizeof(struct net_handoff_nic),
      .payload_offset = offsetof(struct net_handoff_image, payload),
      .payload_size = sizeof(struct net_handoff_payload),
      .source_offset = offsetof(struct net_handoff_image, source),
  };
}

bool net_handoff_is_ours(const void *table) {
  struct net_handoff head;
  memcpy(&head, table, sizeof(head));
  return head.magic == NET_HANDOFF_MAGIC && head.version_major == NET_HANDOFF_VERSION_MAJOR &&
         head.version_minor == NET_HANDOFF_VERSION_MINOR && head.nic_count <= NET_HANDOFF_NICS_MAX &&
         head.size == image_size(head.nic_count) && head.header_size == sizeof(struct net_handoff) &&
         head.nic_offset == offsetof(struct net_handoff_image, nic) &&
         head.nic_size == sizeof(struct net_handoff_nic) &&
         head.payload_offset == offsetof(struct net_handoff_image, payload) &&
         head.payload_size == sizeof(struct net_handoff_payload) && head.payload_count <= NET_HANDOFF_PAYLOADS_MAX &&
         head.source_offset == offsetof(struct net_handoff_image, source) &&
         head.source_size <= NET_HANDOFF_SOURCE_MAX && head.crc32 == table_crc(table, head.size);
}

struct net_handoff_nic *net_handoff_add(struct net_handoff_image *image, uint32_t kind, uint32_t size) {
  uint32_t index = image->head.nic_count;
  if(index >= NET_HANDOFF_NICS_MAX || size > NET_HANDOFF_BLOCK_MAX) {
    return NULL;
  }
  struct net_handoff_nic *nic = &image->nic[index];
  memset(nic, 0, sizeof(*nic));
  memset(image->block[index], 0, sizeof(image->block[index]));
  nic->block_kind = kind;
  nic->block_offset = image_size(index);
  nic->block_size = size;
  image->head.nic_count = index + 1U;
  image->head.size = image_size(index + 1U);
  return nic;
}

bool net_handoff_stage(struct net_handoff_image *image, const char *source, const struct net_handoff_payload *payloads,
                       size_t count) {
  size_t length = 0; /* counted here: a kernel that vendors this need not have strlen, and a long one ends early */
  while(source && length < NET_HANDOFF_SOURCE_MAX && source[length] != '\0') {
    length++;
  }
  if(length >= NET_HANDOFF_SOURCE_MAX || count > NET_HANDOFF_PAYLOADS_MAX) {
    return false;
  }
  memset(image->source, 0, sizeof(image->source));
  memset(image->payload, 0, sizeof(image->payload));
  if(length > 0) {
    memcpy(image->source, source, length);
  }
  if(count > 0) {
    memcpy(image->payload, payloads, count * sizeof(*payloads));
  }
  image->head.source_size = length > 0 ? (uint32_t)((length + UNIT) / UNIT * UNIT) : 0;
  image->head.payload_count = (uint32_t)count;
  return true;
}

void *net_handoff_block(struct net_handoff_image *image, const struct net_handoff_nic *nic) {
  return image->block[nic - image->nic];
}

void net_handoff_export(const struct netdev *dev, struct net_handoff_nic *nic) {
  memcpy(nic->permanent_mac, dev->permanent_mac, NETDEV_MAC_LENGTH);
  memcpy(nic->current_mac, dev->mac, NETDEV_MAC_LENGTH);
  nic->link_up = dev->link.up;
  nic->full_duplex = dev->link.full_duplex;
  nic->speed_mbps = dev->link.speed_mbps;
  nic->mtu = NETDEV_MTU;
  nic->filter = dev->filter;
  nic->multicast_count = dev->multicast_count;
  memcpy(nic->multicast, dev->multicast, sizeof(nic->multicast));
  nic->statistics = (struct net_handoff_statistics){
      .rx_frames = dev->stats.rx_frames,
      .rx_bytes = dev->stats.rx_bytes,
      .rx_errors = dev->stats.rx_errors,
      .rx_missed = dev->stats.rx_missed,
      .tx_frames = dev->stats.tx_frames,
      .tx_bytes = dev->stats.tx_bytes,
      .tx_errors = dev->stats.tx_errors,
      .link_changes = dev->stats.link_changes,
  };
}

const struct net_driver *net_handoff_family(uint32_t kind) {
  for(size_t i = 0; net_drivers[i]; i++) {
    if(kind != NET_HANDOFF_BLOCK_NONE && net_drivers[i]->handoff_kind == kind) {
      return net_drivers[i];
    }
  }
  return NULL;
}

/* Showing -------------------------------------------------------------------------------------------------------- */

void net_handoff_show_rows(const struct net_handoff_shown *rows, size_t count, netdev_visitor visitor, void *ctx) {
  for(size_t i = 0; i < count; i++) {
    const struct netdev_row row = {.group = NETDEV_ROWS_RINGS,
                                   .name = rows[i].name,
                                   .count = 1,
                                   .value = rows[i].value,
                                   .unit = rows[i].unit,
                                   .text = rows[i].text};
    visitor(ctx, &row);
  }
}

/* Checks: header and places -------------------------------------------------------------------------------------- */

static const char *check_prefix(const uint8_t *bytes, size_t available, uint32_t *size) {
  struct net_handoff head = {0};
  if(available < PREFIX_SIZE) {
    return "shorter than its header";
  }
  memcpy(&head, bytes, PREFIX_SIZE);
  if(head.magic != NET_HANDOFF_MAGIC) {
    return "the magic number is wrong";
  }
  if(head.version_major < NET_HANDOFF_VERSION_MAJOR) {
    return "of an older major version, which this one does not read";
  }
  if(head.version_major > NET_HANDOFF_VERSION_MAJOR) {
    return "of a newer major version, which this one does not read";
  }
  if(head.size > NET_HANDOFF_MAX_SIZE || head.size > available || head.size < NET_HANDOFF_HEADER_SIZE_2_0) {
    return "the size is out of range";
  }
  *size = head.size;
  return head.crc32 == table_crc(bytes, head.size) ? NULL : "the CRC is wrong";
}

/* As much as both sides know; what only this one knows is zero. */
static void copy_known(void *to, size_t known, const uint8_t *from, size_t given) {
  memset(to, 0, known);
  memcpy(to, from, given < known ? given : known);
}

/* Whether `count` pieces of `size` bytes from `offset` on lie in the table, behind its header. All sums fit: counts are
 * small, sizes and offsets 32 bits in 64-bit arithmetic. */
static bool fits(const struct net_handoff *head, uint32_t offset, uint32_t size, uint32_t count) {
  return offset % UNIT == 0 && size % UNIT == 0 && offset >= head->header_size &&
         offset + (uint64_t)count * size <= head->size;
}

/* `size` is the table's, as it was checked: nothing is read a second time to decide how far to read. */
static const char *check_header(const uint8_t *bytes, uint32_t size, struct net_handoff *head) {
  uint32_t header_size = read_u32(bytes, offsetof(struct net_handoff, header_size));
  if(header_size < NET_HANDOFF_HEADER_SIZE_2_0 || header_size > size) {
    return "the header's size is out of range";
  }
  copy_known(head, sizeof(*head), bytes, header_size);
  head->size = size;
  head->header_size = header_size;
  if(head->nic_count == 0 || head->nic_count > NET_HANDOFF_NICS_MAX) {
    return "the number of controllers is out of range";
  }
  if(head->payload_count > NET_HANDOFF_PAYLOADS_MAX) {
    return "the number of payloads is out of range";
  }
  if(head->nic_size < NET_HANDOFF_NIC_SIZE_2_0 || !fits(head, head->nic_offset, head->nic_size, head->nic_count)) {
    return "the controllers do not fit the table";
  }
  if(head->payload_count > 0 && (head->payload_size < NET_HANDOFF_PAYLOAD_SIZE_2_0 ||
                                 !fits(head, head->payload_offset, head->payload_size, head->payload_count))) {
    return "the payloads do not fit the table";
  }
  if(head->source_size > NET_HANDOFF_SOURCE_MAX ||
     (head->source_size > 0 &&
      (head->source_offset < head->header_size || head->source_offset + (uint64_t)head->source_size > head->size))) {
    return "the boot source does not fit the table";
  }
  return NULL;
}

/* Checks: ranges ------------------------------------------------------------------------------------------------- */

static bool range_valid(uint64_t start, uint64_t size) {
  return start != 0 && size != 0 && start + size > start;
}

static bool apart(uint64_t left, uint64_t left_size, uint64_t right, uint64_t right_size) {
  return left >= right + right_size || right >= left + left_size;
}

static void reserve(struct net_handoff_copy *copy, uint64_t start, uint64_t size) {
  copy->range[copy->range_count++] = (struct net_handoff_range){start, size};
}

static const char *check_overlap(const struct net_handoff_copy *copy) {
  for(uint32_t i = 0; i < copy->range_count; i++) {
    for(uint32_t j = 0; j < i; j++) {
      if(!apart(copy->range[i].start, copy->range[i].size, copy->range[j].start, copy->range[j].size)) {
        return "rings, buffers, registers, payloads or the table overlap";
      }
    }
  }
  return NULL;
}

/* What the device would reach under the same address. Other devices may have other addresses for the same memory. */
static const char *check_spans(struct net_handoff_copy *copy, const struct net_handoff_span *spans, uint32_t count) {
  for(uint32_t i = 0; i < count; i++) {
    if(!range_valid(spans[i].physical, spans[i].size) || !range_valid(spans[i].device, spans[i].size)) {
      return "a ring's or queue's addresses are out of range";
    }
    for(uint32_t j = 0; j < i; j++) {
      if(!apart(spans[i].device, spans[i].size, spans[j].device, spans[j].size)) {
        return "rings or buffers overlap for the device";
      }
    }
    reserve(copy, spans[i].physical, spans[i].size);
  }
  return NULL;
}

/* Checks: entries ------------------------------------------------------------------------------------------------ */

/* Whatever else an entry says means nothing, and must not spoil the rest of the table. */
static bool has_rings(const struct net_handoff_nic *nic) {
  return nic->state == NET_HANDOFF_QUIET || nic->state == NET_HANDOFF_LIVE;
}

static const char *check_bars(struct net_handoff_copy *copy, const struct net_handoff_nic *nic) {
  for(uint32_t i = 0; i < NET_HANDOFF_BARS; i++) {
    const struct net_handoff_bar *bar = &nic->bar[i];
    bool memory = bar->flags & NET_HANDOFF_BAR_MEMORY;
    if(bar->size == 0) {
      continue;
    }
    if(!range_valid(bar->processor, bar->size) || !range_valid(bar->bus, bar->size) ||
       memory == ((bar->flags & NET_HANDOFF_BAR_IO) != 0)) {
      return "a BAR is out of range";
    }
    if(memory && has_rings(nic)) {
      reserve(copy, bar->processor, bar->size);
    }
  }
  return NULL;
}

static const char *check_block(struct net_handoff_copy *copy, const uint8_t *bytes, uint32_t index) {
  const struct net_handoff_nic *nic = &copy->nic[index];
  const struct net_driver *family = net_handoff_family(nic->block_kind);
  if(nic->block_size > 0 && !fits(&copy->head, nic->block_offset, nic->block_size, 1)) {
    return "a block does not fit the table";
  }
  if(nic->block_size > 0) {
    copy_known(copy->block[index], sizeof(copy->block[index]), bytes + nic->block_offset, nic->block_size);
  }
  if(!family || !has_rings(nic)) {
    return NULL;
  }
  if(nic->block_size < family->handoff_size_min) {
    return "a block is shorter than its kind";
  }
  struct net_handoff_span spans[NET_HANDOFF_SPANS_MAX];
  uint32_t count = 0;
  const char *problem = family->handoff_judge(nic, copy->block[index], spans, &count);
  return problem ? problem : check_spans(copy, spans, count);
}

static const char *check_nic(struct net_handoff_copy *copy, const uint8_t *bytes, uint32_t index) {
  const struct net_handoff_nic *nic = &copy->nic[index];
  if(nic->state < NET_HANDOFF_ARMED_QUIET || nic->state > NET_HANDOFF_ADOPTED) {
    return "the state is unknown";
  }
  if(nic->path_count > NET_HANDOFF_PATH_MAX) {
    return "the path is too long";
  }
  if(!netdev_mac_valid(nic->permanent_mac) || !netdev_mac_valid(nic->current_mac)) {
    return "an address is no station address";
  }
  if(nic->multicast_count > NET_HANDOFF_MULTICAST_MAX) {
    return "too many multicast addresses";
  }
  const char *problem = check_bars(copy, nic);
  return problem ? problem : check_block(copy, bytes, index);
}

static const char *check_nics(struct net_handoff_copy *copy, const uint8_t *bytes) {
  const struct net_handoff *head = &copy->head;
  for(uint32_t i = 0; i < head->nic_count; i++) {
    copy_known(&copy->nic[i], sizeof(copy->nic[i]), bytes + head->nic_offset + (size_t)i * head->nic_size,
               head->nic_size);
    const char *problem = check_nic(copy, bytes, i);
    if(problem) {
      return problem;
    }
  }
  return NULL;
}

static const char *check_payloads(struct net_handoff_copy *copy, const uint8_t *bytes) {
  const struct net_handoff *head = &copy->head;
  for(uint32_t i = 0; i < head->payload_count; i++) {
    struct net_handoff_payload *payload = &copy->payload[i];
    copy_known(payload, sizeof(*payload), bytes + head->payload_offset + (size_t)i * head->payload_size,
               head->payload_size);
    if(payload->name[sizeof(payload->name) - 1] != '\0') {
      return "a payload's name does not end";
    }
    if(!range_valid(payload->physical, payload->size)) {
      return "a payload's address is out of range";
    }
    reserve(copy, payload->physical, payload->size);
  }
  return NULL;
}

static const char *check_source(struct net_handoff_copy *copy, const uint8_t *bytes) {
  uint32_t size = copy->head.source_size;
  if(size == 0) {
    return NULL;
  }
  copy_known(copy->source, sizeof(copy->source), bytes + copy->head.source_offset, size);
  return copy->source[size - 1U] == '\0' ? NULL : "the boot source does not end";
}

const char *net_handoff_validate(const void *table, size_t available, uint64_t physical,
                                 struct net_handoff_copy *copy) {
  const uint8_t *bytes = table;
  uint32_t size = 0;
  memset(copy, 0, sizeof(*copy));
  const char *problem = check_prefix(bytes, available, &size);
  if(!problem) {
    problem = check_header(bytes, size, &copy->head);
  }
  if(!problem) {
    reserve(copy, physical, copy->head.size);
    problem = check_nics(copy, bytes);
  }
  if(!problem) {
    problem = check_payloads(copy, bytes);
  }
  if(!problem) {
    problem = check_source(copy, bytes);
  }
  return problem ? problem : check_overlap(copy);
}

void net_handoff_mark(void *table, const struct net_handoff *head, uint32_t index, uint8_t state) {
  uint8_t *bytes = table;
  bytes[head->nic_offset + (size_t)index * head->nic_size + offsetof(struct net_handoff_nic, state)] = state;
  seal(bytes, head->size);
}
