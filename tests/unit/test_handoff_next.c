/* test_handoff_next.c - the version rule of the handoff: today's code with tomorrow's structs, before a table of 2.0.
 *
 * The Makefile makes tomorrow's handoff.h out of today's (tests/unit/handoff_next.awk): header, entry, payload and
 * blocks have grown, and the minor version is 1. */
#include "../../driver/net/handoff.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "handoff_2_0.h"

#define TABLE_AT 0x1000000U

static uint32_t judged;

static void assert_none(const uint64_t added[4]) {
  static const uint64_t none[4];
  assert_memory_equal(added, none, sizeof(none));
}

/* What a family adds to its block it finds zero in an older table. */
static const char *judge(const struct net_handoff_nic *nic, const void *block, struct net_handoff_span *spans,
                         uint32_t *count) {
  const struct net_handoff_e1000 *e1000 = block;
  assert_none(nic->added);
  assert_none(e1000->added);
  assert_int_equal(e1000->rctl, 0x04008002U);
  spans[0] = (struct net_handoff_span){e1000->rx.descriptors, e1000->rx.descriptors_device, 4096};
  *count = 1;
  judged++;
  return NULL;
}

static const struct net_driver family = {.name = "tomorrow's",
                                         .handoff_kind = NET_HANDOFF_BLOCK_E1000,
                                         .handoff_size = sizeof(struct net_handoff_e1000),
                                         .handoff_size_min = NET_HANDOFF_E1000_SIZE_2_0,
                                         .handoff_judge = judge};

const struct net_driver *const net_drivers[] = {&family, NULL};

/* The structs have grown by as much as nothing in the table stands for. */
static void test_grown(void **state) {
  (void)state;
  assert_int_equal(NET_HANDOFF_VERSION_MINOR, 1);
  assert_int_equal(sizeof(struct net_handoff), NET_HANDOFF_HEADER_SIZE_2_0 + 32U);
  assert_int_equal(sizeof(struct net_handoff_nic), NET_HANDOFF_NIC_SIZE_2_0 + 32U);
  assert_int_equal(sizeof(struct net_handoff_payload), NET_HANDOFF_PAYLOAD_SIZE_2_0 + 32U);
  assert_int_equal(sizeof(struct net_handoff_e1000), NET_HANDOFF_E1000_SIZE_2_0 + 32U);
}

/* In memory that ends where the table ends, so that the sanitizer sees a read beyond it. */
static void test_older_table(void **state) {
  (void)state;
  struct net_handoff_copy copy;
  uint8_t *exact = malloc(sizeof(handoff_2_0));
  assert_non_null(exact);
  memcpy(exact, handoff_2_0, sizeof(handoff_2_0));
  judged = 0;
  const char *problem = net_handoff_validate(exact, sizeof(handoff_2_0), TABLE_AT, &copy);
  assert_string_equal(problem ? problem : "", "");
  assert_int_equal(judged, 1);
  assert_none(copy.head.added);
  assert_int_equal(copy.head.version_minor, 0);
  for(uint32_t i = 0; i < copy.head.nic_count; i++) {
    assert_none(copy.nic[i].added);
  }
  assert_none(copy.payload[0].added);
  assert_none(((const struct net_handoff_virtio_net *)copy.block[1])->added);
  assert_int_equal(copy.nic[1].device_id, 0x1041);
  assert_int_equal(copy.nic[1].block_kind, NET_HANDOFF_BLOCK_VIRTIO_NET);
  assert_string_equal(copy.payload[0].name, "kernel.efi");
  assert_string_equal(copy.source, "http://10.0.2.2/kernel.efi");

  net_handoff_mark(exact, &copy.head, 1, NET_HANDOFF_ADOPTED);
  problem = net_handoff_validate(exact, sizeof(handoff_2_0), TABLE_AT, &copy);
  assert_string_equal(problem ? problem : "", "");
  assert_int_equal(copy.nic[0].state, NET_HANDOFF_LIVE);
  assert_int_equal(copy.nic[1].state, NET_HANDOFF_ADOPTED);
  free(exact);
}

/* No producer of the next version adds itself to a table of this one. */
static void test_not_ours(void **state) {
  (void)state;
  static struct net_handoff_image image;
  net_handoff_init(&image);
  net_handoff_seal(&image);
  assert_true(net_handoff_is_ours(&image));
  image.head.version_minor = 0;
  net_handoff_seal(&image);
  assert_false(net_handoff_is_ours(&image));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_grown),
      cmocka_unit_test(test_older_table),
      cmocka_unit_test(test_not_ours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
