/* names.c - EFI_COMPONENT_NAME2_PROTOCOL and its elder sister (UEFI 2.10, 11.5): what the driver and its NICs are
 * called. */
#include "binding.h"
#include "managed.h"

#define DRIVER_NAME L"" E1000_DRIVER_NAME
#define LANGUAGE_2  "en"  /* RFC 4646 */
#define LANGUAGE_1  "eng" /* ISO 639-2 */
#define NAME_PREFIX L"Intel "
#define NAME_MIDDLE L" Gigabit Ethernet ("

static BOOLEAN same_text(const CHAR8 *left, const char *right) {
  while(*left && *left == (CHAR8)*right) {
    left++;
    right++;
  }
  return *left == (CHAR8)*right;
}

static EFI_STATUS check_language(EFI_COMPONENT_NAME2_PROTOCOL *this, const CHAR8 *language) {
  if(!language) {
    return EFI_INVALID_PARAMETER;
  }
  return same_text(language, this == &component_name2 ? LANGUAGE_2 : LANGUAGE_1) ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI get_driver_name(EFI_COMPONENT_NAME2_PROTOCOL *this, CHAR8 *language, CHAR16 **name) {
  EFI_STATUS status = check_language(this, language);
  if(!EFI_ERROR(status) && !name) {
    status = EFI_INVALID_PARAMETER;
  }
  if(!EFI_ERROR(status)) {
    *name = DRIVER_NAME;
  }
  return status;
}

static EFI_STATUS EFIAPI get_controller_name(EFI_COMPONENT_NAME2_PROTOCOL *this, EFI_HANDLE controller,
                                             EFI_HANDLE child, CHAR8 *language, CHAR16 **name) {
  EFI_STATUS status = check_language(this, language);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(!controller || !name) {
    return EFI_INVALID_PARAMETER;
  }
  struct snp_device *snp = managed_find(controller);
  if(!snp || (child && child != snp->child)) {
    return EFI_UNSUPPORTED;
  }
  *name = snp->name;
  return EFI_SUCCESS;
}

/* "Intel 82574L Gigabit Ethernet (52:54:00:12:34:56)"; the parts together are shorter than the field. */
void names_fill(struct snp_device *snp) {
  static const CHAR16 digits[] = L"0123456789abcdef";
  CHAR16 *at = snp->name;
  StrCpy(at, NAME_PREFIX);
  at += StrLen(at);
  for(const char *model = snp->nic.netdev->model; *model; model++) {
    *at++ = (CHAR16)*model;
  }
  StrCpy(at, NAME_MIDDLE);
  at += StrLen(at);
  for(UINTN i = 0; i < NETDEV_MAC_LENGTH; i++) {
    UINT8 byte = snp->nic.netdev->permanent_mac[i];
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15U];
    *at++ = i + 1 < NETDEV_MAC_LENGTH ? L':' : L')';
  }
  *at = 0;
}

EFI_COMPONENT_NAME2_PROTOCOL component_name2 = {
    .GetDriverName = get_driver_name,
    .GetControllerName = get_controller_name,
    .SupportedLanguages = (CHAR8 *)LANGUAGE_2,
};

EFI_COMPONENT_NAME2_PROTOCOL component_name = {
    .GetDriverName = get_driver_name,
    .GetControllerName = get_controller_name,
    .SupportedLanguages = (CHAR8 *)LANGUAGE_1,
};
