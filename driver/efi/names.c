/* names.c - EFI_COMPONENT_NAME2_PROTOCOL and its elder sister (UEFI 2.10, 11.5): what the driver and its NICs are
 * called. */
#include "binding.h"
#include "managed.h"

#define LANGUAGE_2  "en"  /* RFC 4646 */
#define LANGUAGE_1  "eng" /* ISO 639-2 */
#define TITLES_SIZE 128U  /* characters: the titles of all families of an image */

/* Copies as much as fits before `end`, and ends it with a zero; returns where that is. */
static CHAR16 *put(CHAR16 *at, const CHAR16 *end, const char *text) {
  while(*text && at + 1 < end) {
    *at++ = (CHAR16)*text++;
  }
  *at = 0;
  return at;
}

/* The family's title; those of all, where an image carries several. */
static CHAR16 *driver_name(void) {
  static CHAR16 name[TITLES_SIZE];
  const CHAR16 *end = name + TITLES_SIZE;
  CHAR16 *at = name;
  for(const struct net_driver *const *driver = net_drivers; *driver; driver++) {
    at = put(at, end, at == name ? "" : ", ");
    at = put(at, end, (*driver)->title);
  }
  return name;
}

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
    *name = driver_name();
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

/* "Intel 82574L Gigabit Ethernet (52:54:00:12:34:56)" */
void names_fill(struct snp_device *snp) {
  static const char digits[] = "0123456789abcdef";
  const CHAR16 *end = snp->name + sizeof(snp->name) / sizeof(snp->name[0]);
  char mac[3 * NETDEV_MAC_LENGTH + 1];
  for(UINTN i = 0; i < NETDEV_MAC_LENGTH; i++) {
    UINT8 byte = snp->nic.netdev->permanent_mac[i];
    mac[3 * i] = digits[byte >> 4];
    mac[3 * i + 1] = digits[byte & 15U];
    mac[3 * i + 2] = i + 1 < NETDEV_MAC_LENGTH ? ':' : ')';
  }
  mac[sizeof(mac) - 1] = 0;
  CHAR16 *at = put(snp->name, end, snp->nic.model->title);
  at = put(at, end, " (");
  (void)put(at, end, mac);
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
