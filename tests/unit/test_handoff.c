/* test_handoff.c - the handoff table: 10,000 that are wrong, and what a right one may hold. */
#include <stdlib.h>

#include "handoff_2_0.h"
#include "handoff_hostile.h"

static uint32_t refused;

static void expect_refused(const struct net_handoff_image *table, size_t available) {
  struct net_handoff_copy copy;
  /* Exactly so many bytes, so that the sanitizer sees a read beyond them. */
  uint8_t *exact = malloc(available ? available : 1);
  assert_non_null(exact);
  memcpy(exact, table, available);
  assert_non_null(net_handoff_validate(exact, available, TABLE_AT, &copy));
  free(exact);
  refused++;
}

static void test_every_byte_flipped(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  refused = 0;
  for(size_t i = 0; i < 2U * bench.table.head.size; i++) {
    uint8_t *byte = (uint8_t *)&bench.table + i / 2U;
    uint8_t before = *byte;
    *byte ^= (uint8_t)(1U << i % 8U);
    expect_refused(&bench.table, sizeof(bench.table));
    *byte = before;
  }
  for(size_t size = 0; size < bench.table.head.size; size += 3) {
    expect_refused(&bench.table, size); /* cut short */
  }
  assert_true(refused > 10000);
  print_message("handoff: %u damaged tables refused\n", refused);
  end(&bench);
}

/* A hostile producer sets the CRC right. */
static void test_hostile_tables(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  for(size_t i = 0; i < HOSTILE_COUNT; i++) {
    struct net_handoff_image table = bench.table;
    hostile_tables[i](&table);
    net_handoff_seal(&table);
    expect_refused(&table, sizeof(table));
  }
  end(&bench);
}

/* What lies apart is not taken for an overlap, and the addresses of a lost entry count for nothing. */
static void test_several_that_lie_apart(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff_image *table = &bench.table;
  while(table->head.nic_count < NET_HANDOFF_NICS_MAX) {
    (void)add_nic(table);
  }
  add_payload(table, TABLE_AT - 4096U);
  while(table->head.payload_count < NET_HANDOFF_PAYLOADS_MAX) {
    add_payload(table, PAYLOAD_AT + table->head.payload_count * 4096U);
  }
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  table->nic[1].bar[0] = table->nic[0].bar[0];
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "rings, buffers, registers, payloads or the table overlap");
  table->nic[1].state = NET_HANDOFF_LOST;
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  end(&bench);
}

/* What is of one entry in a table with one: header, entry, block. By the number of a byte of these, its offset. */
#define ENTRY_END  (offsetof(struct net_handoff_image, nic) + sizeof(struct net_handoff_nic))
#define KNOWN_SIZE (ENTRY_END + sizeof(struct net_handoff_e1000))

static size_t known_offset(size_t number) {
  return number < ENTRY_END ? number : offsetof(struct net_handoff_image, block) + (number - ENTRY_END);
}

/* With the CRC right: refused, or adopted and then harmless. True when it was adopted; the controller is then as
 * before. */
static bool adopts(struct bench *bench, struct net_handoff_image *table) {
  struct net_handoff_copy copy;
  struct netdev *dev = NULL;
  if(table->head.size >= sizeof(table->head) && table->head.size <= sizeof(*table)) {
    net_handoff_seal(table);
  }
  if(net_handoff_validate(table, sizeof(*table), TABLE_AT, &copy) ||
     e1000_adopt(sim_platform(bench->sim), &copy.nic[0], copy.block[0], own_memory, &dev) != NETDEV_OK) {
    return false;
  }
  assert_true(table->head.size <= sizeof(*table));
  assert_true(dev->multicast_count <= NETDEV_MAX_MULTICAST);
  assert_true(netdev_mac_valid(dev->mac) && netdev_mac_valid(dev->permanent_mac));
  unit_check(bench->sim, dev);
  if(copy.nic[0].state == NET_HANDOFF_QUIET) {
    assert_int_equal(sim_peek(bench->sim, E1000_RCTL), ((const struct net_handoff_e1000 *)copy.block[0])->rctl);
    netdev_quiesce(dev);
  }
  dev->state = NETDEV_CLOSED; /* leaves the controller to the next */
  netdev_destroy(dev);
  return true;
}

static void test_every_bit(void **state) {
  (void)state;
  for(uint8_t mode = NET_HANDOFF_QUIET; mode <= NET_HANDOFF_LIVE; mode++) {
    struct bench bench;
    uint32_t adopted = 0;
    begin(&bench, 0x10D3);
    leave(&bench, mode);
    for(size_t bit = 0; bit < KNOWN_SIZE * 8U; bit++) {
      struct net_handoff_image table = bench.table;
      ((uint8_t *)&table)[known_offset(bit / 8U)] ^= (uint8_t)(1U << bit % 8U);
      adopted += adopts(&bench, &table);
    }
    assert_true(adopted > 0); /* statistics, lease, PCI place: nothing that a device could contradict */
    end(&bench);
  }
}

/* Every field at its limits. A field lies at a multiple of its size, so every word of every size has them all. */
static void test_every_field_at_its_limits(void **state) {
  (void)state;
  const uint64_t values[] = {0, 1, UINT64_MAX, UINT64_MAX - 1U, 1U << 31};
  for(uint8_t mode = NET_HANDOFF_QUIET; mode <= NET_HANDOFF_LIVE; mode++) {
    struct bench bench;
    uint32_t words = 0;
    uint32_t adopted = 0;
    begin(&bench, 0x10D3);
    leave(&bench, mode);
    for(size_t size = 1; size <= sizeof(uint64_t); size *= 2) {
      for(size_t at = 0; at < KNOWN_SIZE; at += size) {
        for(size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
          struct net_handoff_image table = bench.table;
          memcpy((uint8_t *)&table + known_offset(at), &values[i], size); /* little-endian: the low bytes */
          adopted += adopts(&bench, &table);
          words++;
        }
      }
    }
    assert_true(adopted > 0);
    print_message("handoff: %u values, %u adopted, the others refused\n", words, adopted);
    end(&bench);
  }
}

static void test_payloads(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff_image *table = &bench.table;
  table->head.payload_count = 1;
  table->payload[0] = (struct net_handoff_payload){.name = "kernel.elf", .physical = PAYLOAD_AT, .size = 4096};
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  assert_memory_equal(&copy.payload[0], &table->payload[0], sizeof(copy.payload[0]));
  memset(table->payload[0].name, 'x', sizeof(table->payload[0].name));
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "a payload's name does not end");
  table->payload[0].name[0] = '\0';
  table->payload[0].name[sizeof(table->payload[0].name) - 1] = '\0';
  table->payload[0].size = UINT64_MAX;
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "a payload's address is out of range");
  end(&bench);
}

/* One entry more than there may be, in a table as large as a table may be: nothing but its number is wrong with it. */
static void test_one_entry_too_many(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  uint8_t *memory = calloc(1, NET_HANDOFF_MAX_SIZE);
  assert_non_null(memory);
  struct net_handoff_image *table = (struct net_handoff_image *)memory;
  *table = bench.table;
  table->head.size = NET_HANDOFF_MAX_SIZE;
  table->head.nic_offset = NET_HANDOFF_MAX_SIZE / 4U;
  table->head.payload_offset = NET_HANDOFF_MAX_SIZE / 2U;
  table->nic[0].state = NET_HANDOFF_LOST;
  for(uint32_t i = 0; i <= NET_HANDOFF_NICS_MAX; i++) {
    memcpy(memory + table->head.nic_offset + (size_t)i * table->head.nic_size, &table->nic[0], sizeof(table->nic[0]));
  }
  for(uint32_t i = 0; i <= NET_HANDOFF_PAYLOADS_MAX; i++) {
    const struct net_handoff_payload payload = {.physical = PAYLOAD_AT + i * 4096ULL, .size = 4096};
    memcpy(memory + table->head.payload_offset + (size_t)i * table->head.payload_size, &payload, sizeof(payload));
  }
  const struct {
    uint32_t nics;
    uint32_t payloads;
    const char *problem;
  } cases[] = {
      {NET_HANDOFF_NICS_MAX, NET_HANDOFF_PAYLOADS_MAX, ""},
      {NET_HANDOFF_NICS_MAX + 1U, NET_HANDOFF_PAYLOADS_MAX, "the number of controllers is out of range"},
      {NET_HANDOFF_NICS_MAX, NET_HANDOFF_PAYLOADS_MAX + 1U, "the number of payloads is out of range"},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    table->head.nic_count = cases[i].nics;
    table->head.payload_count = cases[i].payloads;
    net_handoff_seal(table);
    const char *problem = net_handoff_validate(memory, NET_HANDOFF_MAX_SIZE, TABLE_AT, &copy);
    assert_string_equal(problem ? problem : "", cases[i].problem);
  }
  free(memory);
  end(&bench);
}

/* A table that today's code knows: what HANDOFF.md says of each byte is what comes out. */
static void test_table_of_2_0(void **state) {
  (void)state;
  struct net_handoff_copy copy;
  const char *problem = net_handoff_validate(handoff_2_0, sizeof(handoff_2_0), TABLE_AT, &copy);
  assert_string_equal(problem ? problem : "", "");
  const struct net_handoff_nic *nic = &copy.nic[0];
  const struct net_handoff_e1000 *e1000 = (const struct net_handoff_e1000 *)copy.block[0];
  const struct net_handoff_virtio_net *virtio = (const struct net_handoff_virtio_net *)copy.block[1];
  assert_int_equal(copy.head.nic_count, 2);
  assert_int_equal(nic->pci_bus, 2);
  assert_int_equal(nic->pci_device, 3);
  assert_int_equal(nic->pci_function, 1);
  assert_int_equal(nic->state, NET_HANDOFF_LIVE);
  assert_int_equal(nic->path_count, 2);
  assert_int_equal(nic->path[1].bus, 1);
  assert_int_equal(nic->path[1].device, 4);
  assert_int_equal(nic->path[1].function, 2);
  assert_int_equal(nic->flags, NET_HANDOFF_PATH_KNOWN | NET_HANDOFF_COHERENT | NET_HANDOFF_ASPM_OFF);
  assert_int_equal(nic->bar[0].processor, 0x880000000ULL);
  assert_int_equal(nic->bar[0].bus, 0x80000000U);
  assert_int_equal(nic->bar[2].flags, NET_HANDOFF_BAR_IO);
  assert_memory_equal(nic->current_mac, "\x02\x04\x06\x08\x10\xFF", 6);
  assert_int_equal(nic->speed_mbps, 1000);
  assert_int_equal(nic->mtu, 1500);
  assert_int_equal(nic->lease.dns[0][3], 3);
  assert_int_equal(nic->lease.seconds, 86400);
  assert_int_equal(nic->lease.obtained, 1790000000);
  assert_int_equal(nic->statistics.link_changes, 8);
  assert_int_equal(e1000->rx.published, 255);
  assert_int_equal(e1000->tx.tail, 12);
  assert_int_equal(e1000->rctl, 0x04008002U);
  assert_int_equal(e1000->mta[0], 1);
  assert_int_equal(virtio->queue_count, 3);
  assert_int_equal(virtio->queue[0].in_flight[7], UINT32_MAX);
  assert_int_equal(virtio->queue[0].in_flight[8], 0);
  assert_int_equal(virtio->queue[2].notify_offset, 0x3008);
  assert_int_equal(virtio->queue[2].size, 64);
  assert_int_equal(copy.payload[0].sha256[31], 31);
  assert_string_equal(copy.source, "http://10.0.2.2/kernel.efi");
}

struct seen {
  uint32_t rows;
  uint64_t sum;
};

static void see(void *ctx, const struct netdev_row *row) {
  struct seen *seen = ctx;
  assert_int_equal(row->group, NETDEV_ROWS_RINGS);
  assert_true(row->name && row->text && row->count == 1 && !row->unread && !row->failed);
  seen->rows++;
  seen->sum += row->value;
}

/* Every number of both rings and of the queues, and a few more, once. */
static void test_shown(void **state) {
  (void)state;
  struct net_handoff_copy copy;
  struct seen seen = {0};
  assert_null(net_handoff_validate(handoff_2_0, sizeof(handoff_2_0), TABLE_AT, &copy));
  const struct net_handoff_e1000 *block = (const struct net_handoff_e1000 *)copy.block[0];
  const struct net_handoff_e1000_ring *rings[] = {&block->rx, &block->tx};
  uint64_t sum = (uint64_t)block->rctl + block->tctl;
  for(size_t i = 0; i < 2; i++) {
    sum += rings[i]->descriptors + rings[i]->descriptors_device + rings[i]->buffers + rings[i]->buffers_device;
    sum += (uint64_t)rings[i]->count + rings[i]->head + rings[i]->published + rings[i]->tail;
  }
  assert_ptr_equal(net_handoff_family(NET_HANDOFF_BLOCK_E1000), &e1000_driver);
  assert_null(net_handoff_family(NET_HANDOFF_BLOCK_NONE));
  assert_null(net_handoff_family(77));
  e1000_driver.handoff_show(block, see, &seen);
  assert_int_equal(seen.rows, 18);
  assert_int_equal(seen.sum, sum);

  const struct net_handoff_virtio_net *virtio = (const struct net_handoff_virtio_net *)copy.block[1];
  seen = (struct seen){0};
  sum = virtio->features + virtio->device_status + 256U; /* in flight: all that receives */
  for(size_t i = 0; i < 3; i++) {
    const struct net_handoff_virtio_queue *queue = &virtio->queue[i];
    sum += 2U * (queue->descriptors + queue->available + queue->used + queue->buffers); /* the device's are the same */
    sum += (uint64_t)queue->size + queue->available_index + queue->used_last + queue->msix_vector;
  }
  net_handoff_family(NET_HANDOFF_BLOCK_VIRTIO_NET)->handoff_show(virtio, see, &seen);
  assert_int_equal(seen.rows, 2 + 3 * 13);
  assert_int_equal(seen.sum, sum);
}

#define ADDED 32U /* bytes by which everything grows in a later version */

/* Takes a piece of the old table, and something unknown behind it, to the new one. Where it went. */
static uint32_t widen(uint8_t *to, uint32_t *at, uint32_t from, uint32_t size) {
  uint32_t place = *at;
  memcpy(to + place, handoff_2_0 + from, size);
  memset(to + place + size, 0xEE, ADDED);
  *at += size + ADDED;
  return place;
}

/* A newer minor has a longer header, and longer entries, payloads and blocks: an older consumer steps over what it does
 * not know. */
static void test_newer_minor(void **state) {
  (void)state;
  static uint8_t memory[2U * sizeof(handoff_2_0)];
  struct net_handoff_copy old;
  struct net_handoff_copy new;
  uint32_t at = 0;
  assert_null(net_handoff_validate(handoff_2_0, sizeof(handoff_2_0), TABLE_AT, &old));
  (void)widen(memory, &at, 0, old.head.header_size);
  struct net_handoff *head = (struct net_handoff *)memory;
  head->version_minor = 7;
  head->header_size += ADDED;
  head->nic_size += ADDED;
  head->payload_size += ADDED;
  for(uint32_t i = 0; i < 2; i++) {
    uint32_t place = widen(memory, &at, old.head.nic_offset + i * old.head.nic_size, old.head.nic_size);
    head->nic_offset = i == 0 ? place : head->nic_offset;
  }
  head->payload_offset = widen(memory, &at, old.head.payload_offset, old.head.payload_size);
  head->source_offset = widen(memory, &at, old.head.source_offset, 32);
  for(uint32_t i = 0; i < 2; i++) {
    struct net_handoff_nic *nic = (struct net_handoff_nic *)(memory + head->nic_offset + i * head->nic_size);
    nic->block_offset = widen(memory, &at, old.nic[i].block_offset, old.nic[i].block_size);
    nic->block_size += ADDED;
  }
  head->size = at;
  net_handoff_seal(memory);

  const char *problem = net_handoff_validate(memory, at, TABLE_AT, &new);
  assert_string_equal(problem ? problem : "", "");
  for(uint32_t i = 0; i < 2; i++) {
    old.nic[i].block_offset = new.nic[i].block_offset;
    old.nic[i].block_size += ADDED;
    assert_memory_equal(&new.nic[i], &old.nic[i], sizeof(new.nic[i]));
    assert_memory_equal(new.block[i], old.block[i],
                        i == 0 ? NET_HANDOFF_E1000_SIZE_2_0 : NET_HANDOFF_VIRTIO_NET_SIZE_2_0);
  }
  assert_memory_equal(&new.payload[0], &old.payload[0], sizeof(new.payload[0]));
  assert_string_equal(new.source, old.source);

  net_handoff_mark(memory, &new.head, 1, NET_HANDOFF_ADOPTED);
  assert_null(net_handoff_validate(memory, at, TABLE_AT, &new));
  assert_int_equal(new.nic[0].state, NET_HANDOFF_LIVE);
  assert_int_equal(new.nic[1].state, NET_HANDOFF_ADOPTED);
}

/* Another family's entry, or one of a family that is not made yet, is no fault of the table. */
static void test_unknown_kinds(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff_nic *other = clone_nic(&bench.table);
  other->bar[0].processor += E1000_BAR0_MIN_SIZE;
  other->block_kind = 77;
  other->block_size = 8;
  net_handoff_seal(&bench.table);
  assert_string_equal(judge(&bench.table, &copy), "");
  assert_int_equal(copy.nic[1].block_kind, 77);
  other->block_kind = NET_HANDOFF_BLOCK_NONE;
  other->block_size = 0;
  net_handoff_seal(&bench.table);
  assert_string_equal(judge(&bench.table, &copy), "");
  end(&bench);
}

/* What is said of a table of another version, before anything else of it is looked at. */
static void test_other_majors(void **state) {
  (void)state;
  struct net_handoff_copy copy;
  struct net_handoff head = {.magic = NET_HANDOFF_MAGIC, .version_major = 1, .size = UINT32_MAX};
  assert_string_equal(net_handoff_validate(&head, sizeof(head), TABLE_AT, &copy),
                      "of an older major version, which this one does not read");
  head.version_major = 3;
  assert_string_equal(net_handoff_validate(&head, sizeof(head), TABLE_AT, &copy),
                      "of a newer major version, which this one does not read");
}

static void test_boot_source(void **state) {
  (void)state;
  static const char url[] = "http://10.0.2.2/kernel.efi";
  struct bench bench;
  struct net_handoff_copy copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  memcpy(bench.table.source, url, sizeof(url));
  bench.table.head.source_size = sizeof(url);
  net_handoff_seal(&bench.table);
  assert_string_equal(judge(&bench.table, &copy), "");
  assert_string_equal(copy.source, url);
  end(&bench);
}

/* Whose table it is: a producer adds to no other. */
static void test_is_ours(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_true(net_handoff_is_ours(&bench.table));
  struct net_handoff *head = &bench.table.head;
  uint32_t *const fields[] = {&head->size,           &head->header_size,  &head->nic_offset,   &head->nic_size,
                              &head->payload_offset, &head->payload_size, &head->source_offset};
  for(size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    *fields[i] += 8U;
    net_handoff_seal(&bench.table);
    assert_false(net_handoff_is_ours(&bench.table));
    *fields[i] -= 8U;
  }
  net_handoff_seal(&bench.table);
  assert_true(net_handoff_is_ours(&bench.table));
  head->version_minor++;
  net_handoff_seal(&bench.table);
  assert_false(net_handoff_is_ours(&bench.table));
  head->version_minor--;
  assert_false(net_handoff_is_ours(&bench.table)); /* its CRC is the other's */
  net_handoff_seal(&bench.table);
  head->nic_count = UINT32_MAX;
  assert_false(net_handoff_is_ours(&bench.table));
  end(&bench);
}

/* The handoff's flags are the core's: one is written where the other is read. */
static void test_one_set_of_flags(void **state) {
  (void)state;
  assert_int_equal(NET_HANDOFF_FILTER_UNICAST, NETDEV_FILTER_UNICAST);
  assert_int_equal(NET_HANDOFF_FILTER_MULTICAST, NETDEV_FILTER_MULTICAST);
  assert_int_equal(NET_HANDOFF_FILTER_BROADCAST, NETDEV_FILTER_BROADCAST);
  assert_int_equal(NET_HANDOFF_FILTER_PROMISCUOUS, NETDEV_FILTER_PROMISCUOUS);
  assert_int_equal(NET_HANDOFF_FILTER_ALL_MULTICAST, NETDEV_FILTER_ALL_MULTICAST);
  assert_int_equal(NET_HANDOFF_MULTICAST_MAX, NETDEV_MAX_MULTICAST);
}

/* The mark is the only change, and the table is as good as before. */
static void test_mark(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  (void)add_nic(&bench.table);
  net_handoff_seal(&bench.table);
  struct net_handoff_image before = bench.table;
  assert_string_equal(judge(&bench.table, &copy), "");
  net_handoff_mark(&bench.table, &copy.head, 1, NET_HANDOFF_ADOPTED);
  assert_int_equal(bench.table.nic[0].state, NET_HANDOFF_LIVE);
  assert_int_equal(bench.table.nic[1].state, NET_HANDOFF_ADOPTED);
  assert_string_equal(judge(&bench.table, &copy), "");
  before.nic[1].state = NET_HANDOFF_ADOPTED;
  before.head.crc32 = bench.table.head.crc32;
  assert_memory_equal(&before, &bench.table, sizeof(before));
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_byte_flipped),
      cmocka_unit_test(test_hostile_tables),
      cmocka_unit_test(test_several_that_lie_apart),
      cmocka_unit_test(test_every_bit),
      cmocka_unit_test(test_every_field_at_its_limits),
      cmocka_unit_test(test_payloads),
      cmocka_unit_test(test_one_entry_too_many),
      cmocka_unit_test(test_table_of_2_0),
      cmocka_unit_test(test_shown),
      cmocka_unit_test(test_newer_minor),
      cmocka_unit_test(test_unknown_kinds),
      cmocka_unit_test(test_other_majors),
      cmocka_unit_test(test_boot_source),
      cmocka_unit_test(test_is_ours),
      cmocka_unit_test(test_one_set_of_flags),
      cmocka_unit_test(test_mark),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
