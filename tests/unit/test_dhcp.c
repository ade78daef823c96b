/* test_dhcp.c - tests of the DHCP client's messages and of what is read from answers: by hand, by scapy, and broken. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "dhcp.h"
#include "dhcp_packets.h"

static const struct dhcp_client client = {
    .kind = DHCP_PXE, .machine = DHCP_X64, .xid = 0xCAFE1234, .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}};

/* A message that grows option by option. */
struct draft {
  uint8_t bytes[1472];
  size_t length;
};

static void begin(struct draft *draft, uint8_t type) {
  memset(draft, 0, sizeof(*draft));
  draft->bytes[0] = 2;
  draft->bytes[1] = 1;
  draft->bytes[2] = 6;
  memcpy(draft->bytes + 4, (const uint8_t[]){0xCA, 0xFE, 0x12, 0x34}, 4);
  memcpy(draft->bytes + 28, client.mac, 6);
  memcpy(draft->bytes + 236, (const uint8_t[]){0x63, 0x82, 0x53, 0x63}, 4);
  draft->length = 240;
  if(type) {
    memcpy(draft->bytes + 240, (const uint8_t[]){53, 1, type}, 3);
    draft->length = 243;
  }
}

static void add(struct draft *draft, uint8_t code, const void *data, size_t length) {
  assert_true(draft->length + 2U + length < sizeof(draft->bytes));
  draft->bytes[draft->length] = code;
  draft->bytes[draft->length + 1U] = (uint8_t)length;
  memcpy(draft->bytes + draft->length + 2U, data, length);
  draft->length += 2U + length;
}

static void add_server(struct draft *draft) {
  add(draft, 54, (const uint8_t[]){10, 0, 0, 1}, 4);
}

static void finish(struct draft *draft) {
  draft->bytes[draft->length++] = 255;
}

/* A copy exactly as long as it is, so that reading one byte further is caught. */
static bool parse(const uint8_t *message, size_t length, struct dhcp_offer *offer) {
  uint8_t *copy = malloc(length ? length : 1U);
  assert_non_null(copy);
  memcpy(copy, message, length);
  memset(offer, 0xA5, sizeof(*offer));
  bool good = dhcp_parse(copy, length, offer);
  free(copy);
  return good;
}

static struct dhcp_offer read(const struct draft *draft) {
  struct dhcp_offer offer;
  assert_true(parse(draft->bytes, draft->length, &offer));
  return offer;
}

static struct dhcp_offer read_frame(const uint8_t *frame, size_t length) {
  struct udp_packet packet;
  struct dhcp_offer offer;
  assert_true(udp_parse(frame, length, &packet));
  assert_true(dhcp_parse_answer(&packet, &client, &offer));
  return offer;
}

/* Asking ---------------------------------------------------------------------------------------------------------- */

/* The data of an option of a message of ours; there must be one, and whole. */
static struct dhcp_option option_of(const uint8_t *message, size_t length, uint8_t code) {
  struct dhcp_option option;
  struct dhcp_option found = {0};
  size_t at = 0;
  while(dhcp_next_option(message, length, &at, &option)) {
    if(option.code == code) {
      assert_int_equal(found.code, 0);
      found = option;
    }
  }
  return found;
}

static void test_discover(void **state) {
  (void)state;
  static const struct {
    enum dhcp_kind kind;
    enum dhcp_machine machine;
    const char *vendor_class; /* UEFI 2.10 24.3.3, 24.7.2.3 */
    uint16_t arch;
  } cases[] = {
      {DHCP_PXE, DHCP_X64, "PXEClient:Arch:00007:UNDI:003000", 7},
      {DHCP_PXE, DHCP_IA32, "PXEClient:Arch:00006:UNDI:003000", 6},
      {DHCP_PXE, DHCP_AARCH64, "PXEClient:Arch:00011:UNDI:003000", 11},
      {DHCP_HTTP, DHCP_X64, "HTTPClient:Arch:00016:UNDI:003000", 16},
      {DHCP_HTTP, DHCP_IA32, "HTTPClient:Arch:00015:UNDI:003000", 15},
      {DHCP_HTTP, DHCP_AARCH64, "HTTPClient:Arch:00019:UNDI:003000", 19},
      {DHCP_PLAIN, DHCP_X64, "", 0},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t message[DHCP_MESSAGE_SIZE];
    struct dhcp_client asker = client;
    struct dhcp_offer said;
    asker.kind = cases[i].kind;
    asker.machine = cases[i].machine;
    asker.seconds = 0x1234;
    memset(asker.uuid, 0xAB, sizeof(asker.uuid));
    size_t length = dhcp_discover(message, &asker);
    assert_in_range(length, 300, DHCP_MESSAGE_SIZE);
    assert_true(parse(message, length, &said));
    assert_int_equal(said.op, 1);
    assert_int_equal(said.type, DHCP_DISCOVER);
    assert_int_equal(said.faults, 0);
    assert_int_equal(said.xid, client.xid);
    assert_int_equal(said.seconds, 0x1234);
    assert_true(said.broadcast);
    assert_memory_equal(said.mac, client.mac, 6);
    assert_int_equal(said.ciaddr | said.address | said.siaddr | said.relay | said.server | said.wanted, 0);
    assert_string_equal(said.vendor_class, cases[i].vendor_class);
    assert_int_equal(said.has_arch, cases[i].arch != 0);
    assert_int_equal(said.arch, cases[i].arch);
    assert_int_equal(dhcp_arch(cases[i].kind, cases[i].machine), cases[i].arch);
    assert_int_equal(said.has_uuid, cases[i].arch != 0);
    struct dhcp_option undi = option_of(message, length, 94);
    struct dhcp_option wanted = option_of(message, length, 55);
    if(cases[i].arch) {
      assert_memory_equal(said.uuid, asker.uuid, 16);
      assert_int_equal(undi.length, 3);
      assert_memory_equal(undi.data, ((const uint8_t[]){1, 3, 0}), 3);
    } else {
      assert_int_equal(undi.code, 0);
    }
    static const uint8_t needed[] = {1, 3, 6, 15, 43, 51, 54, 58, 59, 60, 66, 67, 97};
    for(size_t n = 0; n < sizeof(needed); n++) {
      assert_non_null(memchr(wanted.data, needed[n], wanted.length));
    }
    asker.unicast = true;
    length = dhcp_discover(message, &asker);
    assert_true(parse(message, length, &said));
    assert_false(said.broadcast);
  }
}

static void test_other_messages(void **state) {
  (void)state;
  uint8_t message[DHCP_MESSAGE_SIZE];
  struct dhcp_offer said;
  const struct dhcp_offer offer = {.address = 0x0A000057, .server = 0x0A000001};

  size_t length = dhcp_request(message, &client, &offer);
  assert_true(parse(message, length, &said));
  assert_int_equal(said.type, DHCP_REQUEST);
  assert_int_equal(said.server, offer.server);
  assert_int_equal(said.wanted, offer.address);
  assert_int_equal(said.ciaddr, 0); /* RFC 2131 table 5, SELECTING */
  assert_int_equal(said.arch, 7);
  assert_string_equal(said.vendor_class, "PXEClient:Arch:00007:UNDI:003000");

  length = dhcp_decline(message, &client, &offer);
  assert_true(parse(message, length, &said));
  assert_int_equal(said.type, DHCP_DECLINE);
  assert_int_equal(said.server, offer.server);
  assert_int_equal(said.wanted, offer.address);
  assert_int_equal(said.ciaddr, 0);
  assert_false(said.broadcast);
  assert_int_equal(option_of(message, length, 55).code, 0); /* MUST NOT */

  length = dhcp_release(message, &client, &offer);
  assert_true(parse(message, length, &said));
  assert_int_equal(said.type, DHCP_RELEASE);
  assert_int_equal(said.server, offer.server);
  assert_int_equal(said.ciaddr, offer.address);
  assert_int_equal(said.wanted, 0); /* MUST NOT */

  length = dhcp_boot_request(message, &client, &offer, 0x0A000063, 0x8001);
  assert_true(parse(message, length, &said));
  assert_int_equal(said.type, DHCP_REQUEST);
  assert_int_equal(said.ciaddr, 0x0A000063);
  assert_int_equal(said.server, offer.server);
  assert_true(said.pxe.has_item);
  assert_int_equal(said.pxe.item_type, 0x8001);
  assert_int_equal(said.pxe.item_layer, 0);
  assert_int_equal(said.faults, 0);
}

static void test_broadcast(void **state) {
  (void)state;
  uint8_t message[DHCP_MESSAGE_SIZE];
  uint8_t frame[1514];
  struct udp_packet packet;
  size_t length = dhcp_broadcast(frame, &client, message, dhcp_discover(message, &client));
  assert_true(udp_parse(frame, length, &packet));
  assert_int_equal(packet.fault, INET_SOUND);
  assert_int_equal(packet.way.source, 0);
  assert_int_equal(packet.way.destination, UINT32_MAX);
  assert_int_equal(packet.way.source_port, 68);
  assert_int_equal(packet.way.destination_port, 67);
  assert_memory_equal(packet.way.source_mac, client.mac, 6);
  assert_memory_equal(packet.way.destination_mac, "\xFF\xFF\xFF\xFF\xFF\xFF", 6);
  assert_int_equal(dhcp_broadcast(frame, &client, frame, 1473), 0);
}

/* Answers --------------------------------------------------------------------------------------------------------- */

static void test_http_offer(void **state) {
  (void)state;
  struct dhcp_offer offer = read_frame(http_offer, sizeof(http_offer));
  assert_int_equal(offer.type, DHCP_OFFER);
  assert_int_equal(offer.faults, 0);
  assert_int_equal(offer.address, 0xC0A84D39);
  assert_int_equal(offer.siaddr, 0xC0A84D01);
  assert_int_equal(offer.server, 0xC0A84D01);
  assert_int_equal(offer.mask, 0xFFFFFF00);
  assert_int_equal(offer.routers.count, 1);
  assert_int_equal(dhcp_gateway(&offer), 0xC0A84D01);
  assert_int_equal(offer.dns.count, 2);
  assert_int_equal(offer.dns.at[1], 0x09090909);
  assert_string_equal(offer.domain, "example.org");
  assert_true(offer.has_lease);
  assert_int_equal(offer.lease_s, 3600);
  assert_int_equal(offer.renew_s, 1800);
  assert_int_equal(offer.rebind_s, 3150);
  assert_string_equal(offer.boot_file, "http://192.168.77.1:8000/menios.img");
  assert_true(offer.file_in_option);
  assert_true(dhcp_is_url(&offer));
  assert_true(dhcp_is_http(&offer));
  assert_true(dhcp_has_boot_file(&offer));
  assert_false(dhcp_is_proxy(&offer));
  assert_false(dhcp_wants_boot_request(&offer));
  assert_false(offer.pxe.there);
}

static void test_proxy_offer(void **state) {
  (void)state;
  struct dhcp_offer offer = read_frame(proxy_offer, sizeof(proxy_offer));
  assert_int_equal(offer.faults, 0);
  assert_true(dhcp_is_proxy(&offer));
  assert_false(dhcp_is_http(&offer));
  assert_false(dhcp_has_boot_file(&offer));
  assert_true(dhcp_wants_boot_request(&offer));
  assert_true(offer.has_uuid);
  assert_int_equal(offer.uuid[15], 15);
  const struct dhcp_pxe *pxe = &offer.pxe;
  assert_true(pxe->there);
  assert_true(pxe->has_control);
  assert_true(pxe->no_broadcast && pxe->no_multicast);
  assert_false(pxe->listed_only || pxe->no_discover);
  assert_int_equal(pxe->server_count, 1);
  assert_int_equal(pxe->servers[0].type, 0x8000);
  assert_int_equal(pxe->servers[0].addresses.count, 1);
  assert_int_equal(pxe->servers[0].addresses.at[0], 0xC0A84D03);
  assert_int_equal(pxe->menu_count, 1);
  assert_int_equal(pxe->menu[0].type, 0x8000);
  assert_string_equal(pxe->menu[0].text, "Boot it!");
  assert_true(pxe->has_prompt);
  assert_int_equal(pxe->prompt_seconds, 0);
  assert_string_equal(pxe->prompt, "Menu");
  assert_int_equal(dhcp_next_server(&offer), 0xC0A84D03);
}

/* Whose answer it is. */
static void test_answers(void **state) {
  (void)state;
  struct udp_packet packet;
  struct dhcp_offer offer;
  struct dhcp_client other = client;
  assert_true(udp_parse(http_offer, sizeof(http_offer), &packet));
  assert_true(dhcp_parse_answer(&packet, &client, &offer));
  other.xid++;
  assert_false(dhcp_parse_answer(&packet, &other, &offer));
  other = client;
  other.mac[5]++;
  assert_false(dhcp_parse_answer(&packet, &other, &offer));
  packet.way.destination_port = 67;
  assert_false(dhcp_parse_answer(&packet, &client, &offer));
  packet.way.source_port = 4011;
  assert_true(dhcp_parse_answer(&packet, &client, &offer));
  packet.fault = INET_OTHER_VLAN;
  assert_false(dhcp_parse_answer(&packet, &client, &offer));

  /* a client's own words are no answer */
  uint8_t message[DHCP_MESSAGE_SIZE];
  uint8_t frame[1514];
  size_t length = dhcp_broadcast(frame, &client, message, dhcp_discover(message, &client));
  assert_true(udp_parse(frame, length, &packet));
  packet.way.destination_port = 68;
  assert_false(dhcp_parse_answer(&packet, &client, &offer));
}

static void test_fields(void **state) {
  (void)state;
  struct draft draft;
  begin(&draft, DHCP_OFFER);
  add_server(&draft);
  memcpy(draft.bytes + 108, "pxelinux.0", 10);
  memcpy(draft.bytes + 44, "files", 5);
  draft.bytes[24] = 10; /* giaddr 10.0.0.0 */
  draft.bytes[12] = 11; /* ciaddr */
  finish(&draft);
  struct dhcp_offer offer = read(&draft);
  assert_int_equal(offer.faults, 0);
  assert_string_equal(offer.boot_file, "pxelinux.0");
  assert_string_equal(offer.server_name, "files");
  assert_false(offer.file_in_option);
  assert_int_equal(offer.relay, 0x0A000000);
  assert_int_equal(offer.ciaddr, 0x0B000000);
  assert_int_equal(dhcp_next_server(&offer), 0x0A000001); /* no siaddr: the server itself */
  assert_false(dhcp_is_url(&offer));
  assert_false(offer.has_lease);

  /* full fields have no zero at their end */
  memset(draft.bytes + 108, 'f', 128);
  memset(draft.bytes + 44, 's', 64);
  offer = read(&draft);
  assert_int_equal(strlen(offer.boot_file), 128);
  assert_int_equal(strlen(offer.server_name), 64);

  /* options come before fields */
  draft.length--;
  add(&draft, 67, "http://x/y", 10);
  add(&draft, 66, "name", 4);
  finish(&draft);
  offer = read(&draft);
  assert_string_equal(offer.boot_file, "http://x/y");
  assert_string_equal(offer.server_name, "name");
  assert_true(dhcp_is_url(&offer));
}

static void test_overload(void **state) {
  (void)state;
  static const uint8_t router[] = {10, 0, 0, 254};
  for(uint8_t overload = 0; overload <= 4; overload++) {
    struct draft draft;
    begin(&draft, DHCP_OFFER);
    add_server(&draft);
    add(&draft, 52, &overload, 1);
    finish(&draft);
    memcpy(draft.bytes + 108, (const uint8_t[]){67, 4, 'f', 'i', 'l', 'e', 255}, 7);
    memcpy(draft.bytes + 44, (const uint8_t[]){3, 4, router[0], router[1], router[2], router[3], 255}, 7);
    struct dhcp_offer offer = read(&draft);
    bool file = overload == 1 || overload == 3;
    bool sname = overload == 2 || overload == 3;
    assert_int_equal(offer.overload, file + 2 * sname);
    assert_int_equal((offer.faults & DHCP_FAULT_OVERLOAD) != 0, overload == 0 || overload == 4);
    assert_string_equal(offer.boot_file, file ? "file" : "C?file?");
    assert_int_equal(dhcp_gateway(&offer), sname ? 0x0A0000FE : 0);
    assert_string_equal(offer.server_name, sname ? "" : "???");
  }
  /* An option 52 in an overloaded field means nothing. */
  struct draft draft;
  begin(&draft, DHCP_OFFER);
  add_server(&draft);
  add(&draft, 52, (const uint8_t[]){1}, 1);
  finish(&draft);
  memcpy(draft.bytes + 108, (const uint8_t[]){52, 1, 3, 255}, 4);
  memcpy(draft.bytes + 44, "files", 5);
  struct dhcp_offer offer = read(&draft);
  assert_int_equal(offer.overload, 1);
  assert_string_equal(offer.server_name, "files");
}

/* RFC 3396: the parts of an option are one, across fields, in the order options, file, sname. */
static void test_joined(void **state) {
  (void)state;
  struct draft draft;
  char url[600];
  memset(url, 'u', sizeof(url));
  memcpy(url, "http://a/", 9);
  begin(&draft, DHCP_OFFER);
  add_server(&draft);
  add(&draft, 67, url, 255);
  add(&draft, 51, (const uint8_t[]){0, 0, 0, 9}, 4);
  add(&draft, 67, url + 255, 255);
  add(&draft, 52, (const uint8_t[]){3}, 1);
  add(&draft, 67, url + 510, 0);
  finish(&draft);
  memcpy(draft.bytes + 108, (const uint8_t[]){67, 5, 'F', 'I', 'L', 'E', '-', 255}, 8);
  memcpy(draft.bytes + 44, (const uint8_t[]){67, 5, 'S', 'N', 'A', 'M', 'E', 255}, 8);
  struct dhcp_offer offer = read(&draft);
  assert_int_equal(offer.faults, 0);
  assert_int_equal(strlen(offer.boot_file), 520);
  assert_memory_equal(offer.boot_file, url, 510);
  assert_string_equal(offer.boot_file + 510, "FILE-SNAME");
  assert_int_equal(offer.lease_s, 9);

  /* more than there is room for, in the text and in the joining */
  for(uint32_t parts = 4; parts <= 5; parts++) {
    begin(&draft, DHCP_OFFER);
    add_server(&draft);
    for(uint32_t i = 0; i < parts - 1U; i++) {
      add(&draft, 67, url, 255);
    }
    add(&draft, 67, url, parts == 4 ? 255 : 120);
    finish(&draft);
    offer = read(&draft);
    assert_int_equal(offer.faults, DHCP_FAULT_TEXT);
    assert_int_equal(strlen(offer.boot_file), DHCP_FILE_SIZE - 1U);
    assert_memory_equal(offer.boot_file, url, 255);
  }
}

static void test_repeated(void **state) {
  (void)state;
  struct draft draft;
  begin(&draft, DHCP_OFFER);
  add_server(&draft);
  add(&draft, 54, (const uint8_t[]){10, 0, 0, 2}, 4);
  add(&draft, 53, (const uint8_t[]){DHCP_NAK}, 1);
  finish(&draft);
  struct dhcp_offer offer = read(&draft);
  assert_int_equal(offer.faults, DHCP_FAULT_REPEATED);
  assert_int_equal(offer.server, 0x0A000001);
  assert_int_equal(offer.type, DHCP_OFFER);

  /* a list of addresses goes on */
  begin(&draft, DHCP_OFFER);
  add_server(&draft);
  add(&draft, 3, (const uint8_t[]){10, 0, 0, 2}, 4);
  add(&draft, 3, (const uint8_t[]){10, 0, 0, 3}, 4);
  finish(&draft);
  offer = read(&draft);
  assert_int_equal(offer.faults, 0);
  assert_int_equal(offer.routers.count, 2);
  assert_int_equal(offer.routers.at[1], 0x0A000003);
}

static void test_faults(void **state) {
  (void)state;
  static const uint8_t zeroes[64];
  struct draft draft;
  begin(&draft, DHCP_OFFER);
  add_server(&draft);
  struct dhcp_offer offer = read(&draft); /* no end */
  assert_int_equal(offer.faults, DHCP_FAULT_NO_END);
  assert_int_equal(offer.server, 0x0A000001);

  draft.bytes[draft.length++] = 6; /* cut: a code without a length */
  offer = read(&draft);
  assert_int_equal(offer.faults, DHCP_FAULT_CUT);
  draft.bytes[draft.length++] = 4; /* and one byte less than its length */
  draft.length += 3;
  offer = read(&draft);
  assert_int_equal(offer.faults, DHCP_FAULT_CUT);
  assert_int_equal(offer.dns.count, 0);
  assert_int_equal(offer.server, 0x0A000001);

  static const struct {
    uint8_t code;
    size_t length;
  } lengths[] = {{1, 3},  {1, 5},  {3, 0},  {3, 3},  {3, 5},  {6, 7},   {51, 2},  {54, 3},
                 {58, 8}, {59, 0}, {13, 1}, {93, 1}, {93, 3}, {97, 16}, {97, 18}, {50, 1}};
  for(size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    begin(&draft, DHCP_OFFER);
    if(lengths[i].code != 54) {
      add_server(&draft);
    }
    add(&draft, lengths[i].code, zeroes, lengths[i].length);
    finish(&draft);
    offer = read(&draft);
    assert_int_equal(offer.faults, DHCP_FAULT_LENGTH | (lengths[i].code == 54 ? DHCP_FAULT_NO_SERVER : 0));
    assert_int_equal(offer.routers.count, lengths[i].code == 3 && lengths[i].length == 5);
  }

  begin(&draft, 0); /* BOOTP */
  finish(&draft);
  offer = read(&draft);
  assert_int_equal(offer.type, DHCP_BOOTP);
  assert_int_equal(offer.faults, DHCP_FAULT_NO_TYPE);
  begin(&draft, DHCP_ACK);
  finish(&draft);
  assert_int_equal(read(&draft).faults, DHCP_FAULT_NO_SERVER);

  static const struct {
    uint8_t mask[4];
    uint32_t faults;
  } masks[] = {{{0, 0, 0, 0}, 0},
               {{255, 255, 255, 255}, 0},
               {{255, 255, 254, 0}, 0},
               {{255, 0, 255, 0}, DHCP_FAULT_MASK},
               {{0, 255, 255, 255}, DHCP_FAULT_MASK}};
  for(size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
    begin(&draft, DHCP_OFFER);
    add_server(&draft);
    add(&draft, 1, masks[i].mask, 4);
    finish(&draft);
    assert_int_equal(read(&draft).faults, masks[i].faults);
  }

  begin(&draft, DHCP_NAK); /* 9 addresses, and a message that is not ASCII */
  add_server(&draft);
  add(&draft, 6, zeroes, 36);
  finish(&draft);
  offer = read(&draft);
  assert_int_equal(offer.faults, DHCP_FAULT_MANY);
  assert_int_equal(offer.dns.count, DHCP_ADDRESSES_MAX);
  begin(&draft, DHCP_NAK);
  add_server(&draft);
  add(&draft, 56, "no\033[2J\xE9.\0\0", 10);
  finish(&draft);
  offer = read(&draft);
  assert_int_equal(offer.faults, DHCP_FAULT_TEXT);
  assert_string_equal(offer.message, "no?[2J?.");
}

static void test_fault_texts(void **state) {
  (void)state;
  uint32_t faults = 0x7FF;
  for(uint32_t i = 0; i < 11; i++) {
    assert_non_null(dhcp_next_fault(&faults));
  }
  assert_int_equal(faults, 0);
  assert_null(dhcp_next_fault(&faults));
  faults = DHCP_FAULT_MASK | DHCP_FAULT_CUT;
  assert_string_equal(dhcp_next_fault(&faults), "an option is longer than the field it is in");
  assert_string_equal(dhcp_next_fault(&faults), "the subnet mask has holes");
}

/* Not a DHCP message at all. */
static void test_others(void **state) {
  (void)state;
  struct dhcp_offer offer;
  struct draft draft;
  begin(&draft, DHCP_OFFER);
  finish(&draft);
  for(size_t length = 0; length < 240; length++) {
    assert_false(parse(draft.bytes, length, &offer));
  }
  assert_true(parse(draft.bytes, 240, &offer));
  static const struct {
    size_t at;
    uint8_t value;
  } changes[] = {{0, 0}, {0, 3}, {1, 6}, {2, 16}, {236, 0}, {239, 0x64}};
  for(size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
    uint8_t before = draft.bytes[changes[i].at];
    draft.bytes[changes[i].at] = changes[i].value;
    assert_false(parse(draft.bytes, draft.length, &offer));
    draft.bytes[changes[i].at] = before;
  }
}

/* Every cut of a real answer is read without reading behind it, and loses nothing that came before the cut. */
static void test_every_cut(void **state) {
  (void)state;
  const uint8_t *message = proxy_offer + UDP_HEADERS;
  size_t whole = sizeof(proxy_offer) - UDP_HEADERS;
  for(size_t length = 240; length < whole; length++) {
    struct dhcp_offer offer;
    assert_true(parse(message, length, &offer));
    assert_true(offer.faults & (DHCP_FAULT_CUT | DHCP_FAULT_NO_END));
    assert_int_equal(offer.siaddr, 0xC0A84D03);
  }
}

/* Option 43 ------------------------------------------------------------------------------------------------------- */

static struct dhcp_offer read_vendor(const uint8_t *data, size_t length, const char *vendor_class) {
  struct draft draft;
  begin(&draft, DHCP_OFFER);
  add_server(&draft);
  add(&draft, 60, vendor_class, strlen(vendor_class));
  add(&draft, 43, data, length);
  finish(&draft);
  return read(&draft);
}

static void test_vendor(void **state) {
  (void)state;
  static const uint8_t parts[] = {0, 0, 6, 1, 0x0C, 7, 4, 239, 1, 2, 3, 71, 4, 0, 1, 0x80, 2, 255, 99};
  struct dhcp_offer offer = read_vendor(parts, sizeof(parts), "PXEClient");
  assert_int_equal(offer.faults, 0);
  assert_true(offer.pxe.listed_only && offer.pxe.no_discover);
  assert_false(offer.pxe.no_broadcast || offer.pxe.no_multicast);
  assert_int_equal(offer.pxe.multicast, 0xEF010203);
  assert_int_equal(offer.pxe.item_type, 1);
  assert_int_equal(offer.pxe.item_layer, 0x8002);

  offer = read_vendor(parts, sizeof(parts), "MSFT 5.0"); /* another vendor's options mean something else */
  assert_false(offer.pxe.there);
  assert_int_equal(offer.faults, 0);

  static const struct {
    uint8_t bytes[12];
    size_t length;
  } bad[] = {
      {{6}, 1},
      {{6, 0}, 2},
      {{6, 2, 1}, 3},
      {{7, 3, 1, 2, 3}, 5},
      {{8, 2, 0, 1}, 4},
      {{8, 6, 0, 1, 1, 1, 2, 3}, 8},
      {{8, 8, 0, 1, 1, 1, 2, 3, 4, 0}, 10},
      {{9, 4, 0, 1, 2, 'x'}, 6},
      {{10, 0}, 2},
      {{71, 3, 0, 1, 0}, 5},
  };
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    offer = read_vendor(bad[i].bytes, bad[i].length, "PXEClient");
    assert_int_equal(offer.faults, DHCP_FAULT_VENDOR);
  }
}

static void test_vendor_many(void **state) {
  (void)state;
  uint8_t parts[255];
  struct dhcp_offer offer;
  for(uint8_t count = DHCP_ITEMS_MAX; count <= DHCP_ITEMS_MAX + 1U; count++) {
    uint32_t faults = count > DHCP_ITEMS_MAX ? DHCP_FAULT_MANY : 0;
    parts[0] = 8;
    parts[1] = (uint8_t)(count * 7U);
    for(uint8_t i = 0; i < count; i++) {
      memcpy(parts + 2U + 7U * i, (const uint8_t[]){0, i, 1, 10, 0, 0, i}, 7);
    }
    offer = read_vendor(parts, 2U + parts[1], "PXEClient");
    assert_int_equal(offer.faults, faults);
    assert_int_equal(offer.pxe.server_count, DHCP_ITEMS_MAX);
    assert_int_equal(offer.pxe.servers[7].addresses.at[0], 0x0A000007);

    parts[0] = 9;
    parts[1] = (uint8_t)(count * 4U);
    for(uint8_t i = 0; i < count; i++) {
      memcpy(parts + 2U + 4U * i, (const uint8_t[]){0, i, 1, (uint8_t)('A' + i)}, 4);
    }
    offer = read_vendor(parts, 2U + parts[1], "PXEClient");
    assert_int_equal(offer.faults, faults);
    assert_int_equal(offer.pxe.menu_count, DHCP_ITEMS_MAX);
    assert_string_equal(offer.pxe.menu[7].text, "H");
  }
  /* one line that is longer than its room */
  memset(parts, 'x', sizeof(parts));
  memcpy(parts, (const uint8_t[]){9, 103, 0, 1, 100}, 5);
  offer = read_vendor(parts, 105, "PXEClient");
  assert_int_equal(offer.faults, DHCP_FAULT_TEXT);
  assert_int_equal(strlen(offer.pxe.menu[0].text), DHCP_ITEM_SIZE - 1U);
}

/* Walking --------------------------------------------------------------------------------------------------------- */

static void test_walk(void **state) {
  (void)state;
  struct draft draft;
  begin(&draft, DHCP_OFFER);
  draft.bytes[draft.length++] = 0; /* a pad */
  add(&draft, 52, (const uint8_t[]){3}, 1);
  finish(&draft);
  memcpy(draft.bytes + 108, (const uint8_t[]){0, 12, 1, 'f'}, 4); /* no end: pads up to it */
  memcpy(draft.bytes + 44, (const uint8_t[]){15, 62}, 2);         /* fills its field to the last byte */
  static const struct {
    uint8_t code;
    uint8_t length;
    const char *field;
  } wanted[] = {{53, 1, "options"}, {52, 1, "options"}, {12, 1, "file"}, {15, 62, "sname"}};
  struct dhcp_option option;
  size_t at = 0;
  for(size_t i = 0; i < 4; i++) {
    assert_true(dhcp_next_option(draft.bytes, draft.length, &at, &option));
    assert_int_equal(option.code, wanted[i].code);
    assert_int_equal(option.length, wanted[i].length);
    assert_string_equal(option.field, wanted[i].field);
  }
  assert_false(dhcp_next_option(draft.bytes, draft.length, &at, &option));
  at = 0;
  assert_false(dhcp_next_option(draft.bytes, 100, &at, &option));
}

static void test_words(void **state) {
  (void)state;
  assert_string_equal(dhcp_type_text(DHCP_OFFER), "OFFER");
  assert_string_equal(dhcp_type_text(DHCP_INFORM), "INFORM");
  assert_string_equal(dhcp_type_text(9), "unknown message");
  assert_string_equal(dhcp_option_name(1), "subnet mask");
  assert_null(dhcp_option_name(5));
  assert_null(dhcp_option_name(255));
  assert_string_equal(dhcp_arch_text(7), "x64 UEFI");
  assert_string_equal(dhcp_arch_text(19), "AArch64 UEFI by HTTP");
  assert_null(dhcp_arch_text(1));
  assert_null(dhcp_arch_text(0xFFFF));
  assert_string_equal(dhcp_kind_text(DHCP_HTTP), "HTTP");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_discover),    cmocka_unit_test(test_other_messages), cmocka_unit_test(test_broadcast),
      cmocka_unit_test(test_http_offer),  cmocka_unit_test(test_proxy_offer),    cmocka_unit_test(test_answers),
      cmocka_unit_test(test_fields),      cmocka_unit_test(test_overload),       cmocka_unit_test(test_joined),
      cmocka_unit_test(test_repeated),    cmocka_unit_test(test_faults),         cmocka_unit_test(test_fault_texts),
      cmocka_unit_test(test_others),      cmocka_unit_test(test_every_cut),      cmocka_unit_test(test_vendor),
      cmocka_unit_test(test_vendor_many), cmocka_unit_test(test_walk),           cmocka_unit_test(test_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
