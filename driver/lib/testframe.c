/* testframe.c - numbered raw test frames, ethertype 0x88B5 (IEEE 802 local experimental 1). Pure C. */
#include "testframe.h"

#include <string.h>

#include "ether.h"

#define MAGIC           0x4E445446U /* "NDTF" */
#define VERSION         1U
#define OFFSET_TYPE     12U
#define OFFSET_MAGIC    14U
#define OFFSET_VERSION  18U
#define OFFSET_KIND     19U
#define OFFSET_LENGTH   20U
#define OFFSET_SESSION  22U
#define OFFSET_SEQUENCE 26U
#define OFFSET_PATTERN  30U

static void put(uint8_t *at, uint32_t value, size_t bytes) {
  while(bytes-- > 0) {
    at[bytes] = (uint8_t)value;
    value >>= 8;
  }
}

static uint32_t get(const uint8_t *at, size_t bytes) {
  uint32_t value = 0;
  for(size_t i = 0; i < bytes; i++) {
    value = value << 8 | at[i];
  }
  return value;
}

static uint8_t pattern(uint32_t sequence, size_t offset) {
  return (uint8_t)((size_t)sequence * 31U + offset);
}

void testframe_build(void *frame, const struct testframe *what, const uint8_t to[6], const uint8_t from[6]) {
  uint8_t *bytes = frame;
  memcpy(bytes, to, 6);
  memcpy(bytes + 6, from, 6);
  put(bytes + OFFSET_TYPE, TESTFRAME_ETHERTYPE, 2);
  put(bytes + OFFSET_MAGIC, MAGIC, 4);
  bytes[OFFSET_VERSION] = VERSION;
  bytes[OFFSET_KIND] = (uint8_t)what->kind;
  put(bytes + OFFSET_LENGTH, (uint32_t)what->length, 2);
  put(bytes + OFFSET_SESSION, what->session, 4);
  put(bytes + OFFSET_SEQUENCE, what->sequence, 4);
  for(size_t i = OFFSET_PATTERN; i < what->length; i++) {
    bytes[i] = pattern(what->sequence, i);
  }
}

/* Where byte 0 would be if the frame had no tag; only bytes from OFFSET_MAGIC on are there. NULL when it is none. */
static const uint8_t *without_tag(const void *frame, size_t *length) {
  struct ether_view view;
  if(!ether_look(frame, *length, &view) || view.type != TESTFRAME_ETHERTYPE || view.vlan != 0) {
    return NULL;
  }
  *length = ETHER_HEADER + view.payload_length;
  return view.payload - ETHER_HEADER;
}

bool testframe_parse(const void *frame, size_t length, struct testframe *what, bool *intact) {
  const uint8_t *bytes = without_tag(frame, &length);
  if(!bytes || length < TESTFRAME_MIN || get(bytes + OFFSET_MAGIC, 4) != MAGIC || bytes[OFFSET_VERSION] != VERSION ||
     (bytes[OFFSET_KIND] != TESTFRAME_REQUEST && bytes[OFFSET_KIND] != TESTFRAME_REPLY)) {
    return false;
  }
  what->kind = bytes[OFFSET_KIND] == TESTFRAME_REQUEST ? TESTFRAME_REQUEST : TESTFRAME_REPLY;
  what->session = get(bytes + OFFSET_SESSION, 4);
  what->sequence = get(bytes + OFFSET_SEQUENCE, 4);
  what->length = get(bytes + OFFSET_LENGTH, 2);
  *intact = what->length == length;
  for(size_t i = OFFSET_PATTERN; *intact && i < length; i++) {
    *intact = bytes[i] == pattern(what->sequence, i);
  }
  return true;
}

size_t testframe_reply(void *reply, const void *request, size_t length, const uint8_t from[6]) {
  uint8_t *bytes = reply;
  const uint8_t *asked = without_tag(request, &length);
  if(!asked) {
    return 0;
  }
  memcpy(bytes, (const uint8_t *)request + 6, 6);
  memcpy(bytes + 6, from, 6);
  put(bytes + OFFSET_TYPE, TESTFRAME_ETHERTYPE, 2);
  memcpy(bytes + OFFSET_MAGIC, asked + OFFSET_MAGIC, length - OFFSET_MAGIC);
  bytes[OFFSET_KIND] = TESTFRAME_REPLY;
  return length;
}
