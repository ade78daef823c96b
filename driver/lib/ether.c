/* ether.c - the one look at an Ethernet header, and at the tags behind it, that stands before every parser. Pure C. */
#include "ether.h"

#include "bytes.h"

bool ether_look(const void *frame, size_t length, struct ether_view *view) {
  const uint8_t *bytes = frame;
  size_t header = ETHER_HEADER;
  *view = (struct ether_view){0};
  if(length < header) {
    return false;
  }
  uint16_t type = get16(bytes + 12);
  for(uint32_t tags = 0; tags < ETHER_TAGS_MAX && (type == ETHERTYPE_VLAN || type == ETHERTYPE_STAG); tags++) {
    if(length < header + ETHER_TAG) {
      return false;
    }
    uint16_t control = get16(bytes + header);
    view->priority = view->tagged ? view->priority : (uint8_t)(control >> 13);
    view->vlan = view->vlan ? view->vlan : control & 0xFFFU;
    view->tagged = true;
    type = get16(bytes + header + 2U);
    header += ETHER_TAG;
  }
  view->to = bytes;
  view->from = bytes + 6;
  view->type = type < ETHERTYPE_MIN ? 0 : type;
  view->payload = bytes + header;
  view->payload_length = length - header;
  return true;
}
