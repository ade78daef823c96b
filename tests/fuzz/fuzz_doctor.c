/* fuzz_doctor.c - diagnoses of what nobody could have collected: always one sentence, and a status that fits. */
#include "fuzz.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "doctor_random.h"

/* The bytes lie over a sound network's evidence, so that most of a small input is as deep in the checks as it gets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  struct doctor_evidence evidence;
  case_sound(&evidence);
  while(in.left > 0) {
    size_t at = fuzz_u16(&in) % sizeof(evidence);
    size_t length = fuzz_u8(&in);
    length = length < sizeof(evidence) - at ? length : sizeof(evidence) - at;
    (void)fuzz_bytes(&in, (uint8_t *)&evidence + at, length);
  }
  random_end_texts(&evidence);
  random_check(&evidence);
  return 0;
}
