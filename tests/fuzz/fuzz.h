/* fuzz.h - what the fuzzers share: an input to draw numbers from. First of all includes; devices, frames and checks are
 * those of unit.h or unit_efi.h. */
#ifndef FUZZ_H
#define FUZZ_H

#define _POSIX_C_SOURCE 200112L /* setenv */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Makes cmocka print a failed assertion and abort, which libFuzzer takes for a finding. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  return setenv("CMOCKA_TEST_ABORT", "1", 1);
}

/* The bytes not drawn yet; at the end every number is 0. */
struct fuzz {
  const uint8_t *at;
  size_t left;
};

/* Up to `size` bytes; the rest of `out` is zeroed. Returns how many there were. */
static inline size_t fuzz_bytes(struct fuzz *in, void *out, size_t size) {
  size_t count = in->left < size ? in->left : size;
  memset(out, 0, size);
  if(count > 0) {
    memcpy(out, in->at, count);
    in->at += count;
    in->left -= count;
  }
  return count;
}

static inline uint8_t fuzz_u8(struct fuzz *in) {
  uint8_t value;
  (void)fuzz_bytes(in, &value, sizeof(value));
  return value;
}

static inline uint16_t fuzz_u16(struct fuzz *in) {
  uint16_t value;
  (void)fuzz_bytes(in, &value, sizeof(value));
  return value;
}

static inline uint32_t fuzz_u32(struct fuzz *in) {
  uint32_t value;
  (void)fuzz_bytes(in, &value, sizeof(value));
  return value;
}

static inline uint16_t fuzz_device(struct fuzz *in) {
  static const uint16_t devices[] = {SIM_EVERY_PART};
  const uint8_t qemu = 4; /* those that QEMU has come first, and in every other input */
  uint8_t draw = fuzz_u8(in);
  return draw & 0x80U ? devices[qemu + draw % (sizeof(devices) / sizeof(devices[0]) - qemu)] : devices[draw % qemu];
}

#endif
