/* fuzz_inet6.c - IPv6 and DHCPv6 of anybody: nothing outside is read, what is read is bounded and printable. */
#include "fuzz.h"

#include "dhcp6.h"
#include "unit.h"

static void check_text(const char *text, size_t size) {
  size_t length = strlen(text);
  assert_true(length < size);
  for(size_t i = 0; i < length; i++) {
    assert_true(text[i] >= 0x20 && text[i] < 0x7F);
  }
}

static void check_offer(const uint8_t *message, size_t size) {
  struct dhcp6_offer offer;
  if(dhcp6_parse(message, size, &offer)) {
    check_text(offer.server, sizeof(offer.server));
    check_text(offer.status_text, sizeof(offer.status_text));
    check_text(offer.url, sizeof(offer.url));
    check_text(offer.parameters, sizeof(offer.parameters));
    check_text(offer.vendor_class, sizeof(offer.vendor_class));
    assert_true(offer.dns_count <= INET6_DNS_MAX);
    assert_true((size_t)offer.client_at + offer.client_length <= size);
  }
}

static void check_frame(const uint8_t *frame, size_t size) {
  static const struct dhcp_client client = {.xid = 0xFE1234, .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}};
  struct inet6_packet packet;
  struct inet6_router router;
  struct dhcp6_offer offer;
  uint8_t answer[1514];
  if(!inet6_parse(frame, size, &packet)) {
    return;
  }
  assert_true(!packet.data || (packet.data >= frame && packet.data + packet.data_length <= frame + size));
  assert_true(packet.kind == INET6_OTHER || packet.fault == INET_SOUND);
  if(inet6_router(&packet, &router)) {
    assert_true(router.prefix_count <= INET6_PREFIXES_MAX && router.dns_count <= INET6_DNS_MAX);
  }
  size_t length = inet6_answer(answer, client.mac, &packet);
  if(length > 0) {
    assert_true(inet6_parse(answer, length, &packet));
    assert_int_equal(packet.kind, INET6_NEIGHBOUR_ADVERTISEMENT);
  }
  (void)dhcp6_parse_answer(&packet, &client, &offer);
}

/* The first byte says how the rest is looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  bool whole = fuzz_u8(&in) & 1U;
  size = in.left;
  uint8_t *copy = malloc(size ? size : 1U);
  assert_non_null(copy);
  (void)fuzz_bytes(&in, copy, size);
  if(whole) {
    check_frame(copy, size);
  } else {
    check_offer(copy, size);
  }
  free(copy);
  return 0;
}
