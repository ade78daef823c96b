/* diagnostics.c - EFI_DRIVER_DIAGNOSTICS2_PROTOCOL (UEFI 2.10, 11.4): `drvdiag` in the Shell. */
#include "binding.h"
#include "managed.h"
#include "pool.h"

#include "efi/driver_diagnostics.h"

#define TEXT_SIZE 2048U /* characters of the report: room for every check's line */
#define LANGUAGE  "en"

struct report_text {
  CHAR16 *text;
  UINTN length;
};

static void append(struct report_text *report, const char *text) {
  while(*text && report->length + 1 < TEXT_SIZE) {
    report->text[report->length++] = (CHAR16)*text++;
  }
  report->text[report->length] = 0;
}

static void append_hex(struct report_text *report, uint32_t value) {
  char digits[11] = "0x00000000";
  for(UINTN i = 0; i < 8; i++) {
    digits[9 - i] = "0123456789abcdef"[value >> (4 * i) & 15U];
  }
  append(report, digits);
}

static void on_check(void *ctx, const char *name, bool passed, uint32_t value) {
  struct report_text *report = ctx;
  append(report, passed ? "pass  " : "FAIL  ");
  append(report, name);
  append(report, " (");
  append_hex(report, value);
  append(report, ")\r\n");
}

/* The extended test needs the device for itself for a moment. A running SNP user notices a pause, nothing else: its
 * filters stay, and the buffers it sent come back. */
static EFI_STATUS run_selftest(struct snp_device *snp, BOOLEAN extended, struct report_text *report) {
  struct netdev_selftest test = {.report = on_check, .ctx = report};
  EFI_TPL tpl = efi_nic_lock();
  int result = netdev_selftest(snp->nic.netdev, extended, &test);
  if(result != NETDEV_OK) {
    snp_fail(snp);
  }
  snp_update_media(snp);
  efi_nic_unlock(tpl);
  return result == NETDEV_OK && test.failed == 0 ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static BOOLEAN language_fits(const CHAR8 *language) {
  return language[0] == LANGUAGE[0] && language[1] == LANGUAGE[1] && language[2] == 0;
}

static EFI_STATUS EFIAPI run_diagnostics(EFI_DRIVER_DIAGNOSTICS2_PROTOCOL *this, EFI_HANDLE controller,
                                         EFI_HANDLE child, EFI_DRIVER_DIAGNOSTIC_TYPE type, CHAR8 *language,
                                         EFI_GUID **error_type, UINTN *buffer_size, CHAR16 **buffer) {
  if(!this || !controller || !language || !error_type || !buffer_size || !buffer) {
    return EFI_INVALID_PARAMETER;
  }
  struct snp_device *snp = managed_find(controller);
  BOOLEAN known = type == EfiDriverDiagnosticTypeStandard || type == EfiDriverDiagnosticTypeExtended;
  if(!snp || (child && child != snp->child) || !language_fits(language) || !known) {
    return EFI_UNSUPPORTED;
  }
  struct report_text report = {.text = pool_zero(TEXT_SIZE * sizeof(CHAR16))};
  if(!report.text) {
    return EFI_OUT_OF_RESOURCES;
  }
  EFI_STATUS status = run_selftest(snp, type == EfiDriverDiagnosticTypeExtended, &report);
  /* The report is text and nothing else, so no GUID has a format to name. Not a static one: the caller gives back what
   * it finds here with FreePool, as it does the report (every edk2 Shell's drvdiag). */
  *error_type = NULL;
  *buffer = report.text;
  *buffer_size = (report.length + 1) * sizeof(CHAR16);
  return status;
}

static EFI_DRIVER_DIAGNOSTICS2_PROTOCOL protocol = {
    .RunDiagnostics = run_diagnostics,
    .SupportedLanguages = (CHAR8 *)LANGUAGE,
};

VOID *const diagnostics2 = &protocol;
