/* test_netconsole.c - a kernel's log over the network: what arrives on the wire of either simulator. */
#include "netconsole.h"
#include "either.h"
#include "udp.h"

#include <stdio.h>

#define LOG_SIZE 4096U

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};

/* The parameter and the defaults --------------------------------------------------------------------------------- */

static void test_parameter(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *problem; /* NULL: good */
    struct netconsole_config config;
  } cases[] = {
      {"@/,@/", NULL, {0}},
      {"@/eth0,@10.0.2.2/", NULL, {.target = 0x0A000202}},
      {"4444@10.0.0.1/eth1,9353@10.0.0.2/12:34:56:78:9a:Bc",
       NULL,
       {0x0A000001, 0x0A000002, 4444, 9353, {0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC}}},
      {"6665@192.168.1.255/eth1,65535@255.255.255.255/",
       NULL,
       {.source = 0xC0A801FF, .target = 0xFFFFFFFF, .source_port = 6665, .target_port = 65535}},
      {"+@/,@10.0.2.2/", "extended", {0}},
      {"", "a port", {0}},
      {"6665", "'@' is missing", {0}},
      {"@/", "the target", {0}},
      {"0@/,@/", "a port", {0}},
      {"65536@/,@/", "a port", {0}},
      {"x@/,@/", "a port", {0}},
      {"@10.0.0/,@/", "an address", {0}},
      {"@10.0.0.256/,@/", "an address", {0}},
      {"@10.0.0.1,@/", "'/' is missing", {0}},
      {"@/,@10.0.0.1", "'/' is missing", {0}},
      {"@/,@/12:34:56:78:9a", "MAC", {0}},
      {"@/,@/12:34:56:78:9a:bc:de", "MAC", {0}},
      {"@/,@/12:34:56:78:9a:bcd", "MAC", {0}},
      {"@/,@/12:34:56:78:9a:", "MAC", {0}},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct netconsole_config config;
    const char *problem = netconsole_parse(cases[i].text, &config);
    if(!cases[i].problem != !problem || (problem && !strstr(problem, cases[i].problem))) {
      fail_msg("'%s': %s", cases[i].text, problem ? problem : "good");
    }
    if(!problem) {
      assert_memory_equal(&config, &cases[i].config, sizeof(config));
    }
  }
}

static void test_defaults(void **state) {
  (void)state;
  static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  struct net_handoff_lease lease = {.address = {10, 0, 2, 15}, .server = {10, 0, 2, 3}};
  static const struct {
    const char *source;
    uint32_t target;
  } sources[] = {
      {"http://10.0.2.2:8000/kernel.efi", 0x0A000202},
      {"tftp://10.0.2.4/kernel", 0x0A000204},
      {"tftp://10.0.2.4", 0x0A000204},
      {"http://10.0.2.2.example/kernel", 0x0A000203},
      {"http://boot.example/kernel", 0x0A000203},
      {"fs0:kernel.efi", 0x0A000203},
      {"", 0x0A000203},
      {NULL, 0x0A000203},
  };
  for(size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
    struct netconsole_config config = {0};
    netconsole_complete(&config, &lease, sources[i].source);
    assert_int_equal(config.source, 0x0A00020F);
    assert_int_equal(config.target, sources[i].target);
    assert_int_equal(config.source_port, 6665);
    assert_int_equal(config.target_port, 6666);
    assert_memory_equal(config.target_mac, everybody, 6);
  }
  struct netconsole_config config = {.source = 1, .target = 2, .source_port = 3, .target_port = 4, .target_mac = {2}};
  const struct netconsole_config given = config;
  netconsole_complete(&config, &lease, sources[0].source);
  assert_memory_equal(&config, &given, sizeof(config));
  config = (struct netconsole_config){0};
  netconsole_complete(&config, NULL, NULL);
  assert_int_equal(config.source, 0);
  assert_int_equal(config.target, 0xFFFFFFFF);
}

/* The wire ------------------------------------------------------------------------------------------------------- */

struct bench {
  struct either nic;
  struct netconsole console;
  char text[LOG_SIZE];
  uint32_t cookies;
};

static const struct netconsole_config way = {0x0A090902, 0x0A090901, 6665, 6666, {0x52, 0x54, 0, 0, 0, 0xFE}};

static void tx_done(void *ctx, void *cookie, int status) {
  struct bench *bench = ctx;
  assert_ptr_equal(cookie, &bench->console);
  assert_int_equal(status, NETDEV_OK);
  bench->cookies++;
}

static void begin(struct bench *bench, uint16_t device_id) {
  memset(bench, 0, sizeof(*bench));
  assert_true(netconsole_init(&bench->console, bench->text, LOG_SIZE));
  either_make(&bench->nic, device_id, mac);
  const struct netdev_client client = {.ctx = bench, .tx_done = tx_done};
  assert_int_equal(netdev_set_client(bench->nic.dev, &client), NETDEV_OK);
  assert_int_equal(netdev_open(bench->nic.dev), NETDEV_OK);
}

static void say(struct bench *bench, const char *text) {
  netconsole_write(&bench->console, text, strlen(text));
}

/* Frame `index` on the wire is a datagram from us to the target, and holds `text`. */
static void expect_datagram(const struct bench *bench, size_t index, const char *text, size_t length) {
  struct udp_packet packet;
  size_t bytes;
  const uint8_t *frame = either_frame(&bench->nic, index, &bytes);
  assert_true(udp_parse(frame, bytes, &packet));
  assert_int_equal(packet.fault, INET_SOUND);
  assert_int_equal(packet.way.source, way.source);
  assert_int_equal(packet.way.destination, way.target);
  assert_int_equal(packet.way.source_port, way.source_port);
  assert_int_equal(packet.way.destination_port, way.target_port);
  assert_memory_equal(packet.way.source_mac, mac, 6);
  assert_memory_equal(packet.way.destination_mac, way.target_mac, 6);
  assert_int_equal(packet.data_length, length);
  assert_memory_equal(packet.data, text, length);
}

static void expect(const struct bench *bench, size_t index, const char *text) {
  expect_datagram(bench, index, text, strlen(text));
}

/* From the first line on, long before there is a device; in pieces; and one that has not ended stays. */
static void test_lines(void **state) {
  (void)state;
  for(size_t i = 0; i < EITHER_COUNT; i++) {
    struct bench bench;
    begin(&bench, either_ids[i]);
    say(&bench, "the first line\nthe sec");
    say(&bench, "ond line\n");
    assert_false(netconsole_flush(&bench.console)); /* nowhere to go to yet */
    netconsole_attach(&bench.console, bench.nic.dev, &way);
    say(&bench, "\nthe fourth, which has");
    uint64_t doorbells = bench.nic.dev->stats.tx_doorbells;
    assert_false(netconsole_flush(&bench.console));
    assert_int_equal(bench.nic.dev->stats.tx_doorbells - doorbells, 1);
    either_step(&bench.nic);
    assert_int_equal(either_frames(&bench.nic), 3);
    expect(&bench, 0, "the first line\n");
    expect(&bench, 1, "the second line\n");
    expect(&bench, 2, "\n");
    say(&bench, " ended\n");
    assert_false(netconsole_flush(&bench.console));
    either_step(&bench.nic);
    assert_int_equal(either_frames(&bench.nic), 4);
    expect(&bench, 3, "the fourth, which has ended\n");
    assert_int_equal(bench.console.lines, 4);
    assert_int_equal(bench.console.datagrams, 4);
    (void)netdev_complete(bench.nic.dev);
    assert_int_equal(bench.cookies, 4);
    either_end(&bench.nic);
  }
}

/* A line longer than a chunk comes in pieces. */
static void test_long_line(void **state) {
  (void)state;
  struct bench bench;
  char line[2 * NETCONSOLE_CHUNK + 1];
  begin(&bench, SIM_82574L);
  netconsole_attach(&bench.console, bench.nic.dev, &way);
  for(size_t length = NETCONSOLE_CHUNK - 1U; length <= 2U * NETCONSOLE_CHUNK; length += NETCONSOLE_CHUNK / 2U) {
    either_forget_frames(&bench.nic);
    for(size_t i = 0; i + 1 < length; i++) {
      line[i] = (char)('a' + i % 26U);
    }
    line[length - 1] = '\n';
    netconsole_write(&bench.console, line, length);
    assert_false(netconsole_flush(&bench.console));
    size_t pieces = (length + NETCONSOLE_CHUNK - 1U) / NETCONSOLE_CHUNK;
    assert_int_equal(either_frames(&bench.nic), pieces);
    for(size_t i = 0; i < pieces; i++) {
      size_t at = i * NETCONSOLE_CHUNK;
      expect_datagram(&bench, i, line + at, length - at < NETCONSOLE_CHUNK ? length - at : NETCONSOLE_CHUNK);
    }
  }
  either_end(&bench.nic);
}

/* What finds no room is dropped whole, counted, and told; what was there before arrives, and what comes after. */
static void test_drops(void **state) {
  (void)state;
  for(size_t i = 0; i < EITHER_COUNT; i++) {
    struct bench bench;
    char line[48];
    size_t next = 0;
    begin(&bench, either_ids[i]);
    for(uint32_t round = 0; round < 5; round++) { /* at another place of the ring each time */
      uint32_t fits = 0;
      uint64_t before = bench.console.dropped;
      while(bench.console.dropped == before) {
        (void)snprintf(line, sizeof(line), "round %u, line number %04u\n", round, fits);
        say(&bench, line);
        fits += bench.console.dropped == before;
      }
      say(&bench, "also dropped, because it is as long as the others\n");
      say(&bench, "a\n"); /* this one has room */
      netconsole_attach(&bench.console, bench.nic.dev, &way);
      either_hold(&bench.nic, true);
      uint32_t calls = 0;
      while(netconsole_flush(&bench.console)) {
        calls++;
        either_hold(&bench.nic, false);
        (void)netdev_complete(bench.nic.dev);
        either_hold(&bench.nic, true);
      }
      either_hold(&bench.nic, false);
      either_step(&bench.nic);
      (void)netdev_complete(bench.nic.dev);
      assert_true(fits > 100 && calls > 0); /* more than the device's ring holds */
      for(uint32_t j = 0; j < fits; j++) {
        (void)snprintf(line, sizeof(line), "round %u, line number %04u\n", round, j);
        expect(&bench, next++, line);
      }
      expect(&bench, next++, "a\n");
      expect(&bench, next++, "netconsole: 2 lines were dropped\n");
      assert_int_equal(either_frames(&bench.nic), next);
      netconsole_attach(&bench.console, NULL, NULL);
    }
    assert_int_equal(bench.console.dropped, 10);
    assert_int_equal(bench.console.refused, 0);
    either_end(&bench.nic);
  }
}

/* A line that is longer than the whole log. */
static void test_line_without_end(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM);
  for(uint32_t i = 0; i < 3U * LOG_SIZE; i++) {
    say(&bench, "x");
  }
  say(&bench, "\nbehind it\n");
  netconsole_attach(&bench.console, bench.nic.dev, &way);
  assert_false(netconsole_flush(&bench.console));
  assert_int_equal(either_frames(&bench.nic), 2);
  expect(&bench, 0, "behind it\n");
  expect(&bench, 1, "netconsole: 1 lines were dropped\n");
  either_end(&bench.nic);
}

static void test_sizes(void **state) {
  (void)state;
  struct netconsole console;
  char text[512];
  assert_true(netconsole_init(&console, text, 256));
  assert_true(netconsole_init(&console, text, 512));
  assert_false(netconsole_init(&console, text, 128));
  assert_false(netconsole_init(&console, text, 384));
  assert_false(netconsole_init(&console, text, 0));
  assert_false(netconsole_init(&console, NULL, 256));
}

/* A device that cannot be sent to keeps nobody, and loses nothing. */
static void test_closed(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82574L);
  netconsole_attach(&bench.console, bench.nic.dev, &way);
  netdev_close(bench.nic.dev);
  say(&bench, "while it is closed\n");
  assert_true(netconsole_flush(&bench.console));
  assert_int_equal(netdev_open(bench.nic.dev), NETDEV_OK);
  assert_false(netconsole_flush(&bench.console));
  assert_int_equal(either_frames(&bench.nic), 1);
  expect(&bench, 0, "while it is closed\n");
  either_end(&bench.nic);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parameter),        cmocka_unit_test(test_defaults), cmocka_unit_test(test_lines),
      cmocka_unit_test(test_long_line),        cmocka_unit_test(test_drops),    cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_line_without_end), cmocka_unit_test(test_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
