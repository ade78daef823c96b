/* boot_option.h - whether a boot option of the firmware's is for a NIC. Pure C, tested and fuzzed on the host. */
#ifndef APP_DOCTOR_BOOT_OPTION_H
#define APP_DOCTOR_BOOT_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `option` is the contents of a Boot#### variable (EFI_LOAD_OPTION, UEFI 2.10, 3.1.3). True when it is active and its
 * device path goes to the network through the NIC with this MAC address. Whatever the bytes are, nothing outside of
 * them is read. */
bool boot_option_is_for(const void *option, size_t size, const uint8_t mac[6]);

#endif
