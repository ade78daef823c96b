/* test_panic.c - a panic in the middle of any call on a device: the last lines leave all the same. The processor's
 * single-step trap stops the call between two instructions, wherever they are, and it is never gone on with. */
#define _GNU_SOURCE
#include "either.h"
#include "netconsole.h"
#include "trap_flag.h"
#include "udp.h"

#include <signal.h>
#include <stdio.h>

#define LOG_SIZE   1024U
#define STOPS      40U /* for each call */
#define SHORT      12U /* accesses: of a call with fewer every part is looked at */
#define HANG_US    6000000U
#define LAST_WORDS "kernel: panic: nobody comes back\n"

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};
static const struct netconsole_config way = {0x0A090902, 0x0A090901, 6665, 6666, {0x52, 0x54, 0, 0, 0, 0xFE}};

/* The trap ------------------------------------------------------------------------------------------------------- */

static struct {
  sigjmp_buf stopped;
  volatile long accesses; /* to the device, of the call so far                        */
  volatile long after;    /* so many of them pass before the processor is stepped     */
  volatile long steps;    /* instructions since then                                  */
  volatile long stop_at;  /* the one before which the call ends; 0: none              */
  volatile bool on;
} trap;

/* A trap costs much more than an instruction, so a long call runs on its own to where it is to be looked at. */
#if defined(TRAP_FLAG)
#define PLACES_MIN 11U /* where each call is stopped */
#else
/* No such flag: the call is stopped at its start, and behind accesses to the device: some make none. */
#define PLACES_MIN 1U
static void count(void);
static void step_by_step(bool on) {
  if(on) {
    count();
  }
}
#endif

static void count(void) {
  if(trap.on && ++trap.steps == trap.stop_at) {
    trap.on = false;
    siglongjmp(trap.stopped, 1);
  }
}

static void on_trap(int number) {
  (void)number;
  count();
}

/* The device is not interrupted: it is another machine. */
static struct either *under;

static void enter(void) {
  step_by_step(false);
}

static void leave(void) {
  if(trap.on && trap.stop_at > 0 && ++trap.accesses >= trap.after) {
    step_by_step(true);
  } else if(trap.on && trap.stop_at == 0) {
    trap.accesses++;
  }
}

#define INNER (under->virtio ? virtio_sim_platform(under->virtio) : sim_platform(under->e1000))

#define READER(type, name)                                                                                             \
  static type name(void *ctx, uint32_t bar, uint32_t offset) {                                                         \
    enter();                                                                                                           \
    type value = INNER->name(ctx, bar, offset);                                                                        \
    leave();                                                                                                           \
    return value;                                                                                                      \
  }
#define WRITER(type, name)                                                                                             \
  static void name(void *ctx, uint32_t bar, uint32_t offset, type value) {                                             \
    enter();                                                                                                           \
    INNER->name(ctx, bar, offset, value);                                                                              \
    leave();                                                                                                           \
  }
READER(uint32_t, read32)
READER(uint16_t, read16)
READER(uint8_t, read8)
WRITER(uint32_t, write32)
WRITER(uint16_t, write16)
WRITER(uint8_t, write8)

static uint32_t config_read(void *ctx, uint32_t offset, uint32_t width) {
  enter();
  uint32_t value = INNER->config_read(ctx, offset, width);
  leave();
  return value;
}

static void config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  enter();
  INNER->config_write(ctx, offset, width, value);
  leave();
}

static void delay_us(void *ctx, uint32_t us) {
  enter();
  INNER->delay_us(ctx, us);
  either_step(under);
  leave();
}

static uint64_t now_us(void *ctx) {
  enter();
  uint64_t now = INNER->now_us(ctx);
  leave();
  return now;
}

static void log_line(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  enter();
  INNER->log(ctx, level, text, value);
  leave();
}

/* Calls ---------------------------------------------------------------------------------------------------------- */

struct bench {
  struct either nic;
  struct netconsole console;
  char text[LOG_SIZE];
  bool dead; /* the kernel has panicked: nothing of it may be called */
};

static void on_frame(void *ctx, const struct netdev_frame *frame) {
  struct bench *bench = ctx;
  assert_false(bench->dead);
  (void)netdev_transmit(bench->nic.dev, frame->data, frame->length, NULL, 0); /* an answer, from where it is received */
}

static void on_done(void *ctx, void *cookie, int status) {
  (void)cookie;
  (void)status;
  assert_false(((struct bench *)ctx)->dead);
}

static void on_tap(void *ctx, bool sent, const struct netdev_frame *frame) {
  (void)sent;
  (void)frame;
  assert_false(((struct bench *)ctx)->dead);
}

static void frame_of(uint8_t frame[100], uint8_t number) {
  memset(frame, number, 100);
  memcpy(frame, mac, 6);
  frame[12] = 0x88;
  frame[13] = 0xB5;
}

static void call_transmit(struct netdev *dev) {
  uint8_t frame[100];
  frame_of(frame, 1);
  (void)netdev_transmit(dev, frame, sizeof(frame), NULL, NETDEV_TX_MORE);
  (void)netdev_transmit(dev, frame, sizeof(frame), NULL, 0);
}

static void call_poll(struct netdev *dev) {
  (void)netdev_poll(dev, 64);
}

static void call_tick(struct netdev *dev) {
  (void)netdev_tick(dev);
}

static void call_filter(struct netdev *dev) {
  static const uint8_t list[2][6] = {{1, 0, 0x5E, 0, 0, 1}, {1, 0, 0x5E, 0, 0, 2}};
  (void)netdev_set_filter(dev, NETDEV_FILTER_PROMISCUOUS | NETDEV_FILTER_MULTICAST, list, 2);
}

static void call_stats(struct netdev *dev) {
  (void)netdev_get_stats(dev);
}

static void call_irq(struct netdev *dev) {
  (void)netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0);
  (void)netdev_irq_handle(dev);
  (void)netdev_irq_rearm(dev);
}

static void call_reopen(struct netdev *dev) {
  netdev_close(dev);
  (void)netdev_open(dev);
}

static const struct {
  const char *name;
  void (*call)(struct netdev *dev);
  bool full; /* of frames that wait to be received         */
  bool hung; /* the transmitter has stood still for long   */
} calls[] = {
    {"transmit", call_transmit, false, false}, {"poll", call_poll, true, false},
    {"tick", call_tick, false, false},         {"reset after a hang", call_tick, false, true},
    {"set_filter", call_filter, false, false}, {"get_stats", call_stats, true, false},
    {"interrupts", call_irq, true, false},     {"close and open", call_reopen, true, false},
};

static void begin(struct bench *bench, uint16_t device_id, bool full, bool hung) {
  static struct netdev_tap tap;
  memset(bench, 0, sizeof(*bench));
  under = &bench->nic;
  assert_true(netconsole_init(&bench->console, bench->text, LOG_SIZE));
  either_make(&bench->nic, device_id, mac);
  struct net_platform *platform = &bench->nic.platform;
  platform->read32 = read32;
  platform->read16 = read16;
  platform->read8 = read8;
  platform->write32 = write32;
  platform->write16 = write16;
  platform->write8 = write8;
  platform->config_read = config_read;
  platform->config_write = config_write;
  platform->delay_us = delay_us;
  platform->now_us = now_us;
  platform->log = log_line;
  const struct netdev_client client = {.ctx = bench, .receive = on_frame, .tx_done = on_done};
  assert_int_equal(netdev_set_client(bench->nic.dev, &client), NETDEV_OK);
  assert_int_equal(netdev_open(bench->nic.dev), NETDEV_OK);
  tap = (struct netdev_tap){.ctx = bench, .frame = on_tap};
  netdev_tap_add(bench->nic.dev, &tap);
  netconsole_attach(&bench->console, bench->nic.dev, &way);
  for(uint8_t i = 0; full && i < 5; i++) {
    uint8_t frame[100];
    frame_of(frame, i);
    assert_int_equal(either_inject(&bench->nic, frame, sizeof(frame)), SIM_DELIVERED);
  }
  if(hung) {
    either_hold(&bench->nic, true);
    call_transmit(bench->nic.dev);
    (void)netdev_tick(bench->nic.dev);
    either_advance(&bench->nic, HANG_US);
  }
}

/* Runs the call to its end (`stop_at` 0), or to this instruction after so many accesses to the device. True when it was
 * stopped. */
static bool run(struct bench *bench, void (*call)(struct netdev *dev), long after, long stop_at) {
  volatile bool stopped = true;
  trap.accesses = 0;
  trap.steps = 0;
  trap.after = after;
  trap.stop_at = stop_at;
  if(sigsetjmp(trap.stopped, 1) == 0) {
    trap.on = true;
    if(after == 0 && stop_at > 0) {
      step_by_step(true);
    }
    call(bench->nic.dev);
    step_by_step(false);
    trap.on = false;
    stopped = false;
  }
  return stopped;
}

/* What was on its way may be lost or have left. The last words arrive, once and whole, and nothing comes after. */
static void expect_last_words(const struct bench *bench, const char *what, long after, long at) {
  size_t frames = either_frames(&bench->nic);
  size_t found = 0;
  struct udp_packet packet;
  for(size_t i = 0; i < frames; i++) {
    size_t length;
    const uint8_t *frame = either_frame(&bench->nic, i, &length);
    found += udp_parse(frame, length, &packet) && packet.fault == INET_SOUND && packet.way.destination == way.target &&
             packet.data_length == strlen(LAST_WORDS) && memcmp(packet.data, LAST_WORDS, packet.data_length) == 0;
  }
  if(found != 1 || bench->console.sent != bench->console.written) {
    fail_msg("%s, %ld accesses and %ld instructions on: the last words arrived %zu times", what, after, at, found);
  }
}

/* True when the call was stopped there, and is not over before. */
static bool panic_at(uint16_t device_id, size_t which, long after, long stop_at) {
  struct bench bench;
  begin(&bench, device_id, calls[which].full, calls[which].hung);
  bool stopped = run(&bench, calls[which].call, after, stop_at);
  bench.dead = true;
  either_hold(&bench.nic, false);
  netconsole_write(&bench.console, LAST_WORDS, strlen(LAST_WORDS));
  assert_int_equal(netconsole_panic(&bench.console, stopped), 0);
  expect_last_words(&bench, calls[which].name, after, stop_at);
  netconsole_write(&bench.console, "and more", 8); /* a line that nobody ends any more */
  assert_int_equal(netconsole_panic(&bench.console, false), 0);
  assert_int_equal(bench.console.lines, 2);
  assert_int_equal(bench.console.sent, bench.console.end);
  either_end(&bench.nic);
  return stopped;
}

/* Behind accesses that are spread over the whole call, at one instruction or another; short calls from their first
 * instruction to their last. */
static uint32_t panic_in(uint16_t device_id, size_t which) {
  uint32_t panics = 0;
  (void)panic_at(device_id, which, 0, 0);
  long accesses = trap.accesses;
  if(accesses < (long)SHORT) {
    long stride = 1;
    for(long at = 1; panic_at(device_id, which, 0, at); at += stride) {
      panics++;
      stride = at / (long)STOPS * 4 + 1;
    }
    return panics;
  }
  long stride = accesses / (long)STOPS + 1;
  for(long after = 0; after < accesses; after += stride) {
    panics += panic_at(device_id, which, after, 1 + after * 7 % 23);
  }
  return panics;
}

static void test_at_any_instruction(void **state) {
  (void)state;
  uint32_t panics = 0;
  for(size_t i = 0; i < EITHER_COUNT; i++) {
    for(size_t which = 0; which < sizeof(calls) / sizeof(calls[0]); which++) {
      uint32_t these = panic_in(either_ids[i], which);
      print_message("panic: %s: stopped at %u places\n", calls[which].name, these);
      assert_true(these >= PLACES_MIN);
      panics += these;
    }
  }
  print_message("panic: %u calls were stopped and not gone on with; the last words arrived\n", panics);
}

/* Nothing was interrupted: what was queued before leaves too, and before. */
static void test_between_calls(void **state) {
  (void)state;
  for(size_t i = 0; i < EITHER_COUNT; i++) {
    struct bench bench;
    begin(&bench, either_ids[i], false, false);
    uint64_t opened = bench.nic.dev->stats.link_changes;
    call_transmit(bench.nic.dev);
    bench.dead = true;
    netconsole_write(&bench.console, LAST_WORDS, strlen(LAST_WORDS));
    assert_int_equal(netconsole_panic(&bench.console, false), 0);
    assert_int_equal(either_frames(&bench.nic), 3);
    expect_last_words(&bench, "between calls", 0, 0);
    assert_int_equal(bench.nic.dev->stats.link_changes, opened);
    either_end(&bench.nic);
  }
}

/* More lines than the device's ring has room for, and a device that is closed, gone, or stands still: never without
 * end. */
static void test_bounds(void **state) {
  (void)state;
  for(size_t i = 0; i < EITHER_COUNT; i++) {
    struct bench bench;
    begin(&bench, either_ids[i], false, false);
    bench.dead = true;
    for(uint32_t line = 0; line < 3U * EITHER_RING; line++) {
      netconsole_write(&bench.console, "a line\n", 7);
    }
    assert_int_equal(netconsole_panic(&bench.console, true), 0);
    assert_int_equal(either_frames(&bench.nic), 3U * EITHER_RING);
    either_end(&bench.nic);

    begin(&bench, either_ids[i], false, false);
    bench.dead = true;
    either_hold(&bench.nic, true);
    for(uint32_t line = 0; line < 3U * EITHER_RING; line++) {
      netconsole_write(&bench.console, "a line\n", 7);
    }
    uint32_t left = netconsole_panic(&bench.console, false);
    assert_in_range(left, 2U * EITHER_RING, 2U * EITHER_RING + 1U);
    either_hold(&bench.nic, false);
    assert_int_equal(netconsole_panic(&bench.console, true), 0);
    either_end(&bench.nic);

    begin(&bench, either_ids[i], false, false);
    bench.dead = true;
    netdev_close(bench.nic.dev);
    netconsole_write(&bench.console, "a line\n", 7);
    assert_int_equal(netconsole_panic(&bench.console, false), 1); /* it was shut down, and stays so */
    if(bench.nic.virtio) {
      virtio_sim_knobs(bench.nic.virtio)->gone = true;
    } else {
      sim_knobs(bench.nic.e1000)->gone = true;
    }
    assert_int_equal(netconsole_panic(&bench.console, true), 1);
    either_end(&bench.nic);
  }
}

int main(void) {
  const struct sigaction action = {.sa_handler = on_trap};
  (void)sigaction(SIGTRAP, &action, NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_between_calls),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_at_any_instruction),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
