/* http_text.h - what stands in the head of an HTTP answer. Pure C, tested on the host. */
#ifndef APP_HTTP_TEXT_H
#define APP_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "url.h"

struct http_head {
  bool has_length;
  bool bad_length; /* a Content-Length that is no number, or two that differ      */
  bool chunked;
  bool coded;     /* a transfer or content coding that is none of ours: gzip     */
  bool has_range; /* Content-Range: bytes first-last/total                       */
  uint64_t length;
  uint64_t first;
  uint64_t last;
  uint64_t total; /* UINT64_MAX when the server does not say                     */
  bool has_location;
  char location[URL_TEXT_SIZE];
};

/* Takes one header field into account; begin with a zeroed *head. Names in any case, blanks around values; what is not
 * known is ignored. Texts end with a zero byte. */
void http_head_field(struct http_head *head, const char *name, const char *value);

/* HTTP's three digits of UEFI's EFI_HTTP_STATUS_CODE; 0 for one that is none. */
uint32_t http_status_of(uint32_t code);

/* "Not Found" of 404; "" where nothing is known. */
const char *http_status_text(uint32_t status);

/* The value of an option in the data of a TFTP OACK (RFC 2347: names and values, each with a zero byte behind), when it
 * is a decimal number; false otherwise. */
bool tftp_option(const uint8_t *data, size_t length, const char *name, uint64_t *value);

#endif
