/* test_netdev.c - tests of the device-independent half over an operations table that only remembers. */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_netdev.h"

/* Registry ------------------------------------------------------------------------------------------------------- */

static void test_init(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  assert_int_equal(fake.dev.state, NETDEV_CLOSED);
  assert_string_equal(fake.dev.model, "fake");
  assert_memory_equal(fake.dev.mac, unit_mac, 6);
  assert_memory_equal(fake.dev.permanent_mac, unit_mac, 6);
  assert_int_equal(fake.dev.filter, NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST);
}

static void test_registry(void **state) {
  (void)state;
  struct fake fake[4];
  assert_null(netdev_next(NULL));
  for(int i = 0; i < 4; i++) {
    fake_init(&fake[i]);
    assert_int_equal(netdev_register(&fake[i].dev), NETDEV_OK);
    char name[8];
    (void)snprintf(name, sizeof(name), "eth%c", '0' + i);
    assert_string_equal(fake[i].dev.name, name);
  }
  assert_int_equal(netdev_register(&fake[2].dev), NETDEV_E_INVALID);
  assert_int_equal(netdev_register(NULL), NETDEV_E_INVALID);
  struct netdev bare = {0};
  assert_int_equal(netdev_register(&bare), NETDEV_E_INVALID);

  const struct netdev *dev = NULL;
  for(int i = 0; i < 4; i++) {
    dev = netdev_next(dev);
    assert_ptr_equal(dev, &fake[i].dev);
  }
  assert_null(netdev_next(dev));

  netdev_unregister(&fake[1].dev);
  assert_string_equal(fake[1].dev.name, "");
  assert_ptr_equal(netdev_next(&fake[0].dev), &fake[2].dev);
  netdev_unregister(&fake[1].dev); /* harmless */
  netdev_unregister(&fake[0].dev);
  assert_ptr_equal(netdev_next(NULL), &fake[2].dev);

  assert_int_equal(netdev_register(&fake[1].dev), NETDEV_OK);
  assert_string_equal(fake[1].dev.name, "eth0"); /* the lowest free number */
  assert_int_equal(netdev_register(&fake[0].dev), NETDEV_OK);
  assert_string_equal(fake[0].dev.name, "eth1");
  for(int i = 0; i < 4; i++) {
    netdev_unregister(&fake[i].dev);
  }
  assert_null(netdev_next(NULL));
}

static void test_unregister_closes(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  assert_int_equal(netdev_register(&fake.dev), NETDEV_OK);
  netdev_unregister(&fake.dev);
  assert_int_equal(fake.closed, 1);
  assert_int_equal(fake.dev.state, NETDEV_CLOSED);
}

static void test_many_names(void **state) {
  (void)state;
  struct fake *fake = calloc(1001, sizeof(*fake));
  assert_non_null(fake);
  for(uint32_t i = 0; i < 1000; i++) {
    fake_init(&fake[i]);
    assert_int_equal(netdev_register(&fake[i].dev), NETDEV_OK);
  }
  assert_string_equal(fake[99].dev.name, "eth99");
  assert_string_equal(fake[999].dev.name, "eth999");
  fake_init(&fake[1000]);
  assert_int_equal(netdev_register(&fake[1000].dev), NETDEV_E_NO_MEMORY);
  netdev_unregister(&fake[537].dev);
  assert_int_equal(netdev_register(&fake[1000].dev), NETDEV_OK);
  assert_string_equal(fake[1000].dev.name, "eth537");
  for(uint32_t i = 0; i <= 1000; i++) {
    netdev_unregister(&fake[i].dev);
  }
  assert_null(netdev_next(NULL));
  free(fake);
}

/* State ---------------------------------------------------------------------------------------------------------- */

static void test_closed_refuses(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  uint8_t frame[60] = {0};
  size_t length = 77;
  struct netdev_frame shown;
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 0), NETDEV_E_STATE);
  assert_int_equal(netdev_peek(&fake.dev, &shown), NETDEV_E_STATE);
  assert_int_equal(netdev_receive(&fake.dev, frame, 60, &length), NETDEV_E_STATE);
  assert_int_equal(netdev_tick(&fake.dev), NETDEV_E_STATE);
  assert_int_equal(netdev_complete(&fake.dev), 0);
  assert_int_equal(netdev_poll(&fake.dev, 10), 0);
  netdev_flush(&fake.dev);
  netdev_release(&fake.dev);
  netdev_close(&fake.dev);
  (void)netdev_get_stats(&fake.dev);
  assert_int_equal(length, 77);
  assert_int_equal(fake.sent + fake.flushed + fake.completed + fake.released + fake.closed + fake.stats + fake.ticks,
                   0);
}

static void test_open_and_close(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  fake.open_result = NETDEV_E_TIMEOUT;
  assert_int_equal(netdev_open(&fake.dev), NETDEV_E_TIMEOUT);
  assert_int_equal(fake.dev.state, NETDEV_CLOSED);
  fake.open_result = NETDEV_OK;
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_E_STATE);
  assert_int_equal(fake.opened, 2);
  assert_int_equal(netdev_set_client(&fake.dev, NULL), NETDEV_OK); /* nobody is told yet */
  netdev_close(&fake.dev);
  netdev_close(&fake.dev);
  assert_int_equal(fake.closed, 1);
  assert_int_equal(netdev_set_client(&fake.dev, NULL), NETDEV_OK);
}

/* A device that is open already: its first client hears of the link, and none after it. */
static void test_client_of_an_open_device(void **state) {
  (void)state;
  for(int member = 0; member < 4; member++) {
    struct fake fake;
    struct unit_client client = {0};
    const struct netdev_client all = {
        .ctx = &client, .tx_done = unit_tx_done, .receive = unit_receive, .link_changed = unit_link_changed};
    const struct netdev_client wanted = {.ctx = &client,
                                         .tx_done = member == 0 ? all.tx_done : NULL,
                                         .receive = member == 1 ? all.receive : NULL,
                                         .link_changed = member >= 2 ? all.link_changed : NULL};
    fake_init(&fake);
    assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
    netdev_link_seen(&fake.dev, (struct netdev_link){.up = member != 3, .speed_mbps = member != 3 ? 100 : 0});
    assert_int_equal(netdev_set_client(&fake.dev, &wanted), NETDEV_OK);
    assert_int_equal(client.links, member == 2 ? 1 : 0);
    assert_int_equal(client.link.speed_mbps, member == 2 ? 100 : 0);
    assert_int_equal(netdev_set_client(&fake.dev, &all), NETDEV_E_STATE);
    assert_int_equal(netdev_set_client(&fake.dev, NULL), NETDEV_E_STATE);
    netdev_link_seen(&fake.dev, (struct netdev_link){.up = true, .speed_mbps = 10});
    assert_int_equal(client.links, member == 2 ? 2 : member == 3 ? 1 : 0);
    netdev_close(&fake.dev);
  }
}

static void test_gone(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  struct unit_client client;
  unit_client_init(&client, &fake.dev, true);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  netdev_link_seen(&fake.dev, (struct netdev_link){.up = true, .speed_mbps = 1000});
  fake.tick_result = NETDEV_E_GONE;
  assert_int_equal(netdev_tick(&fake.dev), NETDEV_E_GONE);
  assert_int_equal(netdev_set_client(&fake.dev, NULL), NETDEV_E_STATE);
  assert_int_equal(fake.dev.state, NETDEV_GONE);
  assert_int_equal(client.links, 2);
  assert_false(client.link.up);

  uint8_t frame[60] = {0};
  uint8_t group[1][6] = {{1}};
  size_t length;
  struct netdev_frame shown;
  fake.waiting = 1;
  assert_int_equal(netdev_tick(&fake.dev), NETDEV_E_GONE);
  assert_int_equal(fake.ticks, 1);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 0), NETDEV_E_GONE);
  assert_int_equal(netdev_peek(&fake.dev, &shown), NETDEV_E_GONE);
  assert_int_equal(netdev_receive(&fake.dev, frame, 60, &length), NETDEV_E_GONE);
  assert_int_equal(netdev_set_mac(&fake.dev, NULL), NETDEV_E_GONE);
  assert_int_equal(netdev_set_filter(&fake.dev, 0, (const uint8_t(*)[6])group, 1), NETDEV_E_GONE);
  assert_int_equal(netdev_poll(&fake.dev, 5), 0);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_E_STATE);
  (void)netdev_get_stats(&fake.dev);
  assert_int_equal(fake.stats + fake.sent + fake.macs + fake.filters, 0);
  netdev_close(&fake.dev);
  assert_int_equal(fake.closed, 1);
  assert_int_equal(fake.dev.state, NETDEV_CLOSED);
}

static void test_other_tick_errors_do_not_end_it(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  fake.tick_result = NETDEV_E_TIMEOUT;
  assert_int_equal(netdev_tick(&fake.dev), NETDEV_E_TIMEOUT);
  assert_int_equal(fake.dev.state, NETDEV_OPEN);
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

static void test_transmit_arguments(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  static const uint8_t frame[2000];
  static const size_t bad[] = {0, 1, 13, 1519, 2000, SIZE_MAX, (size_t)1 << 32 | 60};
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(netdev_transmit(&fake.dev, frame, bad[i], NULL, 0), NETDEV_E_INVALID);
  }
  assert_int_equal(netdev_transmit(&fake.dev, NULL, 60, NULL, 0), NETDEV_E_INVALID);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 2), NETDEV_E_INVALID);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, UINT32_MAX), NETDEV_E_INVALID);
  assert_int_equal(fake.sent + fake.flushed, 0);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 14, NULL, 0), NETDEV_OK);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 1518, NULL, 0), NETDEV_OK);
  assert_int_equal(fake.sent, 2);
}

static void test_more_leaves_the_doorbell(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  uint8_t frame[60] = {0};
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, NETDEV_TX_MORE), NETDEV_OK);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, NETDEV_TX_MORE), NETDEV_OK);
  assert_int_equal(fake.flushed, 0);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 0), NETDEV_OK);
  assert_int_equal(fake.flushed, 1);
  assert_int_equal(fake.out, 3);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, NETDEV_TX_MORE), NETDEV_OK);
  netdev_flush(&fake.dev);
  assert_int_equal(fake.flushed, 2);
}

static void test_busy_flushes_and_completes(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  uint8_t frame[60] = {0};
  for(uint32_t i = 0; i < FAKE_RING; i++) {
    assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, NETDEV_TX_MORE), NETDEV_OK);
  }
  /* All four wait for a doorbell: without one the ring would stay full for ever. */
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, NETDEV_TX_MORE), NETDEV_OK);
  assert_int_equal(fake.flushed, 1);
  assert_int_equal(fake.queued, 1);
  assert_int_equal(fake.dev.stats.tx_busy, 0);

  fake.stuck = true;
  for(uint32_t i = 1; i < FAKE_RING; i++) {
    assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 0), NETDEV_OK);
  }
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 0), NETDEV_E_BUSY);
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 0), NETDEV_E_BUSY);
  assert_int_equal(fake.dev.stats.tx_busy, 2);
  fake.stuck = false;
  assert_int_equal(netdev_transmit(&fake.dev, frame, 60, NULL, 0), NETDEV_OK);
  assert_int_equal(fake.dev.stats.tx_busy, 2);
}

static void test_tx_done_counts(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  netdev_tx_count(&fake.dev, 60, NETDEV_OK);
  netdev_tx_tell(&fake.dev, NULL, NETDEV_OK); /* nobody to tell */
  struct unit_client client;
  unit_client_init(&client, &fake.dev, false);
  netdev_tx_count(&fake.dev, 100, NETDEV_OK);
  netdev_tx_tell(&fake.dev, unit_cookie(3), NETDEV_OK);
  netdev_tx_count(&fake.dev, 100, NETDEV_E_RESET);
  netdev_tx_tell(&fake.dev, unit_cookie(4), NETDEV_E_RESET);
  assert_int_equal(fake.dev.stats.tx_frames, 2);
  assert_int_equal(fake.dev.stats.tx_bytes, 160);
  assert_int_equal(fake.dev.stats.tx_errors, 1);
  assert_int_equal(client.status[3], NETDEV_OK);
  assert_int_equal(client.status[4], NETDEV_E_RESET);
}

/* Receive -------------------------------------------------------------------------------------------------------- */

static void test_poll_budget(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  struct unit_client client;
  unit_client_init(&client, &fake.dev, true);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  fake.waiting = 10;
  assert_int_equal(netdev_poll(&fake.dev, 0), 0);
  assert_int_equal(fake.completed, 1);
  assert_int_equal(netdev_poll(&fake.dev, 4), 4);
  assert_int_equal(fake.waiting, 6);
  assert_int_equal(netdev_poll(&fake.dev, 6), 6);
  fake.waiting = 3;
  assert_int_equal(netdev_poll(&fake.dev, 100), 3);
  assert_int_equal(client.received, 13);
  assert_int_equal(fake.released, 13);
  assert_int_equal(fake.completed, 4);
}

static void test_poll_without_receiver(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  fake.waiting = 2;
  assert_int_equal(netdev_poll(&fake.dev, 10), 0);
  assert_int_equal(fake.waiting, 2);
  assert_int_equal(fake.completed, 1);
}

static void test_receive(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  unit_frame(fake.frame, 100, unit_mac, 9);
  uint8_t buffer[100] = {0};
  size_t length = 7;
  assert_int_equal(netdev_receive(&fake.dev, buffer, 100, &length), NETDEV_E_EMPTY);
  assert_int_equal(length, 7);
  fake.waiting = 1;
  assert_int_equal(netdev_receive(&fake.dev, NULL, 100, &length), NETDEV_E_INVALID);
  assert_int_equal(netdev_receive(&fake.dev, buffer, 100, NULL), NETDEV_E_INVALID);
  assert_int_equal(netdev_receive(&fake.dev, buffer, 99, &length), NETDEV_E_TOO_SMALL);
  assert_int_equal(length, 100);
  assert_int_equal(fake.waiting, 1);
  assert_int_equal(buffer[0], 0); /* nothing was copied */
  assert_int_equal(netdev_receive(&fake.dev, buffer, 0, &length), NETDEV_E_TOO_SMALL);
  assert_int_equal(netdev_receive(&fake.dev, buffer, 100, &length), NETDEV_OK);
  assert_int_equal(length, 100);
  assert_memory_equal(buffer, fake.frame, 100);
  assert_int_equal(fake.waiting, 0);
}

/* Configuration -------------------------------------------------------------------------------------------------- */

static void test_mac_valid(void **state) {
  (void)state;
  static const uint8_t zero[6];
  assert_false(netdev_mac_valid(zero));
  for(uint32_t first = 0; first < 256; first++) {
    uint8_t mac[6] = {(uint8_t)first, 0, 0, 0, 0, 1};
    assert_int_equal(netdev_mac_valid(mac), first % 2U == 0);
  }
  for(int i = 1; i < 6; i++) {
    uint8_t mac[6] = {0};
    mac[i] = 0x80;
    assert_true(netdev_mac_valid(mac));
  }
}

static void test_set_mac(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  static const uint8_t zero[6];
  static const uint8_t group[6] = {0x01, 0, 0x5E, 0, 0, 1};
  static const uint8_t other[6] = {2, 3, 4, 5, 6, 7};
  assert_int_equal(netdev_set_mac(&fake.dev, zero), NETDEV_E_INVALID);
  assert_int_equal(netdev_set_mac(&fake.dev, group), NETDEV_E_INVALID);
  assert_memory_equal(fake.dev.mac, unit_mac, 6);
  assert_int_equal(netdev_set_mac(&fake.dev, other), NETDEV_OK);
  assert_memory_equal(fake.dev.mac, other, 6);
  assert_memory_equal(fake.dev.permanent_mac, unit_mac, 6);
  assert_int_equal(fake.macs, 0); /* closed: the device is not asked */
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  assert_int_equal(netdev_set_mac(&fake.dev, NULL), NETDEV_OK);
  assert_int_equal(fake.macs, 1);
  assert_memory_equal(fake.set_mac, unit_mac, 6);
  assert_memory_equal(fake.dev.mac, unit_mac, 6);
  fake.mac_result = NETDEV_E_TIMEOUT; /* the device refuses: the address stays */
  assert_int_equal(netdev_set_mac(&fake.dev, other), NETDEV_E_TIMEOUT);
  assert_memory_equal(fake.dev.mac, unit_mac, 6);
}

static void test_set_filter(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  uint8_t list[17][6];
  for(int i = 0; i < 17; i++) {
    memset(list[i], i, 6);
    list[i][0] = 0x33;
  }
  const uint8_t(*groups)[6] = (const uint8_t(*)[6])list;
  uint32_t before = fake.dev.filter;
  assert_int_equal(netdev_set_filter(&fake.dev, 1U << 5, NULL, 0), NETDEV_E_INVALID);
  assert_int_equal(netdev_set_filter(&fake.dev, NETDEV_FILTER_MULTICAST, groups, 17), NETDEV_E_INVALID);
  assert_int_equal(netdev_set_filter(&fake.dev, NETDEV_FILTER_MULTICAST, NULL, 1), NETDEV_E_INVALID);
  list[3][0] = 0x32;
  assert_int_equal(netdev_set_filter(&fake.dev, NETDEV_FILTER_MULTICAST, groups, 4), NETDEV_E_INVALID);
  assert_int_equal(fake.dev.filter, before);
  assert_int_equal(fake.dev.multicast_count, 0);
  list[3][0] = 0x33;
  assert_int_equal(netdev_set_filter(&fake.dev, 0x1F, groups, 16), NETDEV_OK);
  assert_int_equal(fake.dev.filter, 0x1F);
  assert_int_equal(fake.dev.multicast_count, 16);
  assert_memory_equal(fake.dev.multicast, list, 16 * 6);
  assert_int_equal(fake.filters, 0);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  assert_int_equal(netdev_set_filter(&fake.dev, NETDEV_FILTER_UNICAST, NULL, 0), NETDEV_OK);
  assert_int_equal(fake.filters, 1);
  assert_int_equal(fake.dev.multicast_count, 0);
}

static void test_link_seen(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  struct unit_client client;
  unit_client_init(&client, &fake.dev, false);
  struct netdev_link link = {0};
  netdev_link_seen(&fake.dev, link);
  assert_int_equal(client.links, 0);
  link = (struct netdev_link){.up = true, .full_duplex = true, .speed_mbps = 100};
  netdev_link_seen(&fake.dev, link);
  netdev_link_seen(&fake.dev, link);
  assert_int_equal(client.links, 1);
  link.speed_mbps = 1000;
  netdev_link_seen(&fake.dev, link);
  link.full_duplex = false;
  netdev_link_seen(&fake.dev, link);
  assert_int_equal(client.links, 3);
  assert_int_equal(fake.dev.stats.link_changes, 3);
}

static void test_stats_add_up(void **state) {
  (void)state;
  struct fake fake;
  fake_start(&fake);
  fake.dev.stats.rx_device_errors = 1;
  fake.dev.stats.rx_length_errors = 20;
  fake.dev.stats.rx_split_errors = 300;
  assert_int_equal(netdev_get_stats(&fake.dev)->rx_errors, 321);
  assert_int_equal(netdev_get_stats(&fake.dev)->rx_errors, 321);
  assert_int_equal(fake.stats, 2);
}

static void test_strerror(void **state) {
  (void)state;
  const char *seen[15];
  for(int i = 0; i <= 14; i++) {
    seen[i] = netdev_strerror(-i);
    assert_non_null(seen[i]);
    assert_true(strlen(seen[i]) > 3);
    for(int j = 0; j < i; j++) {
      assert_string_not_equal(seen[i], seen[j]);
    }
  }
  assert_non_null(strstr(netdev_strerror(NETDEV_E_GONE), "gone"));
  assert_non_null(strstr(netdev_strerror(NETDEV_E_RESET), "reset"));
  assert_non_null(strstr(netdev_strerror(NETDEV_E_BUSY), "full"));
  assert_non_null(strstr(netdev_strerror(NETDEV_E_NVM), "NVM"));
  static const int unknown[] = {1, 14, -14, -15, -1000, INT_MAX, INT_MIN};
  for(size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
    assert_string_equal(netdev_strerror(unknown[i]), seen[14]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_init),
      cmocka_unit_test(test_registry),
      cmocka_unit_test(test_unregister_closes),
      cmocka_unit_test(test_many_names),
      cmocka_unit_test(test_closed_refuses),
      cmocka_unit_test(test_open_and_close),
      cmocka_unit_test(test_client_of_an_open_device),
      cmocka_unit_test(test_gone),
      cmocka_unit_test(test_other_tick_errors_do_not_end_it),
      cmocka_unit_test(test_transmit_arguments),
      cmocka_unit_test(test_more_leaves_the_doorbell),
      cmocka_unit_test(test_busy_flushes_and_completes),
      cmocka_unit_test(test_tx_done_counts),
      cmocka_unit_test(test_poll_budget),
      cmocka_unit_test(test_poll_without_receiver),
      cmocka_unit_test(test_receive),
      cmocka_unit_test(test_mac_valid),
      cmocka_unit_test(test_set_mac),
      cmocka_unit_test(test_set_filter),
      cmocka_unit_test(test_link_seen),
      cmocka_unit_test(test_stats_add_up),
      cmocka_unit_test(test_strerror),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
