/* dhcp.c - a DHCP client's messages (RFC 2131 4.4, RFC 4578, UEFI 2.10 24.3 and 24.7), and what an answer means to it.
 * Pure C, tested on the host. */
#include "dhcp.h"

#include <string.h>

#include "bytes.h"
#include "dhcp_internal.h"

#define OP_REQUEST     1U
#define HTYPE_ETHERNET 1U
#define FLAG_BROADCAST 0x8000U
#define MESSAGE_MIN    300U  /* RFC 1542 2.1: some relays and servers drop what is shorter */
#define SIZE_TAKEN     1472U /* option 57: what fits a frame                               */

/* Architectures -------------------------------------------------------------------------------------------------- */

uint16_t dhcp_arch(enum dhcp_kind kind, enum dhcp_machine machine) {
  static const uint16_t numbers[][2] = {[DHCP_X64] = {7, 16}, [DHCP_IA32] = {6, 15}, [DHCP_AARCH64] = {11, 19}};
  return kind == DHCP_PLAIN ? 0 : numbers[machine][kind == DHCP_HTTP];
}

const char *dhcp_arch_text(uint32_t arch) {
  static const char *const texts[] = {
      [0] = "x86 BIOS",
      [6] = "ia32 UEFI",
      [7] = "x64 UEFI",
      [9] = "x64 UEFI", /* RFC 4578 has 7 and 9 the wrong way round, and clients of both kinds exist */
      [10] = "32-bit ARM UEFI",
      [11] = "AArch64 UEFI",
      [15] = "ia32 UEFI by HTTP",
      [16] = "x64 UEFI by HTTP",
      [18] = "32-bit ARM UEFI by HTTP",
      [19] = "AArch64 UEFI by HTTP",
      [20] = "x86 BIOS by HTTP",
      [27] = "64-bit RISC-V UEFI",
      [28] = "64-bit RISC-V UEFI by HTTP",
  };
  return arch < sizeof(texts) / sizeof(texts[0]) ? texts[arch] : NULL;
}

const char *dhcp_kind_text(enum dhcp_kind kind) {
  static const char *const texts[] = {[DHCP_PLAIN] = "plain", [DHCP_PXE] = "PXE", [DHCP_HTTP] = "HTTP"};
  return texts[kind];
}

const char *dhcp_type_text(uint32_t type) {
  static const char *const texts[] = {"BOOTP reply", "DISCOVER", "OFFER",   "REQUEST", "DECLINE",
                                      "ACK",         "NAK",      "RELEASE", "INFORM"};
  return type < sizeof(texts) / sizeof(texts[0]) ? texts[type] : "unknown message";
}

size_t dhcp_vendor_class(const struct dhcp_client *client, char text[DHCP_CLASS_SIZE]) {
  static const char *const names[] = {[DHCP_PXE] = "PXEClient:Arch:", [DHCP_HTTP] = "HTTPClient:Arch:"};
  static const char tail[] = ":UNDI:003000";
  if(client->kind == DHCP_PLAIN) {
    return 0;
  }
  uint32_t arch = dhcp_arch(client->kind, client->machine);
  size_t length = strlen(names[client->kind]);
  memcpy(text, names[client->kind], length);
  for(uint32_t unit = 10000; unit > 0; unit /= 10U) {
    text[length++] = (char)('0' + arch / unit % 10U);
  }
  memcpy(text + length, tail, sizeof(tail) - 1U);
  return length + sizeof(tail) - 1U;
}

/* Writing -------------------------------------------------------------------------------------------------------- */

struct writer {
  uint8_t *message;
  size_t at;
};

static void option(struct writer *to, uint8_t code, const void *data, size_t length) {
  to->message[to->at] = code;
  to->message[to->at + 1U] = (uint8_t)length;
  memcpy(to->message + to->at + 2U, data, length);
  to->at += 2U + length;
}

static void option8(struct writer *to, uint8_t code, uint8_t value) {
  option(to, code, &value, sizeof(value));
}

static void option16(struct writer *to, uint8_t code, uint16_t value) {
  uint8_t bytes[2];
  put16(bytes, value);
  option(to, code, bytes, sizeof(bytes));
}

static void option32(struct writer *to, uint8_t code, uint32_t value) {
  uint8_t bytes[4];
  put32(bytes, value);
  option(to, code, bytes, sizeof(bytes));
}

static void begin(struct writer *to, void *message, const struct dhcp_client *client, enum dhcp_type type) {
  uint8_t *bytes = message;
  memset(bytes, 0, DHCP_MESSAGE_SIZE);
  *to = (struct writer){.message = bytes, .at = DHCP_OPTIONS_AT};
  bytes[0] = OP_REQUEST;
  bytes[1] = HTYPE_ETHERNET;
  bytes[2] = sizeof(client->mac);
  put32(bytes + 4, client->xid);
  put16(bytes + 8, client->seconds);
  memcpy(bytes + 28, client->mac, sizeof(client->mac));
  put32(bytes + DHCP_OPTIONS_AT - 4U, DHCP_COOKIE);
  option8(to, DHCP_OPTION_TYPE, (uint8_t)type);
}

static size_t end(struct writer *to) {
  to->message[to->at++] = DHCP_OPTION_END;
  return to->at < MESSAGE_MIN ? MESSAGE_MIN : to->at;
}

/* What the client is and wants to know: the same in DISCOVER and REQUEST (RFC 2131 4.3.1). */
static void client_options(struct writer *to, const struct dhcp_client *client) {
  static const uint8_t undi[] = {1, 3, 0}; /* RFC 4578 2.2: an UNDI of version 3.0 */
  static const uint8_t parameters[] = {
      DHCP_OPTION_MASK,        DHCP_OPTION_ROUTER,    DHCP_OPTION_DNS,    DHCP_OPTION_HOST,
      DHCP_OPTION_FILE_SIZE,   DHCP_OPTION_DOMAIN,    DHCP_OPTION_VENDOR, DHCP_OPTION_LEASE,
      DHCP_OPTION_SERVER,      DHCP_OPTION_RENEW,     DHCP_OPTION_REBIND, DHCP_OPTION_VENDOR_CLASS,
      DHCP_OPTION_SERVER_NAME, DHCP_OPTION_BOOT_FILE, DHCP_OPTION_UUID,
  };
  char class[DHCP_CLASS_SIZE];
  uint8_t uuid[17] = {0}; /* type 0: a GUID */
  option16(to, DHCP_OPTION_MAX_SIZE, SIZE_TAKEN);
  option(to, DHCP_OPTION_PARAMETERS, parameters, sizeof(parameters));
  if(client->kind == DHCP_PLAIN) {
    return;
  }
  memcpy(uuid + 1, client->uuid, sizeof(client->uuid));
  option(to, DHCP_OPTION_UUID, uuid, sizeof(uuid));
  option(to, DHCP_OPTION_UNDI, undi, sizeof(undi));
  option16(to, DHCP_OPTION_ARCH, dhcp_arch(client->kind, client->machine));
  size_t length = dhcp_vendor_class(client, class);
  option(to, DHCP_OPTION_VENDOR_CLASS, class, length);
}

static void ask_for_broadcast(const struct writer *to, const struct dhcp_client *client) {
  put16(to->message + 10, client->unicast ? 0 : FLAG_BROADCAST);
}

size_t dhcp_discover(void *message, const struct dhcp_client *client) {
  struct writer to;
  begin(&to, message, client, DHCP_DISCOVER);
  ask_for_broadcast(&to, client);
  client_options(&to, client);
  return end(&to);
}

size_t dhcp_request(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer) {
  struct writer to;
  begin(&to, message, client, DHCP_REQUEST);
  ask_for_broadcast(&to, client);
  option32(&to, DHCP_OPTION_SERVER, offer->server);
  option32(&to, DHCP_OPTION_WANTED, offer->address);
  client_options(&to, client);
  return end(&to);
}

size_t dhcp_boot_request(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer,
                         uint32_t address, uint16_t boot_type) {
  uint8_t item[7] = {PXE_OPTION_ITEM, 4, 0, 0, 0, 0, DHCP_OPTION_END};
  struct writer to;
  begin(&to, message, client, DHCP_REQUEST);
  put32(to.message + 12, address);
  option32(&to, DHCP_OPTION_SERVER, offer->server);
  client_options(&to, client);
  put16(item + 2, boot_type);
  option(&to, DHCP_OPTION_VENDOR, item, sizeof(item));
  return end(&to);
}

size_t dhcp_decline(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer) {
  struct writer to;
  begin(&to, message, client, DHCP_DECLINE);
  option32(&to, DHCP_OPTION_SERVER, offer->server);
  option32(&to, DHCP_OPTION_WANTED, offer->address);
  return end(&to);
}

size_t dhcp_release(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer) {
  struct writer to;
  begin(&to, message, client, DHCP_RELEASE);
  put32(to.message + 12, offer->address);
  option32(&to, DHCP_OPTION_SERVER, offer->server);
  return end(&to);
}

size_t dhcp_broadcast(void *frame, const struct dhcp_client *client, const void *message, size_t length) {
  struct udp_way way = {.destination_mac = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
                        .destination = UINT32_MAX,
                        .source_port = DHCP_CLIENT_PORT,
                        .destination_port = DHCP_SERVER_PORT};
  memcpy(way.source_mac, client->mac, sizeof(way.source_mac));
  return udp_write(frame, &way, (uint16_t)client->xid, message, length);
}

/* Judging -------------------------------------------------------------------------------------------------------- */

bool dhcp_is_proxy(const struct dhcp_offer *offer) {
  return offer->address == 0 && (offer->type == DHCP_OFFER || offer->type == DHCP_ACK) &&
         (text_begins(offer->vendor_class, "PXEClient") || text_begins(offer->vendor_class, "HTTPClient"));
}

bool dhcp_has_boot_file(const struct dhcp_offer *offer) {
  return offer->boot_file[0] != '\0';
}

bool dhcp_wants_boot_request(const struct dhcp_offer *offer) {
  bool pxe = text_begins(offer->vendor_class, "PXEClient");
  return pxe && !dhcp_has_boot_file(offer) &&
         (offer->pxe.server_count > 0 || offer->pxe.menu_count > 0 || dhcp_is_proxy(offer));
}

bool dhcp_is_url(const struct dhcp_offer *offer) {
  return text_begins(offer->boot_file, "http://") || text_begins(offer->boot_file, "https://");
}

bool dhcp_is_http(const struct dhcp_offer *offer) {
  return text_begins(offer->vendor_class, "HTTPClient");
}

uint32_t dhcp_next_server(const struct dhcp_offer *offer) {
  return offer->siaddr ? offer->siaddr : offer->server;
}

uint32_t dhcp_gateway(const struct dhcp_offer *offer) {
  return offer->routers.count > 0 ? offer->routers.at[0] : 0;
}
