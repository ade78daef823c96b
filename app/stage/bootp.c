/* bootp.c - DHCP's packets as PXE keeps them: an answer that names a server and a file, and what one says. */
#include "bootp.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "../../driver/lib/dhcp.h"

/* RFC 2131, figure 1 */
#define OP_AT      0U
#define HTYPE_AT   1U
#define HLEN_AT    2U
#define YIADDR_AT  16U
#define SIADDR_AT  20U
#define CHADDR_AT  28U
#define FILE_AT    108U
#define COOKIE_AT  236U
#define OPTIONS_AT 240U

/* An option of `length` bytes; returns what follows it. */
static uint8_t *put_option(uint8_t *at, uint8_t code, const void *data, size_t length) {
  at[0] = code;
  at[1] = (uint8_t)length;
  memcpy(at + 2, data, length);
  return at + 2 + length;
}

static bool is_set(const uint8_t address[4]) {
  return (address[0] | address[1] | address[2] | address[3]) != 0;
}

static uint8_t *begin(uint8_t *packet, uint8_t op, uint8_t type, const uint8_t mac[6]) {
  memset(packet, 0, BOOTP_PACKET_SIZE);
  packet[OP_AT] = op;
  packet[HTYPE_AT] = 1; /* Ethernet */
  packet[HLEN_AT] = 6;
  memcpy(packet + CHADDR_AT, mac, 6);
  put32(packet + COOKIE_AT, 0x63825363U);
  return put_option(packet + OPTIONS_AT, 53, &type, 1);
}

void bootp_discover(uint8_t *packet, const uint8_t mac[6]) {
  uint8_t *at = begin(packet, 1, DHCP_DISCOVER, mac);
  *at = 255;
}

void bootp_ack(uint8_t *packet, const struct net_handoff_lease *lease, const uint8_t mac[6], uint32_t server,
               const char *file) {
  uint8_t address[4];
  uint8_t seconds[4];
  size_t length = strlen(file);
  uint8_t *at = begin(packet, 2, DHCP_ACK, mac);
  memcpy(packet + YIADDR_AT, lease->address, 4);
  put32(packet + SIADDR_AT, server);
  put32(address, server);
  put32(seconds, lease->seconds ? lease->seconds : NET_HANDOFF_LEASE_FOREVER);
  at = put_option(at, 54, is_set(lease->server) ? lease->server : address, 4);
  at = put_option(at, 51, seconds, 4);
  at = put_option(at, 1, lease->mask, 4);
  if(is_set(lease->gateway)) {
    at = put_option(at, 3, lease->gateway, 4);
  }
  if(is_set(lease->dns[0])) {
    at = put_option(at, 6, lease->dns[0], 4);
  }
  if(length < BOOTP_FILE_SIZE) {
    memcpy(packet + FILE_AT, file, length + 1U);
  }
  at = put_option(at, 67, file, length < 255U ? length : 255U);
  *at = 255;
}

bool bootp_url(const uint8_t *packet, size_t length, char url[URL_TEXT_SIZE]) {
  struct dhcp_offer offer;
  url[0] = '\0';
  return dhcp_parse(packet, length, &offer) && url_of_boot_file(offer.boot_file, dhcp_next_server(&offer), url);
}

void bootp_lease(const uint8_t *packet, size_t length, struct net_handoff_lease *lease) {
  struct dhcp_offer offer;
  if(!dhcp_parse(packet, length, &offer)) {
    return;
  }
  put32(lease->server, offer.server);
  put32(lease->gateway, dhcp_gateway(&offer));
  if(offer.mask) {
    put32(lease->mask, offer.mask);
  }
  for(uint32_t i = 0; i < NET_HANDOFF_DNS_MAX && i < offer.dns.count; i++) {
    put32(lease->dns[i], offer.dns.at[i]);
  }
  lease->seconds = offer.has_lease ? offer.lease_s : 0;
}
