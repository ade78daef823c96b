/* ipv4.c - the IPv4 header (RFC 791), read and written. Pure C, tested on the host. */
#include "ipv4.h"

#include <string.h>

#include "bytes.h"

#define DONT_FRAGMENT 0x4000U
#define MORE          0x2000U
#define OFFSET        0x1FFFU

bool ipv4_look(const uint8_t *packet, size_t length, struct ipv4_view *view) {
  *view = (struct ipv4_view){0};
  if(length < IPV4_HEADER || packet[0] >> 4 != 4) {
    return false;
  }
  size_t header = (size_t)(packet[0] & 0xFU) * 4U;
  size_t total = get16(packet + 2);
  uint32_t part = get16(packet + 6);
  if(header < IPV4_HEADER || header > length || total < header) {
    return false;
  }
  view->source = get32(packet + 12);
  view->destination = get32(packet + 16);
  view->protocol = packet[9];
  view->ttl = packet[8];
  view->bad_checksum = checksum_end(checksum_add(0, packet, header)) != 0;
  view->truncated = total > length;
  view->fragment = (part & (MORE | OFFSET)) != 0;
  view->offset = (uint16_t)((part & OFFSET) * 8U);
  view->payload = packet + header;
  view->payload_length = (view->truncated ? length : total) - header;
  return true;
}

void ipv4_write(uint8_t *at, const struct ipv4_head *head, size_t payload_length) {
  memset(at, 0, IPV4_HEADER);
  at[0] = 0x45;
  put16(at + 2, (uint32_t)(IPV4_HEADER + payload_length));
  put16(at + 4, head->id);
  put16(at + 6, head->dont_fragment ? DONT_FRAGMENT : 0);
  at[8] = head->ttl ? head->ttl : IPV4_TTL;
  at[9] = head->protocol;
  put32(at + 12, head->source);
  put32(at + 16, head->destination);
  put16(at + 10, checksum_end(checksum_add(0, at, IPV4_HEADER)));
}
