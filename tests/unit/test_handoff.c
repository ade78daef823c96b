/* test_handoff.c - the handoff table: 10,000 that are wrong, and what a right one may hold. */
#include <stdlib.h>

#include "handoff_hostile.h"

static uint32_t refused;

static void expect_refused(const struct net_handoff *table, size_t available) {
  struct net_handoff copy;
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
  for(size_t i = 0; i < sizeof(bench.table); i++) {
    ((uint8_t *)&bench.table)[i] ^= (uint8_t)(1U << (i % 8U));
    expect_refused(&bench.table, sizeof(bench.table));
    ((uint8_t *)&bench.table)[i] ^= (uint8_t)(1U << (i % 8U));
  }
  for(size_t size = 0; size < sizeof(bench.table); size += 3) {
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
    struct net_handoff table = bench.table;
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
  struct net_handoff copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff *table = &bench.table;
  while(table->nic_count < NET_HANDOFF_NICS_MAX) {
    (void)add_nic(table);
  }
  add_payload(table, TABLE_AT - 4096U);
  while(table->payload_count < NET_HANDOFF_PAYLOADS_MAX) {
    add_payload(table, PAYLOAD_AT + table->payload_count * 4096U);
  }
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  table->nic[1] = table->nic[0];
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "rings, buffers, registers, payloads or the table overlap");
  table->nic[1].state = NET_HANDOFF_LOST;
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  end(&bench);
}

/* Every byte at every bit, with the CRC right: refused, or adopted and then harmless. */
static void test_every_bit_with_a_good_crc(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  uint32_t adopted = 0;
  for(size_t i = 0; i < offsetof(struct net_handoff, nic) + sizeof(struct net_handoff_nic); i++) {
    for(uint32_t bit = 0; bit < 8; bit++) {
      struct net_handoff table = bench.table;
      struct net_handoff copy;
      struct netdev *dev = NULL;
      ((uint8_t *)&table)[i] ^= (uint8_t)(1U << bit);
      uint32_t size = table.size;
      if(size > sizeof(table)) {
        continue; /* refused by its size; sealing it would read beyond */
      }
      net_handoff_seal(&table);
      if(net_handoff_validate(&table, sizeof(table), TABLE_AT, &copy) == NULL &&
         e1000_adopt(sim_platform(bench.sim), &copy.nic[0], own_memory, &dev) == NETDEV_OK) {
        assert_null(e1000_ring_check(&unit_nic(dev)->rx));
        assert_null(e1000_ring_check(&unit_nic(dev)->tx));
        adopted++;
        dev->state = NETDEV_CLOSED; /* leaves the controller to the next */
        e1000_destroy(dev);
      }
    }
  }
  assert_true(adopted > 0); /* statistics, lease, PCI place: nothing that a device could contradict */
  assert_string_equal(sim_violation_text(bench.sim), "");
  end(&bench);
}

static void test_payloads(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff *table = &bench.table;
  table->payload_count = 1;
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

/* A newer minor has longer entries: an older consumer steps over what it does not know. */
static void test_newer_minor(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff *table = &bench.table;
  table->nic[0].state = NET_HANDOFF_LOST; /* twice the same rings would overlap */
  table->version_minor = 7;
  table->nic_size += 64;
  table->nic_count = 2;
  memcpy((uint8_t *)table + table->header_size + table->nic_size, &table->nic[0], sizeof(table->nic[0]));
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  assert_memory_equal(&copy.nic[0], &copy.nic[1], sizeof(copy.nic[0]));
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_byte_flipped),
      cmocka_unit_test(test_hostile_tables),
      cmocka_unit_test(test_several_that_lie_apart),
      cmocka_unit_test(test_every_bit_with_a_good_crc),
      cmocka_unit_test(test_payloads),
      cmocka_unit_test(test_newer_minor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
