/* test_handoff_stage.c - a handoff's boot source and payloads, from the producer to what a consumer copies. */
#include "handoff_hostile.h"

static void copy_of(struct bench *bench, struct net_handoff_copy *copy) {
  net_handoff_seal(&bench->table);
  assert_null(net_handoff_validate(&bench->table, sizeof(bench->table), TABLE_AT, copy));
}

static struct net_handoff_payload payload_of(uint64_t number) {
  struct net_handoff_payload payload = {.name = "kernel", .physical = 0x100000 * number, .size = 4096 + number};
  memset(payload.sha256, (int)number, sizeof(payload.sha256));
  return payload;
}

/* As much as there is room for comes out as it went in, and what is said later takes its place. */
static void test_what_was_staged(void **state) {
  struct net_handoff_payload payloads[NET_HANDOFF_PAYLOADS_MAX];
  struct net_handoff_copy copy;
  struct bench bench;
  char longest[NET_HANDOFF_SOURCE_MAX];
  (void)state;
  for(uint32_t i = 0; i < NET_HANDOFF_PAYLOADS_MAX; i++) {
    payloads[i] = payload_of(i + 1U);
  }
  memset(longest, 'u', sizeof(longest) - 1U);
  longest[sizeof(longest) - 1U] = '\0';
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);

  assert_true(net_handoff_stage(&bench.table, longest, payloads, NET_HANDOFF_PAYLOADS_MAX));
  copy_of(&bench, &copy);
  assert_string_equal(copy.source, longest);
  assert_int_equal(copy.head.payload_count, NET_HANDOFF_PAYLOADS_MAX);
  assert_memory_equal(copy.payload, payloads, sizeof(payloads));

  assert_true(net_handoff_stage(&bench.table, "tftp://10.0.2.2/k", payloads + 1, 1));
  copy_of(&bench, &copy);
  assert_string_equal(copy.source, "tftp://10.0.2.2/k");
  assert_int_equal(copy.head.payload_count, 1);
  assert_memory_equal(copy.payload, payloads + 1, sizeof(payloads[0]));

  assert_true(net_handoff_stage(&bench.table, NULL, NULL, 0));
  copy_of(&bench, &copy);
  assert_int_equal(copy.head.source_size, 0);
  assert_string_equal(copy.source, "");
  assert_int_equal(copy.head.payload_count, 0);
  end(&bench);
}

static void test_more_than_fits(void **state) {
  struct net_handoff_payload payloads[NET_HANDOFF_PAYLOADS_MAX + 1U] = {{.name = "a"}};
  struct net_handoff_image before;
  struct bench bench;
  char source[NET_HANDOFF_SOURCE_MAX + 1U];
  (void)state;
  memset(source, 'u', sizeof(source) - 1U);
  source[sizeof(source) - 1U] = '\0';
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_true(net_handoff_stage(&bench.table, "http://10.0.2.2/k", payloads, 1));
  before = bench.table;
  assert_false(net_handoff_stage(&bench.table, source, payloads, 1));
  assert_false(net_handoff_stage(&bench.table, "u", payloads, NET_HANDOFF_PAYLOADS_MAX + 1U));
  assert_memory_equal(&bench.table, &before, sizeof(before));
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_was_staged),
      cmocka_unit_test(test_more_than_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
