/* texts.h - addresses and bytes as people write them. Pure C, tested on the host. */
#ifndef LIB_TEXTS_H
#define LIB_TEXTS_H

#include <stddef.h>
#include <stdint.h>

/* "52:54:00:12:34:56" into `text`, which it returns. */
#define MAC_TEXT_SIZE 18U
const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);

/* "10.0.2.2" */
#define IPV4_TEXT_SIZE 16U
const char *ipv4_text(uint32_t address, char text[IPV4_TEXT_SIZE]);

/* "fe80::5054:ff:fe12:3456", as RFC 5952 has it. */
#define IPV6_TEXT_SIZE 40U
const char *ipv6_text(const uint8_t address[16], char text[IPV6_TEXT_SIZE]);

/* Two small hexadecimal digits a byte into `text`, which it returns: 2 * count + 1 characters with the zero. */
const char *hex_text(const uint8_t *bytes, size_t count, char *text);

#endif
