/* testframe.h - numbered raw test frames, ethertype 0x88B5 (IEEE 802 local experimental 1). Pure C. */
#ifndef APP_TESTFRAME_H
#define APP_TESTFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TESTFRAME_ETHERTYPE 0x88B5U
#define TESTFRAME_MIN       60U
#define TESTFRAME_MAX       1514U

/*
 * After the 14 bytes of Ethernet header, all big-endian:
 *
 *   offset  size
 *       14     4  magic "NDTF"
 *       18     1  version, 1
 *       19     1  kind: 1 request, 2 reply
 *       20     2  length of the frame from the destination address to the end of the pattern, 60 to 1514
 *       22     4  session: chosen by the sender, the same in all frames of a run
 *       26     4  sequence number, from 1
 *       30     -  pattern to the end: byte i of the frame is (sequence * 31 + i) & 0xFF
 *
 * A reply is the request with the addresses exchanged and kind 2; the pattern stays.
 */
enum testframe_kind { TESTFRAME_REQUEST = 1, TESTFRAME_REPLY = 2 };

struct testframe {
  enum testframe_kind kind;
  uint32_t session;
  uint32_t sequence;
  size_t length;
};

/* Writes `what->length` bytes (TESTFRAME_MIN to TESTFRAME_MAX). */
void testframe_build(void *frame, const struct testframe *what, const uint8_t to[6], const uint8_t from[6]);

/* True for a test frame; *intact tells whether length and pattern are what they should be. A tag with VLAN 0 is skipped
 * and not part of the length; a frame with another VLAN is not for us, and no test frame. */
bool testframe_parse(const void *frame, size_t length, struct testframe *what, bool *intact);

/* Makes a reply from `from` of a request that testframe_parse accepted, and returns its length: `length`, without the
 * request's tag, for as inet.h's answers it is not tagged. */
size_t testframe_reply(void *reply, const void *request, size_t length, const uint8_t from[6]);

#endif
