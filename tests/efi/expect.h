/* expect.h - checks that are counted, for the test programs. */
#ifndef TESTS_EFI_EXPECT_H
#define TESTS_EFI_EXPECT_H

#include <efi.h>
#include <efilib.h>

static UINTN passed;
static UINTN failed;

static VOID expect(const CHAR16 *what, EFI_STATUS got, EFI_STATUS wanted) {
  if(got == wanted) {
    passed++;
  } else {
    failed++;
    Print(L"FAIL: %s: %r, expected %r\n", what, got, wanted);
  }
}

static VOID expect_true(const CHAR16 *what, BOOLEAN holds) {
  if(holds) {
    passed++;
  } else {
    failed++;
    Print(L"FAIL: %s does not hold\n", what);
  }
}

#endif
