/* url.c - the URLs that a boot file comes from: tftp, http and https. Pure C, tested on the host. */
#include "url.h"

#include <string.h>

#include "../../driver/lib/texts.h"
#include "../args.h"

#define IPV6_GROUPS 8U
#define LABEL_MAX   63U /* RFC 1035, 2.3.4 */

static const struct {
  const char *name;
  uint16_t port;
} schemes[] = {
    [URL_TFTP] = {"tftp", 69},
    [URL_HTTP] = {"http", 80},
    [URL_HTTPS] = {"https", 443},
};

/* Characters ----------------------------------------------------------------------------------------------------- */

static char small(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* -1 for what is no hexadecimal digit. */
static int hex_value(char c) {
  c = small(c);
  return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986, 3.3 and 3.4, without the percent sign. */
static bool is_path_character(char c) {
  const char *other = "-._~!$&'()*+,;=:@/?";
  while(*other && *other != c) {
    other++;
  }
  return is_digit(c) || (small(c) >= 'a' && small(c) <= 'z') || *other;
}

/* Where the first `c` is, or NULL. */
static const char *find(const char *text, char c, size_t length) {
  for(size_t i = 0; i < length; i++) {
    if(text[i] == c) {
      return text + i;
    }
  }
  return NULL;
}

/* Addresses ------------------------------------------------------------------------------------------------------ */

/* A dotted quad at the start of text[0..length-1], and nothing behind it. */
static bool parse_ipv4(const char *text, size_t length, uint32_t *address) {
  uint32_t value = 0;
  size_t at = 0;
  for(int part = 0; part < 4; part++) {
    uint32_t byte = 0;
    size_t digits = 0;
    for(; at < length && is_digit(text[at]) && digits < 4; at++, digits++) {
      byte = byte * 10U + (uint32_t)(text[at] - '0');
    }
    /* A leading zero means octal to some: it is refused rather than guessed. */
    if(digits == 0 || digits > 3 || byte > 255 || (digits > 1 && text[at - digits] == '0')) {
      return false;
    }
    value = value << 8 | byte;
    if(part < 3) {
      if(at == length || text[at] != '.') {
        return false;
      }
      at++;
    }
  }
  *address = value;
  return at == length;
}

static bool parse_group(const char *text, size_t length, size_t *at, uint32_t *group) {
  size_t digits = 0;
  *group = 0;
  for(; *at < length && hex_value(text[*at]) >= 0 && digits < 5; digits++) {
    *group = *group << 4 | (uint32_t)hex_value(text[(*at)++]);
  }
  return digits >= 1 && digits <= 4;
}

/* RFC 4291, 2.2: groups of four hexadecimal digits, one "::" for zeroes, a dotted quad for the last two. */
static bool parse_ipv6(const char *text, size_t length, uint8_t address[16]) {
  uint16_t groups[IPV6_GROUPS] = {0};
  size_t count = 0;
  size_t gap = IPV6_GROUPS + 1U;
  size_t at = 0;
  if(length >= 2 && text[0] == ':' && text[1] == ':') {
    gap = 0;
    at = 2;
  }
  while(at < length) {
    uint32_t group;
    uint32_t quad;
    if(count <= IPV6_GROUPS - 2U && parse_ipv4(text + at, length - at, &quad)) {
      groups[count++] = (uint16_t)(quad >> 16);
      groups[count++] = (uint16_t)quad;
      at = length;
      break;
    }
    if(count == IPV6_GROUPS || !parse_group(text, length, &at, &group)) {
      return false;
    }
    groups[count++] = (uint16_t)group;
    if(at == length) {
      break;
    }
    if(text[at] != ':' || at + 1U == length) {
      return false;
    }
    at++;
    if(text[at] == ':') {
      if(gap <= IPV6_GROUPS) {
        return false;
      }
      gap = count;
      at++;
    }
  }
  if(gap > IPV6_GROUPS ? count != IPV6_GROUPS : count >= IPV6_GROUPS) {
    return false;
  }
  size_t behind = gap > IPV6_GROUPS ? 0 : count - gap;
  for(size_t i = 0; i < IPV6_GROUPS; i++) {
    uint16_t group = 0;
    if(i < count - behind) {
      group = groups[i];
    } else if(i >= IPV6_GROUPS - behind) {
      group = groups[i - (IPV6_GROUPS - count)];
    }
    address[2 * i] = (uint8_t)(group >> 8);
    address[2 * i + 1U] = (uint8_t)group;
  }
  return true;
}

static bool is_name(const char *name, size_t length) {
  size_t label = 0;
  for(size_t i = 0; i < length; i++) {
    char c = name[i];
    if(c == '.') {
      if(label == 0 || label > LABEL_MAX || name[i - 1] == '-') {
        return false;
      }
      label = 0;
      continue;
    }
    bool hyphen = c == '-' || c == '_';
    if((!hyphen && !is_digit(c) && (small(c) < 'a' || small(c) > 'z')) || (label == 0 && c == '-')) {
      return false;
    }
    label++;
  }
  return label <= LABEL_MAX && length > 0 && name[length - 1] != '-';
}

static bool looks_like_ipv4(const char *text, size_t length) {
  for(size_t i = 0; i < length; i++) {
    if(!is_digit(text[i]) && text[i] != '.') {
      return false;
    }
  }
  return length > 0;
}

/* Parts ---------------------------------------------------------------------------------------------------------- */

static const char *take_host(const char *text, size_t length, struct url *url) {
  if(length == 0) {
    return "the server's address is missing";
  }
  if(length >= URL_HOST_SIZE) {
    return "the server's name is longer than 255 characters";
  }
  for(size_t i = 0; i < length; i++) {
    url->host[i] = small(text[i]);
  }
  url->host[length] = '\0';
  if(looks_like_ipv4(text, length)) {
    url->host_kind = URL_HOST_IPV4;
    return parse_ipv4(text, length, &url->ipv4) ? NULL : "the server's IPv4 address is not four numbers from 0 to 255";
  }
  url->host_kind = URL_HOST_NAME;
  return is_name(text, length) ? NULL : "the server's name has a character that no name has";
}

static const char *take_bracketed(const char *text, size_t length, struct url *url) {
  if(length >= URL_HOST_SIZE || !parse_ipv6(text, length, url->ipv6)) {
    return "what is in brackets is no IPv6 address";
  }
  for(size_t i = 0; i < length; i++) {
    url->host[i] = small(text[i]);
  }
  url->host[length] = '\0';
  url->host_kind = URL_HOST_IPV6;
  return NULL;
}

/* What is behind the host: nothing, or ":PORT". */
static const char *take_port(const char *text, size_t length, struct url *url) {
  static const char wrong[] = "the port is no number from 1 to 65535";
  uint32_t port = 0;
  url->port = schemes[url->scheme].port;
  if(length == 0) {
    return NULL;
  }
  if(text[0] != ':' || length < 2 || length > 6) {
    return wrong;
  }
  for(size_t i = 1; i < length; i++) {
    if(!is_digit(text[i])) {
      return wrong;
    }
    port = port * 10U + (uint32_t)(text[i] - '0');
  }
  if(port == 0 || port > UINT16_MAX) {
    return wrong;
  }
  url->port = (uint16_t)port;
  return NULL;
}

static const char *take_authority(const char *text, size_t length, struct url *url) {
  size_t host = 0;
  if(find(text, '@', length)) {
    return "a user name or password in a URL is not taken";
  }
  if(length > 0 && text[0] == '[') {
    const char *end = find(text, ']', length);
    if(!end) {
      return "the bracket of the IPv6 address is not closed";
    }
    host = (size_t)(end - text) + 1U;
    const char *problem = take_bracketed(text + 1, host - 2U, url);
    return problem ? problem : take_port(text + host, length - host, url);
  }
  while(host < length && text[host] != ':') {
    host++;
  }
  if(host < length && find(text + host + 1, ':', length - host - 1U)) {
    return "an IPv6 address needs brackets: [fe80::1]";
  }
  const char *problem = take_host(text, host, url);
  return problem ? problem : take_port(text + host, length - host, url);
}

static const char *take_path(const char *text, size_t length, struct url *url) {
  size_t at = 0;
  if(length == 0 || text[0] != '/') {
    url->path[at++] = '/'; /* RFC 3986, 6.2.3: none is the same as '/' */
  }
  if(length >= URL_TEXT_SIZE - at) {
    return "the URL is too long: at most 511 characters";
  }
  for(size_t i = 0; i < length; i++) {
    if(text[i] == '#') {
      return "a URL for a server has no fragment (#)";
    }
    if(text[i] == '%') {
      int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
      int low = high >= 0 ? hex_value(text[i + 2]) : -1;
      if(low < 0) {
        return "a percent sign without two hexadecimal digits behind it: write %25 for the sign itself";
      }
      if(high == 0 && low == 0) {
        return "%00 is in no file's name";
      }
    } else if(!is_path_character(text[i])) {
      return "the path has a character that a URL writes as % and two hexadecimal digits: %20 for a blank";
    }
    url->path[at++] = text[i];
  }
  url->path[at] = '\0';
  return NULL;
}

/* "http:" and its length; false when there is none of ours. */
static bool take_scheme(const char *text, struct url *url, size_t *length) {
  for(size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
    size_t name = strlen(schemes[i].name);
    if(text_same_start(text, schemes[i].name) && text[name] == ':') {
      url->scheme = (enum url_scheme)i;
      *length = name + 1U;
      return true;
    }
  }
  return false;
}

/* "//HOST:PORT/PATH", `length` characters of it; the scheme is known. */
static const char *take_rest(const char *text, size_t length, struct url *url) {
  size_t authority = 2;
  if(length < 2 || text[0] != '/' || text[1] != '/') {
    return "two slashes and the server's address follow the scheme: http://10.0.0.1/kernel.efi";
  }
  while(authority < length && text[authority] != '/' && text[authority] != '?' && text[authority] != '#') {
    authority++;
  }
  const char *problem = take_authority(text + 2, authority - 2U, url);
  return problem ? problem : take_path(text + authority, length - authority, url);
}

const char *url_parse(const char *text, struct url *url) {
  size_t scheme;
  size_t length = 0;
  memset(url, 0, sizeof(*url));
  while(length < URL_TEXT_SIZE && text[length]) {
    length++;
  }
  if(length == URL_TEXT_SIZE) {
    return "the URL is too long: at most 511 characters";
  }
  if(!take_scheme(text, url, &scheme)) {
    return "a URL begins with tftp://, http:// or https://";
  }
  return take_rest(text + scheme, length - scheme, url);
}

/* RFC 3986, 5.2.2, without dot segments: a server that sends those means them as they stand. */
const char *url_join(const struct url *base, const char *reference, struct url *url) {
  size_t scheme;
  size_t length = 0;
  memset(url, 0, sizeof(*url));
  while(length < URL_TEXT_SIZE && reference[length] && reference[length] != '#') {
    length++;
  }
  if(length == URL_TEXT_SIZE) {
    return "the URL is too long: at most 511 characters";
  }
  if(take_scheme(reference, url, &scheme) && scheme <= length) {
    return take_rest(reference + scheme, length - scheme, url);
  }
  url->scheme = base->scheme;
  if(length >= 2 && reference[0] == '/' && reference[1] == '/') {
    return take_rest(reference, length, url);
  }
  *url = *base;
  if(length > 0 && reference[0] == '/') {
    return take_path(reference, length, url);
  }
  /* Beside the last part of the base's path. */
  char path[URL_TEXT_SIZE];
  size_t folder = 0;
  for(size_t i = 0; base->path[i] && base->path[i] != '?'; i++) {
    folder = base->path[i] == '/' ? i + 1U : folder;
  }
  if(length >= sizeof(path) - folder) {
    return "the URL is too long: at most 511 characters";
  }
  memcpy(path, base->path, folder);
  memcpy(path + folder, reference, length);
  return take_path(path, folder + length, url);
}

/* Texts ---------------------------------------------------------------------------------------------------------- */

struct sink {
  char *text;
  size_t size;
  size_t length;
};

static void put(struct sink *sink, const char *text) {
  for(; *text; text++, sink->length++) {
    if(sink->length + 1U < sink->size) {
      sink->text[sink->length] = *text;
    }
  }
}

static bool finish(struct sink *sink) {
  bool fits = sink->length < sink->size;
  if(sink->size > 0) {
    sink->text[fits ? sink->length : 0] = '\0';
  }
  return fits;
}

static void put_authority(struct sink *sink, const struct url *url) {
  put(sink, url->host_kind == URL_HOST_IPV6 ? "[" : "");
  put(sink, url->host);
  put(sink, url->host_kind == URL_HOST_IPV6 ? "]" : "");
  if(url->port != schemes[url->scheme].port) {
    char digits[6];
    size_t at = sizeof(digits) - 1U;
    uint32_t port = url->port;
    digits[at] = '\0';
    for(; port > 0; port /= 10U) {
      digits[--at] = (char)('0' + port % 10U);
    }
    put(sink, ":");
    put(sink, digits + at);
  }
}

bool url_authority(const struct url *url, char *text, size_t size) {
  struct sink sink = {text, size, 0};
  put_authority(&sink, url);
  return finish(&sink);
}

bool url_text(const struct url *url, char *text, size_t size) {
  struct sink sink = {text, size, 0};
  put(&sink, schemes[url->scheme].name);
  put(&sink, "://");
  put_authority(&sink, url);
  put(&sink, url->path);
  return finish(&sink);
}

/* One character of a path, and where the next begins. */
static char decode(const char **from) {
  const char *at = *from;
  if(at[0] == '%' && at[1] && at[2]) {
    *from = at + 3;
    return (char)((unsigned)hex_value(at[1]) << 4 | (unsigned)hex_value(at[2]));
  }
  *from = at + 1;
  return at[0];
}

bool url_file(const struct url *url, char *file, size_t size) {
  const char *from = url->path + 1;
  struct sink sink = {file, size, 0};
  while(*from) {
    const char one[2] = {decode(&from), '\0'};
    put(&sink, one);
  }
  return finish(&sink);
}

/* What a URL must write as % and two digits is written so. */
static bool encode(const char *file, char *path, size_t size) {
  size_t at = 0;
  for(; *file; file++) {
    unsigned char c = (unsigned char)*file;
    if(at + 4U > size) {
      return false;
    }
    if(is_path_character(*file) && c != '?') {
      path[at++] = *file;
    } else {
      path[at++] = '%';
      path[at++] = "0123456789ABCDEF"[c >> 4];
      path[at++] = "0123456789ABCDEF"[c & 15U];
    }
  }
  path[at] = '\0';
  return true;
}

bool url_of_boot_file(const char *file, uint32_t server, char text[URL_TEXT_SIZE]) {
  struct url url;
  size_t length = strlen(file);
  text[0] = '\0';
  if(length > 0 && length < URL_TEXT_SIZE && !url_parse(file, &url)) {
    memcpy(text, file, length + 1U);
    return true;
  }
  url = (struct url){.scheme = URL_TFTP, .host_kind = URL_HOST_IPV4, .ipv4 = server, .port = 69, .path = "/"};
  (void)ipv4_text(server, url.host);
  return length > 0 && server != 0 && encode(file + (file[0] == '/'), url.path + 1, sizeof(url.path) - 1U) &&
         url_text(&url, text, URL_TEXT_SIZE);
}

void url_name(const struct url *url, char *name, size_t size) {
  const char *end = url->path;
  const char *from = url->path;
  for(; *end && *end != '?'; end++) {
    from = *end == '/' ? end + 1 : from;
  }
  size_t at = 0;
  while(from < end && at + 1U < size) {
    name[at++] = decode(&from);
  }
  name[at] = '\0';
}

bool url_beside(const struct url *url, const char *suffix, struct url *beside) {
  size_t length = strlen(url->path);
  size_t added = strlen(suffix);
  size_t path = 0;
  *beside = *url;
  while(url->path[path] && url->path[path] != '?') {
    path++;
  }
  if(length + added >= sizeof(url->path)) {
    return false;
  }
  memmove(beside->path + path + added, url->path + path, length - path + 1U);
  memcpy(beside->path + path, suffix, added);
  return true;
}
