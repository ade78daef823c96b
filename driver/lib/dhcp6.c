/* dhcp6.c - DHCPv6 as network boot uses it (RFC 8415, RFC 5970, UEFI 2.10 24.7). Pure C. */
#include "dhcp6.h"

#include <string.h>

#include "bytes.h"
#include "texts.h"

#define OPTION_CLIENT       1U
#define OPTION_SERVER       2U
#define OPTION_IA_NA        3U
#define OPTION_ADDRESS      5U
#define OPTION_REQUEST      6U
#define OPTION_PREFERENCE   7U
#define OPTION_ELAPSED      8U
#define OPTION_STATUS       13U
#define OPTION_VENDOR_CLASS 16U
#define OPTION_DNS          23U
#define OPTION_DOMAINS      24U
#define OPTION_URL          59U
#define OPTION_PARAMETERS   60U
#define OPTION_ARCH         61U
#define OPTION_INTERFACE    62U
#define HEADER              4U /* of a message and of an option */
#define IA_HEADER           12U
#define ADDRESS_HEADER      24U
#define ENTERPRISE_INTEL    343U /* whose classes "PXEClient" and "HTTPClient" are (UEFI 2.10 24.3.3.2) */
#define DUID_LINK_LAYER     3U
#define DUID_UUID           4U
#define XID                 0xFFFFFFU

static const uint8_t all_servers[INET6_ADDRESS_SIZE] = {0xFF, 0x02, [13] = 1, [15] = 2};

const char *dhcp6_type_text(uint32_t type) {
  static const char *const texts[] = {
      [DHCP6_SOLICIT] = "SOLICIT",
      [DHCP6_ADVERTISE] = "ADVERTISE",
      [DHCP6_REQUEST] = "REQUEST",
      [DHCP6_REPLY] = "REPLY",
      [DHCP6_INFORMATION_REQUEST] = "INFORMATION-REQUEST",
  };
  const char *text = type < sizeof(texts) / sizeof(texts[0]) ? texts[type] : NULL;
  return text ? text : "unknown message";
}

/* Writing -------------------------------------------------------------------------------------------------------- */

struct writer {
  uint8_t *message;
  size_t at;
};

static void option(struct writer *to, uint16_t code, const void *data, size_t length) {
  put16(to->message + to->at, code);
  put16(to->message + to->at + 2U, (uint32_t)length);
  if(length > 0) {
    memcpy(to->message + to->at + HEADER, data, length);
  }
  to->at += HEADER + length;
}

/* Who we are, the same in every message: the machine's UUID (RFC 6355), as firmware has it, else the MAC address. */
static size_t put_duid(uint8_t duid[18], const struct dhcp_client *client) {
  static const uint8_t unknown[16];
  if(memcmp(client->uuid, unknown, sizeof(unknown)) == 0) {
    put16(duid, DUID_LINK_LAYER);
    put16(duid + 2, 1); /* Ethernet */
    memcpy(duid + 4, client->mac, sizeof(client->mac));
    return 10;
  }
  put16(duid, DUID_UUID);
  memcpy(duid + 2, client->uuid, sizeof(client->uuid));
  return 18;
}

static void boot_options(struct writer *to, const struct dhcp_client *client) {
  static const uint8_t interface[] = {1, 3, 0};
  uint8_t class[6 + DHCP_CLASS_SIZE];
  uint8_t arch[2];
  if(client->kind == DHCP_PLAIN) {
    return;
  }
  size_t length = dhcp_vendor_class(client, (char *)class + 6);
  put32(class, ENTERPRISE_INTEL);
  put16(class + 4, (uint32_t)length);
  option(to, OPTION_VENDOR_CLASS, class, 6U + length);
  put16(arch, dhcp_arch(client->kind, client->machine));
  option(to, OPTION_ARCH, arch, sizeof(arch));
  option(to, OPTION_INTERFACE, interface, sizeof(interface));
}

static size_t ask(void *message, const struct dhcp_client *client, enum dhcp6_type type) {
  static const uint8_t wanted[] = {0, OPTION_DNS, 0, OPTION_DOMAINS, 0, OPTION_URL, 0, OPTION_PARAMETERS};
  struct writer to = {.message = message, .at = HEADER};
  uint8_t duid[18];
  uint8_t elapsed[2];
  uint8_t association[IA_HEADER] = {0};
  put32(message, (uint32_t)type << 24 | (client->xid & XID));
  size_t length = put_duid(duid, client);
  option(&to, OPTION_CLIENT, duid, length);
  put16(elapsed, client->seconds < 0xFFFFU / 100U ? client->seconds * 100U : 0xFFFFU); /* in 1/100 s */
  option(&to, OPTION_ELAPSED, elapsed, sizeof(elapsed));
  option(&to, OPTION_REQUEST, wanted, sizeof(wanted));
  if(type == DHCP6_SOLICIT) {
    memcpy(association, client->mac + 2, 4);
    option(&to, OPTION_IA_NA, association, sizeof(association));
  }
  boot_options(&to, client);
  return to.at;
}

size_t dhcp6_solicit(void *message, const struct dhcp_client *client) {
  return ask(message, client, DHCP6_SOLICIT);
}

size_t dhcp6_information_request(void *message, const struct dhcp_client *client) {
  return ask(message, client, DHCP6_INFORMATION_REQUEST);
}

size_t dhcp6_multicast(void *frame, const struct dhcp_client *client, const void *message, size_t length) {
  return inet6_udp_multicast(frame, client->mac, all_servers, DHCP6_CLIENT_PORT, DHCP6_SERVER_PORT, message, length);
}

/* Reading -------------------------------------------------------------------------------------------------------- */

/* Options that are left. */
struct options {
  const uint8_t *at;
  size_t left;
};

struct option {
  uint16_t code;
  size_t length;
  const uint8_t *data;
};

static bool next(struct options *in, struct option *option, bool *cut) {
  if(in->left == 0) {
    return false;
  }
  size_t length = in->left >= HEADER ? get16(in->at + 2) : in->left;
  if(in->left < HEADER || length > in->left - HEADER) {
    *cut = true;
    return false;
  }
  *option = (struct option){get16(in->at), length, in->at + HEADER};
  in->at += HEADER + length;
  in->left -= HEADER + length;
  return true;
}

static void put_status(struct dhcp6_offer *offer, const struct option *option) {
  if(option->length < 2U) {
    offer->cut = true;
    return;
  }
  /* One that says why counts more than one that says all is well. */
  if(!offer->has_status || offer->status == 0) {
    offer->has_status = true;
    offer->status = get16(option->data);
    (void)text_of_bytes(offer->status_text, sizeof(offer->status_text), option->data + 2, option->length - 2U);
  }
}

static void put_address(struct dhcp6_offer *offer, const struct option *option) {
  if(option->length < ADDRESS_HEADER) {
    offer->cut = true;
    return;
  }
  if(!offer->has_address) {
    offer->has_address = true;
    memcpy(offer->address, option->data, sizeof(offer->address));
    offer->preferred_s = get32(option->data + 16);
    offer->valid_s = get32(option->data + 20);
  }
  struct options inner = {option->data + ADDRESS_HEADER, option->length - ADDRESS_HEADER};
  for(struct option part; next(&inner, &part, &offer->cut);) {
    if(part.code == OPTION_STATUS) {
      put_status(offer, &part);
    }
  }
}

static void put_association(struct dhcp6_offer *offer, const struct option *option) {
  if(option->length < IA_HEADER) {
    offer->cut = true;
    return;
  }
  struct options inner = {option->data + IA_HEADER, option->length - IA_HEADER};
  for(struct option part; next(&inner, &part, &offer->cut);) {
    if(part.code == OPTION_ADDRESS) {
      put_address(offer, &part);
    } else if(part.code == OPTION_STATUS) {
      put_status(offer, &part);
    }
  }
}

static void put_server(struct dhcp6_offer *offer, const struct option *option) {
  size_t count = option->length < 32U ? option->length : 32U;
  offer->has_server = option->length > 0;
  (void)hex_text(option->data, count, offer->server);
}

/* Text behind `head` bytes and a length of two: the first of what may be several. */
static void put_counted_text(struct dhcp6_offer *offer, char *text, const struct option *option, size_t head) {
  if(option->length < head + 2U || get16(option->data + head) > option->length - head - 2U) {
    offer->cut = true;
    return;
  }
  (void)text_of_bytes(text, DHCP_TEXT_SIZE, option->data + head + 2U, get16(option->data + head));
}

static void put_dns(struct dhcp6_offer *offer, const struct option *option) {
  for(size_t at = 0; at + INET6_ADDRESS_SIZE <= option->length && offer->dns_count < INET6_DNS_MAX;
      at += INET6_ADDRESS_SIZE) {
    memcpy(offer->dns[offer->dns_count++], option->data + at, INET6_ADDRESS_SIZE);
  }
  offer->cut = offer->cut || option->length % INET6_ADDRESS_SIZE != 0;
}

static void put_option(struct dhcp6_offer *offer, const struct option *option, const uint8_t *message) {
  switch(option->code) {
  case OPTION_CLIENT:
    offer->has_client = true;
    offer->client_at = (uint32_t)(option->data - message);
    offer->client_length = (uint32_t)option->length;
    break;
  case OPTION_SERVER:
    put_server(offer, option);
    break;
  case OPTION_IA_NA:
    put_association(offer, option);
    break;
  case OPTION_PREFERENCE:
    offer->preference = option->length == 1U ? option->data[0] : 0;
    break;
  case OPTION_STATUS:
    put_status(offer, option);
    break;
  case OPTION_DNS:
    put_dns(offer, option);
    break;
  case OPTION_URL:
    (void)text_of_bytes(offer->url, sizeof(offer->url), option->data, option->length);
    break;
  case OPTION_PARAMETERS:
    put_counted_text(offer, offer->parameters, option, 0);
    break;
  case OPTION_VENDOR_CLASS:
    put_counted_text(offer, offer->vendor_class, option, 4);
    break;
  default:
    break;
  }
}

bool dhcp6_parse(const void *message, size_t length, struct dhcp6_offer *offer) {
  memset(offer, 0, sizeof(*offer));
  if(length < HEADER) {
    return false;
  }
  const uint8_t *bytes = message;
  struct options in = {bytes + HEADER, length - HEADER};
  offer->type = bytes[0];
  offer->xid = get32(bytes) & XID;
  for(struct option found; next(&in, &found, &offer->cut);) {
    put_option(offer, &found, bytes);
  }
  return true;
}

bool dhcp6_parse_answer(const struct inet6_packet *packet, const struct dhcp_client *client,
                        struct dhcp6_offer *offer) {
  uint8_t duid[18];
  if(packet->kind != INET6_UDP || packet->destination_port != DHCP6_CLIENT_PORT ||
     !dhcp6_parse(packet->data, packet->data_length, offer)) {
    return false;
  }
  size_t length = put_duid(duid, client);
  return (offer->type == DHCP6_ADVERTISE || offer->type == DHCP6_REPLY) && offer->xid == (client->xid & XID) &&
         offer->has_client && offer->client_length == length &&
         memcmp(packet->data + offer->client_at, duid, length) == 0;
}
