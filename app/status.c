/* status.c - what the firmware's answers are called (UEFI 2.10, appendix D). */
#include "console.h"

#include "../driver/lib/format.h"

#define TEXT_SIZE 24U /* "0x" and 64 bits */

static const struct {
  EFI_STATUS status;
  const char *text;
} names[] = {
    {EFI_SUCCESS, "Success"},
    {EFI_LOAD_ERROR, "Load Error"},
    {EFI_INVALID_PARAMETER, "Invalid Parameter"},
    {EFI_UNSUPPORTED, "Unsupported"},
    {EFI_BAD_BUFFER_SIZE, "Bad Buffer Size"},
    {EFI_BUFFER_TOO_SMALL, "Buffer Too Small"},
    {EFI_NOT_READY, "Not Ready"},
    {EFI_DEVICE_ERROR, "Device Error"},
    {EFI_WRITE_PROTECTED, "Write Protected"},
    {EFI_OUT_OF_RESOURCES, "Out of Resources"},
    {EFI_VOLUME_CORRUPTED, "Volume Corrupt"},
    {EFI_VOLUME_FULL, "Volume Full"},
    {EFI_NO_MEDIA, "No Media"},
    {EFI_MEDIA_CHANGED, "Media changed"},
    {EFI_NOT_FOUND, "Not Found"},
    {EFI_ACCESS_DENIED, "Access Denied"},
    {EFI_NO_RESPONSE, "No Response"},
    {EFI_NO_MAPPING, "No mapping"},
    {EFI_TIMEOUT, "Time out"},
    {EFI_NOT_STARTED, "Not started"},
    {EFI_ALREADY_STARTED, "Already started"},
    {EFI_ABORTED, "Aborted"},
    {EFI_ICMP_ERROR, "ICMP Error"},
    {EFI_TFTP_ERROR, "TFTP Error"},
    {EFI_PROTOCOL_ERROR, "Protocol Error"},
    {EFI_INCOMPATIBLE_VERSION, "Incompatible Version"},
    {EFI_SECURITY_VIOLATION, "Security Policy Violation"},
    {EFI_CRC_ERROR, "CRC Error"},
    {EFI_END_OF_MEDIA, "End of Media"},
    {EFI_END_OF_FILE, "End of File"},
    {EFI_INVALID_LANGUAGE, "Invalid Languages"},
    {EFI_COMPROMISED_DATA, "Compromised Data"},
    {EFI_WARN_UNKNOWN_GLYPH, "Warning Unknown Glyph"},
    {EFI_WARN_DELETE_FAILURE, "Warning Delete Failure"},
    {EFI_WARN_WRITE_FAILURE, "Warning Write Failure"},
    {EFI_WARN_BUFFER_TOO_SMALL, "Warning Buffer Too Small"},
};

const char *status_text(EFI_STATUS status) {
  static char text[TEXT_SIZE];
  for(UINTN i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if(names[i].status == status) {
      return names[i].text;
    }
  }
  (void)format_into(text, sizeof(text), "0x%llx", (unsigned long long)status);
  return text;
}
