/* test_lwip.c - lwIP over our drivers: two simulated NICs on one wire, an lwIP interface on each; ARP, ping, and TCP
 * there and back. */
#include "../../driver/kernel/lwip/net_lwip.h"
#include "either.h"

#include <lwip/etharp.h>
#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/init.h>
#include <lwip/prot/ip4.h>
#include <lwip/raw.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>

#define STREAM_SIZE 200000U /* many times TCP's window */
#define ECHO_PORT   7U
#define PING_SIZE   1000U
#define TURNS_MAX   1000000U /* each a millisecond of lwIP's and the devices' time */

static const uint8_t macs[2][6] = {{0x52, 0x54, 0x00, 0x00, 0x00, 0x01}, {0x52, 0x54, 0x00, 0x00, 0x00, 0x02}};

/* The wire between them. */
static struct {
  struct either nic[2];
  struct net_lwip lwip[2];
  size_t carried[2]; /* frames of each that have gone over it */
  uint32_t arps;
} wire;

/* Instead of the library's own, so that its timers do not depend on how fast this machine is. */
static u32_t now_ms;

u32_t sys_now(void) {
  return now_ms;
}

static ip4_addr_t address_of(uint32_t end) {
  ip4_addr_t address;
  IP4_ADDR(&address, 10, 9, 9, (u8_t)(1U + end));
  return address;
}

static void begin(uint16_t first, uint16_t second) {
  static bool initialised;
  const uint16_t ids[2] = {first, second};
  ip4_addr_t mask;
  ip4_addr_t gateway = {0};
  if(!initialised) {
    initialised = true;
    lwip_init();
  }
  memset(&wire, 0, sizeof(wire));
  IP4_ADDR(&mask, 255, 255, 255, 0);
  for(uint32_t i = 0; i < 2; i++) {
    ip4_addr_t address = address_of(i);
    either_make(&wire.nic[i], ids[i], macs[i]);
    assert_int_equal(netdev_open(wire.nic[i].dev), NETDEV_OK);
    assert_true(net_lwip_add(&wire.lwip[i], wire.nic[i].dev, &address, &mask, &gateway));
    assert_true(netif_is_link_up(&wire.lwip[i].netif));
  }
}

static void end(void) {
  for(uint32_t i = 0; i < 2; i++) {
    net_lwip_remove(&wire.lwip[i]);
    either_end(&wire.nic[i]);
  }
}

/* Nothing is lost on the wire: a receiver that is full is emptied first. */
static void carry(uint32_t to, const uint8_t *frame, size_t length) {
  if(either_inject(&wire.nic[to], frame, length) == SIM_NO_BUFFER) {
    (void)net_lwip_poll(&wire.lwip[to], EITHER_RING);
    assert_int_equal(either_inject(&wire.nic[to], frame, length), SIM_DELIVERED);
  }
}

/* What one has sent arrives at the other; what waits there goes up to lwIP. */
static void turn(void) {
  now_ms++;
  for(uint32_t i = 0; i < 2; i++) {
    either_step(&wire.nic[i]);
    while(wire.carried[i] < either_frames(&wire.nic[i])) {
      size_t length;
      const uint8_t *frame = either_frame(&wire.nic[i], wire.carried[i]++, &length);
      wire.arps += frame[12] == 0x08 && frame[13] == 0x06;
      carry(1U - i, frame, length);
    }
    if(wire.carried[i] > 0) {
      either_forget_frames(&wire.nic[i]);
      wire.carried[i] = 0;
    }
    (void)net_lwip_poll(&wire.lwip[i], 64);
    either_advance(&wire.nic[i], 1000);
    (void)netdev_tick(wire.nic[i].dev);
  }
  sys_check_timeouts();
}

/* Ping ----------------------------------------------------------------------------------------------------------- */

static struct {
  uint32_t replies;
  uint8_t request[sizeof(struct icmp_echo_hdr) + PING_SIZE];
} ping;

static u8_t on_icmp(void *ctx, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from) {
  static uint8_t reply[sizeof(ping.request)];
  ip4_addr_t other = address_of(1);
  (void)ctx;
  (void)pcb;
  if(p->tot_len != IP_HLEN + sizeof(reply)) {
    return 0;
  }
  (void)pbuf_copy_partial(p, reply, sizeof(reply), IP_HLEN);
  if(reply[0] != ICMP_ER) {
    return 0;
  }
  assert_true(ip4_addr_cmp(ip_2_ip4(from), &other));
  assert_memory_equal(reply + 4, ping.request + 4, sizeof(reply) - 4U); /* behind type and checksum */
  ping.replies++;
  pbuf_free(p);
  return 1;
}

static void send_ping(struct raw_pcb *pcb, uint16_t sequence) {
  ip_addr_t other;
  ip_addr_copy_from_ip4(other, address_of(1));
  struct icmp_echo_hdr *echo = (struct icmp_echo_hdr *)ping.request;
  for(size_t i = 0; i < PING_SIZE; i++) {
    ping.request[sizeof(*echo) + i] = (uint8_t)(i * 7U + sequence);
  }
  echo->type = ICMP_ECHO;
  echo->code = 0;
  echo->id = lwip_htons(0x4D45);
  echo->seqno = lwip_htons(sequence);
  echo->chksum = 0;
  echo->chksum = inet_chksum(ping.request, sizeof(ping.request));
  struct pbuf *p = pbuf_alloc(PBUF_IP, sizeof(ping.request), PBUF_RAM);
  assert_non_null(p);
  assert_int_equal(pbuf_take(p, ping.request, sizeof(ping.request)), ERR_OK);
  assert_int_equal(raw_sendto_if_src(pcb, p, &other, &wire.lwip[0].netif, netif_ip_addr4(&wire.lwip[0].netif)), ERR_OK);
  pbuf_free(p);
}

/* The first finds the other's MAC address by ARP. */
static void exchange_pings(void) {
  struct raw_pcb *pcb = raw_new(IP_PROTO_ICMP);
  assert_non_null(pcb);
  raw_recv(pcb, on_icmp, NULL);
  raw_bind_netif(pcb, &wire.lwip[0].netif);
  memset(&ping, 0, sizeof(ping));
  for(uint16_t sequence = 1; sequence <= 5; sequence++) {
    send_ping(pcb, sequence);
    for(uint32_t i = 0; i < TURNS_MAX && ping.replies < sequence; i++) {
      turn();
    }
    assert_int_equal(ping.replies, sequence);
  }
  raw_remove(pcb);
}

/* TCP echo ------------------------------------------------------------------------------------------------------- */

static struct {
  struct tcp_pcb *listener;
  struct tcp_pcb *client;
  uint32_t sent;
  uint32_t back;
  bool connected;
  bool server_closed;
  bool client_closed;
} stream;

static uint8_t byte_at(uint32_t position) {
  return (uint8_t)(position * 13U + position / 256U);
}

static err_t on_served(void *ctx, struct tcp_pcb *pcb, struct pbuf *p, err_t error) {
  (void)ctx;
  assert_int_equal(error, ERR_OK);
  if(!p) {
    stream.server_closed = true;
    return tcp_close(pcb);
  }
  for(const struct pbuf *piece = p; piece; piece = piece->next) {
    if(tcp_sndbuf(pcb) < p->tot_len || tcp_write(pcb, piece->payload, piece->len, TCP_WRITE_FLAG_COPY) != ERR_OK) {
      fail_msg("the echo server has no room"); /* the client never has more under way than fits */
    }
  }
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  return tcp_output(pcb);
}

static err_t on_accept(void *ctx, struct tcp_pcb *pcb, err_t error) {
  (void)ctx;
  assert_int_equal(error, ERR_OK);
  tcp_recv(pcb, on_served);
  return ERR_OK;
}

static err_t on_connected(void *ctx, struct tcp_pcb *pcb, err_t error) {
  (void)ctx;
  (void)pcb;
  assert_int_equal(error, ERR_OK);
  stream.connected = true;
  return ERR_OK;
}

static err_t on_back(void *ctx, struct tcp_pcb *pcb, struct pbuf *p, err_t error) {
  (void)ctx;
  assert_int_equal(error, ERR_OK);
  if(!p) {
    stream.client_closed = true;
    return ERR_OK;
  }
  for(const struct pbuf *piece = p; piece; piece = piece->next) {
    for(uint32_t i = 0; i < piece->len; i++) {
      assert_int_equal(((const uint8_t *)piece->payload)[i], byte_at(stream.back));
      stream.back++;
    }
  }
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  return ERR_OK;
}

static void send_more(uint32_t size) {
  uint8_t chunk[1000];
  while(stream.connected && stream.sent < size && stream.sent - stream.back < 20000U &&
        tcp_sndbuf(stream.client) >= sizeof(chunk)) {
    uint32_t length = size - stream.sent < sizeof(chunk) ? size - stream.sent : (uint32_t)sizeof(chunk);
    for(uint32_t i = 0; i < length; i++) {
      chunk[i] = byte_at(stream.sent + i);
    }
    if(tcp_write(stream.client, chunk, (u16_t)length, TCP_WRITE_FLAG_COPY) != ERR_OK) {
      break;
    }
    stream.sent += length;
  }
  (void)tcp_output(stream.client);
}

static void echo_stream(uint32_t size) {
  ip_addr_t other;
  ip_addr_copy_from_ip4(other, address_of(1));
  memset(&stream, 0, sizeof(stream));
  struct tcp_pcb *server = tcp_new();
  assert_non_null(server);
  tcp_bind_netif(server, &wire.lwip[1].netif);
  assert_int_equal(tcp_bind(server, IP4_ADDR_ANY, ECHO_PORT), ERR_OK);
  stream.listener = tcp_listen(server);
  assert_non_null(stream.listener);
  tcp_accept(stream.listener, on_accept);

  stream.client = tcp_new();
  assert_non_null(stream.client);
  tcp_bind_netif(stream.client, &wire.lwip[0].netif);
  assert_int_equal(tcp_bind(stream.client, netif_ip_addr4(&wire.lwip[0].netif), 0), ERR_OK);
  tcp_recv(stream.client, on_back);
  assert_int_equal(tcp_connect(stream.client, &other, ECHO_PORT, on_connected), ERR_OK);
  for(uint32_t i = 0; i < TURNS_MAX && stream.back < size; i++) {
    send_more(size);
    turn();
  }
  assert_int_equal(stream.back, size);
  assert_int_equal(tcp_close(stream.client), ERR_OK);
  for(uint32_t i = 0; i < TURNS_MAX && !stream.server_closed; i++) {
    turn();
  }
  assert_true(stream.server_closed);
  (void)tcp_close(stream.listener);
  for(uint32_t i = 0; i < 10; i++) {
    turn(); /* the last acknowledgements */
  }
}

/* Tests ---------------------------------------------------------------------------------------------------------- */

static void test_ping_and_echo(void **state) {
  (void)state;
  static const uint16_t pairs[][2] = {
      {SIM_82540EM, VIRTIO_SIM_MODERN}, {VIRTIO_SIM_TRANSITIONAL, SIM_82574L}, {SIM_82545EM, SIM_82544GC}};
  for(size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
    begin(pairs[i][0], pairs[i][1]);
    exchange_pings();
    assert_true(wire.arps >= 2); /* asked and answered */
    echo_stream(STREAM_SIZE);
    assert_true(wire.lwip[0].received > STREAM_SIZE / NETDEV_MTU && wire.lwip[1].received > STREAM_SIZE / NETDEV_MTU);
    end();
  }
}

/* A frame in pieces, which a library without LWIP_NETIF_TX_SINGLE_PBUF makes. */
static void test_pieces(void **state) {
  (void)state;
  uint8_t frame[300];
  size_t length;
  for(size_t i = 0; i < sizeof(frame); i++) {
    frame[i] = byte_at((uint32_t)i);
  }
  begin(SIM_82574L, VIRTIO_SIM_MODERN);
  struct pbuf *first = pbuf_alloc(PBUF_RAW, 100, PBUF_RAM);
  struct pbuf *second = pbuf_alloc(PBUF_RAW, 200, PBUF_RAM);
  assert_true(first && second);
  pbuf_cat(first, second);
  assert_int_equal(pbuf_take(first, frame, sizeof(frame)), ERR_OK);
  assert_int_equal(wire.lwip[0].netif.linkoutput(&wire.lwip[0].netif, first), ERR_OK);
  const uint8_t *sent = either_frame(&wire.nic[0], either_frames(&wire.nic[0]) - 1U, &length);
  assert_int_equal(length, sizeof(frame));
  assert_memory_equal(sent, frame, sizeof(frame));
  pbuf_free(first);
  end();
}

/* A device that has a client already is not taken from it. */
static void test_refused(void **state) {
  (void)state;
  ip4_addr_t any = {0};
  struct net_lwip second;
  begin(SIM_82574L, VIRTIO_SIM_MODERN);
  assert_false(net_lwip_add(&second, wire.nic[0].dev, &any, &any, &any));
  exchange_pings();
  end();
}

/* The cable is pulled: lwIP knows. */
static void test_link(void **state) {
  (void)state;
  begin(SIM_82540EM, VIRTIO_SIM_MODERN);
  sim_knobs(wire.nic[0].e1000)->link_down = true;
  virtio_sim_knobs(wire.nic[1].virtio)->link_down = true;
  for(uint32_t i = 0; i < 2; i++) {
    either_advance(&wire.nic[i], 1000000);
  }
  turn();
  for(uint32_t i = 0; i < 2; i++) {
    assert_false(netif_is_link_up(&wire.lwip[i].netif));
  }
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ping_and_echo),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_link),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
