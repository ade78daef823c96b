/* fuzz_neighbour.c - LLDP, CDP and spanning tree of anybody: nothing outside is read, and every text is printable. */
#include "fuzz.h"

#include "neighbour.h"
#include "unit.h"

static void check_text(const char *text) {
  size_t length = strlen(text);
  assert_true(length < NEIGHBOUR_TEXT_SIZE);
  for(size_t i = 0; i < length; i++) {
    assert_true(text[i] >= 0x20 && text[i] < 0x7F);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct neighbour seen;
  uint8_t *frame = malloc(size ? size : 1U);
  assert_non_null(frame);
  if(size > 0) {
    memcpy(frame, data, size);
  }
  if(neighbour_parse(frame, size, &seen)) {
    assert_in_range(seen.kind, NEIGHBOUR_LLDP, NEIGHBOUR_STP);
    check_text(neighbour_kind_text(seen.kind));
    check_text(neighbour_stp_text(&seen.stp));
    assert_in_range(seen.stp.port, NEIGHBOUR_PORT_UNKNOWN, NEIGHBOUR_PORT_FORWARDING);
  }
  check_text(seen.device);
  check_text(seen.port);
  check_text(seen.port_text);
  check_text(seen.system_name);
  check_text(seen.system_text);
  free(frame);
  return 0;
}
