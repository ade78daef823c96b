/* dhcp6.h - DHCPv6 as network boot uses it (RFC 8415, RFC 5970, UEFI 2.10 24.7): a client's questions built, a server's
 * answers read. Pure C, tested on the host, fuzzed. */
#ifndef LIB_DHCP6_H
#define LIB_DHCP6_H

#include "dhcp.h"
#include "inet6.h"

#define DHCP6_CLIENT_PORT  546U
#define DHCP6_SERVER_PORT  547U
#define DHCP6_MESSAGE_SIZE 512U

enum dhcp6_type {
  DHCP6_SOLICIT = 1,
  DHCP6_ADVERTISE = 2,
  DHCP6_REQUEST = 3,
  DHCP6_REPLY = 7,
  DHCP6_INFORMATION_REQUEST = 11,
};

/* "ADVERTISE"; "unknown message" for a number that is not here. */
const char *dhcp6_type_text(uint32_t type);

/* Each writes a message of at most DHCP6_MESSAGE_SIZE bytes and returns its length. The client is dhcp.h's: of its xid
 * the lower 24 bits count. SOLICIT asks for an address too, INFORMATION-REQUEST for all but that. */
size_t dhcp6_solicit(void *message, const struct dhcp_client *client);
size_t dhcp6_information_request(void *message, const struct dhcp_client *client);

/* Writes the frame that carries a message to all servers (ff02::1:2). Returns its length. */
size_t dhcp6_multicast(void *frame, const struct dhcp_client *client, const void *message, size_t length);

/* What an answer says. Texts are printable, "" when there is none. */
struct dhcp6_offer {
  uint8_t type;
  bool cut; /* an option goes on behind the end of what it is in, or has a length that cannot be */
  uint32_t xid;
  bool has_client; /* it has the client's identifier */
  uint32_t client_at;
  uint32_t client_length;
  bool has_server;            /* it says who sends it */
  char server[2U * 32U + 1U]; /* its identifier in hexadecimal digits, the first 32 bytes */
  uint8_t preference;         /* 255: take this one at once */
  bool has_status;            /* of the whole or of the address */
  uint16_t status;            /* 0: success; 2: no addresses available */
  char status_text[DHCP_TEXT_SIZE];
  bool has_address;
  uint8_t address[INET6_ADDRESS_SIZE];
  uint32_t preferred_s;
  uint32_t valid_s;
  uint32_t dns_count;
  uint8_t dns[INET6_DNS_MAX][INET6_ADDRESS_SIZE];
  char url[DHCP_FILE_SIZE];          /* 59: tftp:// or http:// */
  char parameters[DHCP_TEXT_SIZE];   /* 60, the first of them */
  char vendor_class[DHCP_TEXT_SIZE]; /* 16 */
};

/* Reads a message; false when it is too short to be one. Nothing outside is read. */
bool dhcp6_parse(const void *message, size_t length, struct dhcp6_offer *offer);

/* Reads a packet: false unless it is an ADVERTISE or a REPLY to this client. */
bool dhcp6_parse_answer(const struct inet6_packet *packet, const struct dhcp_client *client, struct dhcp6_offer *offer);

#endif
