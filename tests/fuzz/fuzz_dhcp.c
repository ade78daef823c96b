/* fuzz_dhcp.c - DHCP messages of anybody, and UDP frames around them: nothing outside is read, what is read is bounded
 * and printable, and what a client writes is read as it was meant. */
#include "fuzz.h"

#include "dhcp.h"
#include "unit.h"

static void check_text(const char *text, size_t size) {
  size_t length = strlen(text);
  assert_true(length < size);
  for(size_t i = 0; i < length; i++) {
    assert_true(text[i] >= 0x20 && text[i] < 0x7F);
  }
}

static void check_addresses(const struct dhcp_addresses *addresses) {
  assert_true(addresses->count <= DHCP_ADDRESSES_MAX);
}

static void check_pxe(const struct dhcp_pxe *pxe) {
  assert_true(pxe->server_count <= DHCP_ITEMS_MAX);
  assert_true(pxe->menu_count <= DHCP_ITEMS_MAX);
  for(uint32_t i = 0; i < pxe->server_count; i++) {
    check_addresses(&pxe->servers[i].addresses);
  }
  for(uint32_t i = 0; i < pxe->menu_count; i++) {
    check_text(pxe->menu[i].text, DHCP_ITEM_SIZE);
  }
  check_text(pxe->prompt, sizeof(pxe->prompt));
}

static void check(const struct dhcp_offer *offer) {
  uint32_t faults = offer->faults;
  while(dhcp_next_fault(&faults)) {
  }
  assert_int_equal(faults, 0);
  assert_true(offer->overload <= 3U);
  check_addresses(&offer->routers);
  check_addresses(&offer->dns);
  check_text(offer->host, sizeof(offer->host));
  check_text(offer->domain, sizeof(offer->domain));
  check_text(offer->message, sizeof(offer->message));
  check_text(offer->vendor_class, sizeof(offer->vendor_class));
  check_text(offer->server_name, sizeof(offer->server_name));
  check_text(offer->boot_file, sizeof(offer->boot_file));
  check_pxe(&offer->pxe);
  assert_false(dhcp_wants_boot_request(offer) && dhcp_has_boot_file(offer));
  assert_false(dhcp_is_proxy(offer) && offer->address != 0);
}

/* Every option lies in the message, and the walk ends. */
static void walk(const uint8_t *message, size_t length) {
  struct dhcp_option option;
  size_t at = 0;
  size_t bytes = 0;
  while(dhcp_next_option(message, length, &at, &option)) {
    assert_true(option.data >= message && option.data + option.length <= message + length);
    assert_true(option.code != 0 && option.code != 255);
    (void)dhcp_option_name(option.code);
    bytes += 2U + option.length;
    assert_true(bytes <= length);
  }
}

/* What the client asks with the answer in hand, read again. */
static void answer(const struct dhcp_offer *offer, uint8_t how) {
  uint8_t message[DHCP_MESSAGE_SIZE];
  struct dhcp_offer said;
  struct dhcp_client client = {.kind = (enum dhcp_kind)(how % 3U), .machine = (enum dhcp_machine)(how / 3U % 3U)};
  client.xid = offer->xid;
  memcpy(client.mac, offer->mac, sizeof(client.mac));
  size_t length = dhcp_request(message, &client, offer);
  assert_true(dhcp_parse(message, length, &said));
  assert_int_equal(said.faults, 0);
  assert_int_equal(said.wanted, offer->address);
  assert_int_equal(said.server, offer->server);
  assert_int_equal(said.arch, dhcp_arch(client.kind, client.machine));
  length = dhcp_boot_request(message, &client, offer, offer->address, offer->pxe.menu[0].type);
  assert_true(dhcp_parse(message, length, &said));
  assert_int_equal(said.faults, 0);
}

static void parse_message(const uint8_t *data, size_t size, uint8_t how) {
  struct dhcp_offer offer;
  uint8_t *message = malloc(size ? size : 1U);
  assert_non_null(message);
  if(size > 0) {
    memcpy(message, data, size);
  }
  if(dhcp_parse(message, size, &offer)) {
    check(&offer);
    answer(&offer, how);
  }
  walk(message, size);
  free(message);
}

static void parse_frame(const uint8_t *data, size_t size) {
  struct udp_packet packet;
  struct dhcp_offer offer;
  const struct dhcp_client client = {.xid = 0xCAFE1234, .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}};
  uint8_t again[1514];
  uint8_t *frame = malloc(size ? size : 1U);
  assert_non_null(frame);
  if(size > 0) {
    memcpy(frame, data, size);
  }
  if(udp_parse(frame, size, &packet)) {
    assert_true(!packet.data || (packet.data >= frame && packet.data + packet.data_length <= frame + size));
    if(dhcp_parse_answer(&packet, &client, &offer)) {
      check(&offer);
    }
    if(packet.fault == INET_SOUND && packet.data_length <= UDP_DATA_MAX) {
      struct udp_packet read;
      size_t length = udp_write(again, &packet.way, 0, packet.data, packet.data_length);
      assert_true(udp_parse(again, length, &read));
      assert_int_equal(read.fault, INET_SOUND);
      assert_memory_equal(&read.way, &packet.way, sizeof(read.way));
      assert_int_equal(read.data_length, packet.data_length);
    }
  }
  free(frame);
}

/* The first byte says how the rest is looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  uint8_t how = fuzz_u8(&in);
  if(how & 0x80U) {
    parse_frame(in.at, in.left);
  } else {
    parse_message(in.at, in.left, how);
  }
  return 0;
}
