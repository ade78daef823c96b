/* url.h - the URLs that a boot file comes from: tftp, http and https. Pure C, tested on the host. */
#ifndef APP_URL_H
#define APP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URL_TEXT_SIZE 512U /* bytes of a whole URL with its zero byte; what a handoff has room for */
#define URL_HOST_SIZE 256U /* RFC 1035, 2.3.4: a name has at most 255 */

enum url_scheme { URL_TFTP, URL_HTTP, URL_HTTPS };
enum url_host_kind { URL_HOST_IPV4, URL_HOST_IPV6, URL_HOST_NAME };

struct url {
  enum url_scheme scheme;
  enum url_host_kind host_kind;
  uint32_t ipv4;            /* host order, when host_kind says so                                   */
  uint8_t ipv6[16];         /* network order, when host_kind says so                                */
  char host[URL_HOST_SIZE]; /* as written, in small letters, without brackets                       */
  uint16_t port;            /* the scheme's own when the URL names none                             */
  char path[URL_TEXT_SIZE]; /* begins with '/'; percent-encoded as written, with a query if there is one */
};

/*
 * Takes a URL apart: SCHEME://HOST[:PORT][/PATH][?QUERY] (RFC 3986; RFC 3617 for tftp). HOST is an IPv4 address, an
 * IPv6 address in brackets, or a name. Returns NULL, or a sentence without a full stop that says what is wrong; *url is
 * then undefined. User names, fragments, zones of IPv6 addresses and characters that a URL must not have are refused.
 */
const char *url_parse(const char *text, struct url *url);

/* What a redirect (`reference`: RFC 9110, 10.2.2) of `base` leads to; a fragment is dropped. As url_parse. */
const char *url_join(const struct url *base, const char *reference, struct url *url);

/* The URL as text, its port only where it is not the scheme's own. False, and an empty text, when it does not fit. */
bool url_text(const struct url *url, char *text, size_t size);

/* HOST, in brackets when IPv6, with the port when it is not the scheme's own: HTTP's Host header. False, and an empty
 * text, when it does not fit. */
bool url_authority(const struct url *url, char *text, size_t size);

/* What to ask a TFTP server for: the path without its first '/', percent-encoding resolved. False, and an empty text,
 * when it does not fit. */
bool url_file(const struct url *url, char *file, size_t size);

/* The URL of what DHCP names as boot file: `file` itself when it is a URL, else tftp://SERVER/FILE, with % and two
 * digits for what a URL writes so. `server` in host order. False, and an empty text, when one of them is missing, or
 * the URL is too long. */
bool url_of_boot_file(const char *file, uint32_t server, char text[URL_TEXT_SIZE]);

/* The last part of the path, percent-encoding resolved, without a query, cut to what fits; "" when the path ends with
 * a '/'. */
void url_name(const struct url *url, char *name, size_t size);

/* The URL of a file beside it: `suffix` behind the path, before a query. False when it becomes too long. */
bool url_beside(const struct url *url, const char *suffix, struct url *beside);

#endif
