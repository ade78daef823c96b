/* boot_option.c - whether a boot option of the firmware's is for a NIC. Pure C. */
#include "boot_option.h"

#include <string.h>

#define ATTRIBUTES     0U
#define PATHS_LENGTH   4U
#define DESCRIPTION    6U
#define ACTIVE         1U
#define NODE_HEADER    4U
#define TYPE_END       0x7FU
#define TYPE_MESSAGING 0x03U
#define MESSAGING_MAC  0x0BU
#define MAC_LENGTH     6U

static uint32_t le16(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8;
}

/* A list of device paths; the first one is what is started (UEFI 2.10, 3.1.3). */
static bool goes_through(const uint8_t *path, size_t size, const uint8_t mac[6]) {
  while(size >= NODE_HEADER && path[0] != TYPE_END) {
    size_t length = le16(path + 2);
    if(length < NODE_HEADER || length > size) {
      return false;
    }
    if(path[0] == TYPE_MESSAGING && path[1] == MESSAGING_MAC && length >= NODE_HEADER + MAC_LENGTH &&
       memcmp(path + NODE_HEADER, mac, MAC_LENGTH) == 0) {
      return true;
    }
    path += length;
    size -= length;
  }
  return false;
}

bool boot_option_is_for(const void *option, size_t size, const uint8_t mac[6]) {
  const uint8_t *bytes = option;
  if(size < DESCRIPTION || !(bytes[ATTRIBUTES] & ACTIVE)) {
    return false;
  }
  size_t at = DESCRIPTION;
  while(size - at >= 2U && le16(bytes + at) != 0) {
    at += 2U;
  }
  if(size - at < 2U) {
    return false;
  }
  at += 2U;
  size_t paths = le16(bytes + PATHS_LENGTH);
  return goes_through(bytes + at, paths < size - at ? paths : size - at, mac);
}
