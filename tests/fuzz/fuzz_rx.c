/* fuzz_rx.c - a device that writes what it likes: any descriptor of its own at any time, any frame, under a driver
 * whose client answers ARP, pings and test frames. A second receiver says what must arrive. */
#include "fuzz.h"

#include "inet.h"
#include "responder.h"
#include "testframe.h"
#include "unit.h"

#define OUR_ADDRESS   0x0A000001U
#define THEIR_ADDRESS 0x0A000002U
#define RING_MAX      64U
#define STEPS_MAX     200U
#define NOWHERE       UINT32_MAX /* RDH: nobody here moves it, and the simulator must not take a tail for it */

static const uint8_t their_mac[6] = {2, 0, 0, 0, 0, 9};

struct bench {
  struct fuzz in;
  struct sim *sim;
  struct netdev *dev;
  struct responder responder;
  struct unit_client client;  /* the cookies of the answers */
  uint32_t cookie;            /* answers taken by the driver */
  uint32_t lengths[RING_MAX]; /* what must arrive next, in order */
  uint32_t expected;
  uint32_t arrived;
  uint64_t delivered;
  bool partial;     /* inside a frame that goes on over several buffers */
  bool partial_end; /* the same after everything expected has arrived   */
};

/* The second receiver -------------------------------------------------------------------------------------------- */

static void expect(struct bench *bench) {
  const struct e1000_ring *ring = &unit_nic(bench->dev)->rx;
  bench->expected = 0;
  bench->arrived = 0;
  bool partial = bench->partial;
  for(uint32_t i = ring->head; i != ring->published; i++) {
    uint8_t bytes[16];
    memcpy(bytes, (const uint8_t *)ring->descriptors.cpu + 16U * (i & ring->mask), sizeof(bytes));
    uint32_t length = bytes[8] | (uint32_t)bytes[9] << 8;
    bool end = (bytes[12] & 2U) != 0;
    if(!(bytes[12] & 1U)) {
      break;
    }
    if(!partial && end && !(bytes[13] & 0x97U) && length >= 14U && length <= 1518U) {
      bench->lengths[bench->expected++] = length;
    }
    partial = !end;
  }
  bench->partial_end = partial;
}

static void arrives(struct bench *bench, const struct netdev_frame *frame) {
  const struct e1000_ring *ring = &unit_nic(bench->dev)->rx;
  assert_true(bench->arrived < bench->expected);
  assert_int_equal(frame->length, bench->lengths[bench->arrived++]);
  assert_ptr_equal(frame->data, (const uint8_t *)ring->buffers.cpu + 2048U * (ring->head & ring->mask));
  bench->partial = false;
}

static void is_empty(struct bench *bench) {
  assert_int_equal(bench->arrived, bench->expected);
  bench->partial = bench->partial_end;
}

/* The client ----------------------------------------------------------------------------------------------------- */

static int send(void *ctx, const void *frame, size_t length) {
  struct bench *bench = ctx;
  int result = netdev_transmit(bench->dev, frame, length, unit_cookie(bench->cookie + 1U), 0);
  bench->cookie += result == NETDEV_OK;
  return result;
}

/* Looks at a copy that ends where the frame ends, so that the sanitizer sees a read beyond it. */
static void answer(struct bench *bench, const struct netdev_frame *frame) {
  uint8_t *copy = malloc(frame->length);
  assert_non_null(copy);
  memcpy(copy, frame->data, frame->length);
  const struct netdev_frame own = {.data = copy, .length = frame->length};
  struct inet_packet packet;
  inet_parse(copy, frame->length, &packet);
  if(packet.kind >= INET_ECHO_REQUEST) {
    assert_true(packet.data >= copy && packet.data + packet.data_length <= copy + frame->length);
  }
  (void)responder_handle(&bench->responder, &own, &packet);
  free(copy);
}

static void receive(void *ctx, const struct netdev_frame *frame) {
  struct bench *bench = ctx;
  arrives(bench, frame);
  bench->delivered++;
  answer(bench, frame);
}

static void tx_done(void *ctx, void *cookie, int status) {
  unit_tx_done(&((struct bench *)ctx)->client, cookie, status);
}

/* Whatever was asked, nothing but answers of ours goes out. */
static void check_answers(struct bench *bench) {
  for(size_t i = 0; i < sim_frames(bench->sim); i++) {
    size_t length;
    struct inet_packet packet;
    struct testframe what;
    bool intact;
    const uint8_t *frame = sim_frame(bench->sim, i, &length);
    inet_parse(frame, length, &packet);
    bool inet = (packet.kind == INET_ARP_REPLY || packet.kind == INET_ECHO_REPLY) && packet.source == OUR_ADDRESS;
    assert_true(inet || (testframe_parse(frame, length, &what, &intact) && what.kind == TESTFRAME_REPLY));
    assert_memory_equal(frame + 6, unit_mac, 6);
    assert_int_not_equal(frame[12], 0x81); /* whatever was asked, answers are not tagged */
  }
  sim_forget_frames(bench->sim);
}

/* The device ----------------------------------------------------------------------------------------------------- */

static void put_checksum(uint8_t *at, size_t length, uint8_t *place) {
  uint32_t sum = 0;
  place[0] = place[1] = 0;
  for(size_t i = 0; i < length; i++) {
    sum += (uint32_t)at[i] << (i % 2U ? 0 : 8);
  }
  sum = (sum & 0xFFFFU) + (sum >> 16);
  sum = ~(sum + (sum >> 16));
  place[0] = (uint8_t)(sum >> 8);
  place[1] = (uint8_t)sum;
}

/* A patched packet whose checksums are right again gets further. */
static void fix_checksums(uint8_t *frame, size_t length) {
  size_t header = (frame[14] & 0xFU) * 4U;
  size_t total = (size_t)frame[16] << 8 | frame[17];
  if(header < 20U || header > length - 14U) {
    return;
  }
  put_checksum(frame + 14, header, frame + 24);
  if(total >= header + 8U && total <= length - 14U) {
    put_checksum(frame + 14 + header, total - header, frame + 14 + header + 2);
  }
}

/* Something that a peer would send, then changed here and there, or bytes out of the blue. */
static size_t make_frame(struct fuzz *in, uint8_t frame[E1000_BUFFER_SIZE]) {
  const struct inet_host them = {.address = THEIR_ADDRESS, .mask = 0xFFFFFF00U, .mac = {2, 0, 0, 0, 0, 9}};
  uint8_t data[INET_ECHO_MAX] = {0};
  uint8_t kind = fuzz_u8(in);
  size_t length = 0;
  if(kind % 4U == 0) {
    length = inet_arp_request(frame, &them, OUR_ADDRESS);
  } else if(kind % 4U == 1U) {
    size_t size = fuzz_u16(in) % (INET_ECHO_MAX + 1U);
    (void)fuzz_bytes(in, data, size < 64U ? size : 64U);
    length = inet_echo_request(frame, &them, unit_mac, OUR_ADDRESS, 1, 2, data, size);
  } else if(kind % 4U == 2U) {
    const struct testframe what = {TESTFRAME_REQUEST, 3, 4, TESTFRAME_MIN + fuzz_u16(in) % (TESTFRAME_MAX - 59U)};
    testframe_build(frame, &what, unit_mac, their_mac);
    length = what.length;
  } else {
    length = fuzz_bytes(in, frame, fuzz_u8(in));
  }
  for(uint32_t patches = kind >> 2 & 7U; patches > 0; patches--) {
    size_t at = fuzz_u8(in);
    frame[at] = fuzz_u8(in);
  }
  if((kind & 0x20U) && length >= 42U) {
    fix_checksums(frame, length);
  }
  if((kind & 0x40U) && length >= 14U) { /* a tag, most often with VLAN 0 */
    memmove(frame + 16, frame + 12, length - 12U);
    frame[12] = 0x81;
    frame[13] = 0;
    frame[14] = fuzz_u8(in) & 0xF0U;
    frame[15] = (kind & 0x80U) ? fuzz_u8(in) : 0;
    length += 4U;
  }
  return length < NETDEV_MIN_FRAME ? NETDEV_MIN_FRAME : length;
}

/* A write-back as it should be but for what the input says; into the oldest free buffer or into any other. */
static void write_back(struct bench *bench) {
  struct e1000_ring *ring = &unit_nic(bench->dev)->rx;
  uint8_t how = fuzz_u8(&bench->in);
  uint32_t slot = ring->head;
  if(how & 1U) {
    slot += fuzz_u8(&bench->in) % (ring->published - ring->head);
  } else {
    while(slot + 1U != ring->published && (ring->descriptor[slot & ring->mask].rx.status & E1000_RXD_STATUS_DD)) {
      slot++;
    }
  }
  uint8_t *buffer = (uint8_t *)ring->buffers.cpu + 2048U * (slot & ring->mask);
  volatile struct e1000_rx_descriptor *descriptor = &ring->descriptor[slot & ring->mask].rx;
  size_t length = make_frame(&bench->in, buffer);
  descriptor->length = how & 2U ? fuzz_u16(&bench->in) : (uint16_t)length;
  descriptor->errors = how & 4U ? fuzz_u8(&bench->in) : 0;
  descriptor->status = how & 8U ? fuzz_u8(&bench->in) : E1000_RXD_STATUS_DD | E1000_RXD_STATUS_EOP;
  if(how & 16U) {
    descriptor->address = fuzz_u32(&bench->in);
  }
}

/* Done that is not done, and twice: the transmit status of any descriptor that the device owns. */
static void scribble_transmit(struct bench *bench) {
  struct e1000_ring *ring = &unit_nic(bench->dev)->tx;
  uint32_t slot = ring->head + fuzz_u8(&bench->in);
  uint8_t status = fuzz_u8(&bench->in);
  if(slot - ring->head < ring->published - ring->head) {
    ring->descriptor[slot & ring->mask].tx.status = status;
  }
}

/* Steps ---------------------------------------------------------------------------------------------------------- */

static void take_one(struct bench *bench) {
  struct netdev_frame frame;
  int result = netdev_peek(bench->dev, &frame);
  if(result == NETDEV_OK) {
    arrives(bench, &frame);
    bench->delivered++;
    netdev_release(bench->dev);
  } else {
    assert_int_equal(result, NETDEV_E_EMPTY);
    is_empty(bench);
  }
}

static void copy_one(struct bench *bench) {
  size_t capacity = fuzz_u16(&bench->in) % 1600U;
  size_t length = 0;
  uint8_t *buffer = malloc(capacity + 1U);
  assert_non_null(buffer);
  int result = netdev_receive(bench->dev, buffer, capacity, &length);
  if(result == NETDEV_E_EMPTY) {
    is_empty(bench);
  } else {
    assert_int_equal(length, bench->lengths[0]);
    assert_int_equal(result, length > capacity ? NETDEV_E_TOO_SMALL : NETDEV_OK);
    bench->partial = false;
    bench->delivered += result == NETDEV_OK;
  }
  free(buffer);
}

static void poll(struct bench *bench) {
  uint32_t budget = fuzz_u8(&bench->in);
  uint32_t wanted = bench->expected < budget ? bench->expected : budget;
  assert_int_equal(netdev_poll(bench->dev, budget), wanted);
  assert_int_equal(bench->arrived, wanted);
  if(wanted < budget) {
    is_empty(bench);
  }
}

static void reopen(struct bench *bench) {
  netdev_close(bench->dev);
  assert_int_equal(bench->client.done_total, bench->cookie);
  assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
  sim_poke(bench->sim, E1000_RDH, NOWHERE);
  bench->partial = false;
}

static void step(struct bench *bench) {
  uint8_t what = fuzz_u8(&bench->in);
  expect(bench);
  switch(what % 8U) {
  case 0:
  case 1:
    write_back(bench);
    break;
  case 2:
    scribble_transmit(bench);
    break;
  case 3:
    poll(bench);
    break;
  case 4:
    take_one(bench);
    break;
  case 5:
    copy_one(bench);
    break;
  case 6:
    sim_knobs(bench->sim)->tx_held = (what & 0x10U) != 0;
    sim_advance(bench->sim, (uint64_t)fuzz_u8(&bench->in) * 10000U);
    sim_step(bench->sim);
    assert_int_equal(netdev_tick(bench->dev), NETDEV_OK);
    if(bench->dev->stats.tx_hangs > 0) { /* it was reset: nothing waits any more */
      bench->dev->stats.tx_hangs = 0;
      bench->partial = false;
      sim_poke(bench->sim, E1000_RDH, NOWHERE);
    }
    break;
  default:
    reopen(bench);
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct bench bench;
  memset(&bench, 0, sizeof(bench));
  bench.in = (struct fuzz){data, size};
  struct sim_config config = unit_config(fuzz_device(&bench.in));
  uint32_t count = E1000_RING_MIN << fuzz_u8(&bench.in) % 4U;
  bench.sim = sim_create(&config);
  assert_int_equal(unit_create(bench.sim, count, count, &bench.dev), NETDEV_OK);
  const struct netdev_client client = {.ctx = &bench, .receive = receive, .tx_done = tx_done};
  assert_int_equal(netdev_set_client(bench.dev, &client), NETDEV_OK);
  bench.responder =
      (struct responder){.send = send, .send_ctx = &bench, .host = {.address = OUR_ADDRESS, .mask = 0xFFFFFF00U}};
  memcpy(bench.responder.host.mac, unit_mac, 6);
  reopen(&bench);
  for(uint32_t i = 0; i < STEPS_MAX && bench.in.left > 0; i++) {
    step(&bench);
    check_answers(&bench);
    unit_check(bench.sim, bench.dev);
    assert_int_equal(bench.dev->stats.rx_frames, bench.delivered);
  }
  netdev_close(bench.dev);
  assert_int_equal(bench.client.done_total, bench.cookie);
  for(uint32_t i = 1; i <= bench.cookie; i++) {
    assert_int_equal(bench.client.done[i], 1);
  }
  unit_end(bench.sim, bench.dev);
  return 0;
}
