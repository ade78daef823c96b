/* filter.c - linked into every cmocka program: runs only the tests whose name matches $CMOCKA_TEST_FILTER, which may
 * have * and ?. (Newer versions of cmocka do so by themselves.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void set_filter(void) {
  const char *filter = getenv("CMOCKA_TEST_FILTER");
  if(filter) {
    cmocka_set_test_filter(filter);
  }
}
