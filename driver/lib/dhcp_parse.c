/* dhcp_parse.c - what a DHCP message says, whoever wrote it (RFC 2131 3, RFC 2132, RFC 3396, PXE 2.1 table 2-1). Pure
 * C, tested on the host, fuzzed. */
#include <string.h>

#include "bytes.h"
#include "dhcp.h"
#include "dhcp_internal.h"

#define OP_REQUEST     1U
#define OP_REPLY       2U
#define HTYPE_ETHERNET 1U
#define FLAG_BROADCAST 0x8000U
#define OVERLOAD_FILE  1U
#define OVERLOAD_SNAME 2U
#define JOINED_MAX     1024U /* bytes of one option in all its parts */

/* Options -------------------------------------------------------------------------------------------------------- */

/* A field of the message that holds options. */
struct field {
  size_t at;
  size_t end;
  const char *name;
};

#define FIELDS_MAX 3U

/* One option in [*at, field->end), behind pads. False at the end, or where none is left; `faults` says which. */
static bool next_in_field(const uint8_t *message, const struct field *field, size_t *at, struct dhcp_option *option,
                          uint32_t *faults) {
  while(*at < field->end && message[*at] == DHCP_OPTION_PAD) {
    ++*at;
  }
  if(*at >= field->end || message[*at] == DHCP_OPTION_END) {
    *faults |= *at >= field->end ? DHCP_FAULT_NO_END : 0;
    return false;
  }
  if(field->end - *at < 2U || field->end - *at - 2U < message[*at + 1U]) {
    *faults |= DHCP_FAULT_CUT;
    return false;
  }
  *option = (struct dhcp_option){
      .code = message[*at], .length = message[*at + 1U], .data = message + *at + 2U, .field = field->name};
  *at += 2U + option->length;
  return true;
}

/* The fields in the order of RFC 3396 section 5; returns how many. Option 52 counts in the options field alone. */
static uint32_t find_fields(const uint8_t *message, size_t length, struct field fields[FIELDS_MAX], uint32_t *faults,
                            uint8_t *overload) {
  struct dhcp_option option;
  uint32_t count = 1;
  size_t at = DHCP_OPTIONS_AT;
  *overload = 0;
  fields[0] = (struct field){DHCP_OPTIONS_AT, length, "options"};
  while(next_in_field(message, &fields[0], &at, &option, faults)) {
    if(option.code != DHCP_OPTION_OVERLOAD) {
      continue;
    }
    if(option.length != 1U || option.data[0] == 0 || option.data[0] > (OVERLOAD_FILE | OVERLOAD_SNAME)) {
      *faults |= DHCP_FAULT_OVERLOAD;
    } else {
      *overload = option.data[0];
    }
  }
  if(*overload & OVERLOAD_FILE) {
    fields[count++] = (struct field){DHCP_FILE_AT, DHCP_FILE_AT + DHCP_FILE, "file"};
  }
  if(*overload & OVERLOAD_SNAME) {
    fields[count++] = (struct field){DHCP_SNAME_AT, DHCP_SNAME_AT + DHCP_SNAME, "sname"};
  }
  return count;
}

static bool is_message(const uint8_t *message, size_t length) {
  return length >= DHCP_OPTIONS_AT && (message[0] == OP_REPLY || message[0] == OP_REQUEST) &&
         message[1] == HTYPE_ETHERNET && message[2] == 6U && get32(message + DHCP_OPTIONS_AT - 4U) == DHCP_COOKIE;
}

bool dhcp_next_option(const void *message, size_t length, size_t *at, struct dhcp_option *option) {
  struct field fields[FIELDS_MAX];
  uint32_t faults = 0;
  uint8_t overload;
  if(!is_message(message, length)) {
    return false;
  }
  /* *at is the place in the message, and fields do not overlap: it says in which one it is. 0: before the first. */
  uint32_t count = find_fields(message, length, fields, &faults, &overload);
  uint32_t i = 0;
  while(i < count && *at != 0 && !(*at > fields[i].at && *at <= fields[i].end)) {
    i++;
  }
  size_t place = i < count && *at == 0 ? fields[i].at : *at;
  for(; i < count; i++) {
    if(next_in_field(message, &fields[i], &place, option, &faults)) {
      *at = place;
      return true;
    }
    place = i + 1U < count ? fields[i + 1U].at : 0;
  }
  return false;
}

/* One option's parts, joined. */
struct joined {
  uint32_t parts; /* 0: it is not there */
  size_t first;   /* bytes of the first part */
  size_t length;
  uint8_t data[JOINED_MAX];
};

struct reader {
  const uint8_t *message;
  struct field fields[FIELDS_MAX];
  uint32_t count;
  struct dhcp_offer *offer;
  struct joined joined;
};

static bool find(struct reader *reader, uint8_t code) {
  struct joined *joined = &reader->joined;
  struct dhcp_option option;
  *joined = (struct joined){0};
  for(uint32_t i = 0; i < reader->count; i++) {
    size_t at = reader->fields[i].at;
    while(next_in_field(reader->message, &reader->fields[i], &at, &option, &reader->offer->faults)) {
      if(option.code != code) {
        continue;
      }
      size_t room = sizeof(joined->data) - joined->length;
      size_t length = option.length < room ? option.length : room;
      reader->offer->faults |= length < option.length ? DHCP_FAULT_TEXT : 0;
      memcpy(joined->data + joined->length, option.data, length);
      joined->length += length;
      joined->first = joined->parts == 0 ? length : joined->first;
      joined->parts++;
    }
  }
  return joined->parts > 0;
}

/* An option of so many bytes: `length`, or with `many` a multiple of it. */
static bool find_fixed(struct reader *reader, uint8_t code, size_t length, bool many) {
  struct joined *joined = &reader->joined;
  if(!find(reader, code)) {
    return false;
  }
  if(!many && joined->parts > 1U && joined->first == length) {
    reader->offer->faults |= DHCP_FAULT_REPEATED;
    joined->length = length;
  }
  bool right = many ? joined->length >= length && joined->length % length == 0 : joined->length == length;
  reader->offer->faults |= right ? 0 : DHCP_FAULT_LENGTH;
  return right || (many && joined->length >= length);
}

static bool read8(struct reader *reader, uint8_t code, uint8_t *value) {
  bool there = find_fixed(reader, code, 1, false);
  *value = there ? reader->joined.data[0] : *value;
  return there;
}

static bool read16(struct reader *reader, uint8_t code, uint16_t *value) {
  bool there = find_fixed(reader, code, 2, false);
  *value = there ? get16(reader->joined.data) : *value;
  return there;
}

static bool read32(struct reader *reader, uint8_t code, uint32_t *value) {
  bool there = find_fixed(reader, code, 4, false);
  *value = there ? get32(reader->joined.data) : *value;
  return there;
}

/* Returns whether all of them fit. */
static bool put_addresses(struct dhcp_addresses *addresses, const uint8_t *data, size_t length) {
  size_t count = length / 4U;
  addresses->count = (uint32_t)(count < DHCP_ADDRESSES_MAX ? count : DHCP_ADDRESSES_MAX);
  for(uint32_t i = 0; i < addresses->count; i++) {
    addresses->at[i] = get32(data + (size_t)4U * i);
  }
  return count <= DHCP_ADDRESSES_MAX;
}

static void read_addresses(struct reader *reader, uint8_t code, struct dhcp_addresses *addresses) {
  if(find_fixed(reader, code, 4, true) && !put_addresses(addresses, reader->joined.data, reader->joined.length)) {
    reader->offer->faults |= DHCP_FAULT_MANY;
  }
}

static bool read_text(struct reader *reader, uint8_t code, char *text, size_t size) {
  bool there = find(reader, code);
  if(there && !text_of_bytes(text, size, reader->joined.data, reader->joined.length)) {
    reader->offer->faults |= DHCP_FAULT_TEXT;
  }
  return there && text[0] != '\0';
}

/* A field of the message that ends with a zero, or is full. */
static void read_field(struct dhcp_offer *offer, const uint8_t *at, size_t size, char *text, size_t room) {
  size_t length = 0;
  while(length < size && at[length] != 0) {
    length++;
  }
  offer->faults |= text_of_bytes(text, room, at, length) ? 0 : DHCP_FAULT_TEXT;
}

/* PXE, in option 43 ---------------------------------------------------------------------------------------------- */

static void pxe_servers(struct dhcp_offer *offer, const uint8_t *data, size_t length) {
  struct dhcp_pxe *pxe = &offer->pxe;
  while(length >= 3U) {
    size_t bytes = (size_t)4U * data[2];
    if(length - 3U < bytes) {
      offer->faults |= DHCP_FAULT_VENDOR;
      return;
    }
    if(pxe->server_count == DHCP_ITEMS_MAX) {
      offer->faults |= DHCP_FAULT_MANY;
      return;
    }
    pxe->servers[pxe->server_count].type = get16(data);
    if(!put_addresses(&pxe->servers[pxe->server_count].addresses, data + 3, bytes)) {
      offer->faults |= DHCP_FAULT_MANY;
    }
    pxe->server_count++;
    data += 3U + bytes;
    length -= 3U + bytes;
  }
  offer->faults |= length > 0 ? DHCP_FAULT_VENDOR : 0;
}

static void pxe_menu(struct dhcp_offer *offer, const uint8_t *data, size_t length) {
  struct dhcp_pxe *pxe = &offer->pxe;
  while(length >= 3U) {
    size_t bytes = data[2];
    if(length - 3U < bytes) {
      offer->faults |= DHCP_FAULT_VENDOR;
      return;
    }
    if(pxe->menu_count == DHCP_ITEMS_MAX) {
      offer->faults |= DHCP_FAULT_MANY;
      return;
    }
    pxe->menu[pxe->menu_count].type = get16(data);
    if(!text_of_bytes(pxe->menu[pxe->menu_count].text, DHCP_ITEM_SIZE, data + 3, bytes)) {
      offer->faults |= DHCP_FAULT_TEXT;
    }
    pxe->menu_count++;
    data += 3U + bytes;
    length -= 3U + bytes;
  }
  offer->faults |= length > 0 ? DHCP_FAULT_VENDOR : 0;
}

static void pxe_control(struct dhcp_pxe *pxe, uint8_t bits) {
  pxe->has_control = true;
  pxe->no_broadcast = (bits & 1U) != 0;
  pxe->no_multicast = (bits & 2U) != 0;
  pxe->listed_only = (bits & 4U) != 0;
  pxe->no_discover = (bits & 8U) != 0;
}

/* False for a part that is shorter than it must be. */
static bool pxe_part(struct dhcp_offer *offer, uint8_t code, const uint8_t *data, size_t length) {
  struct dhcp_pxe *pxe = &offer->pxe;
  static const uint8_t least[] = {[PXE_OPTION_CONTROL] = 1, [PXE_OPTION_MULTICAST] = 4, [PXE_OPTION_SERVERS] = 3,
                                  [PXE_OPTION_MENU] = 3,    [PXE_OPTION_PROMPT] = 1,    [PXE_OPTION_ITEM] = 4};
  if(code < sizeof(least) && length < least[code]) {
    return false;
  }
  if(code == PXE_OPTION_CONTROL) {
    pxe_control(pxe, data[0]);
  } else if(code == PXE_OPTION_MULTICAST) {
    pxe->multicast = get32(data);
  } else if(code == PXE_OPTION_SERVERS) {
    pxe_servers(offer, data, length);
  } else if(code == PXE_OPTION_MENU) {
    pxe_menu(offer, data, length);
  } else if(code == PXE_OPTION_PROMPT) {
    pxe->has_prompt = true;
    pxe->prompt_seconds = data[0];
    offer->faults |= text_of_bytes(pxe->prompt, sizeof(pxe->prompt), data + 1, length - 1U) ? 0 : DHCP_FAULT_TEXT;
  } else if(code == PXE_OPTION_ITEM) {
    pxe->has_item = true;
    pxe->item_type = get16(data);
    pxe->item_layer = get16(data + 2);
  }
  return true;
}

/* Only a PXE client's option 43 is made of these parts; another vendor's is anything. */
static void read_vendor(struct reader *reader) {
  struct dhcp_offer *offer = reader->offer;
  const uint8_t *data = reader->joined.data;
  size_t at = 0;
  if(!text_begins(offer->vendor_class, "PXEClient") || !find(reader, DHCP_OPTION_VENDOR)) {
    return;
  }
  size_t length = reader->joined.length;
  offer->pxe.there = true;
  while(at < length && data[at] != DHCP_OPTION_END) {
    if(data[at] == DHCP_OPTION_PAD) {
      at++;
      continue;
    }
    if(length - at < 2U || length - at - 2U < data[at + 1U] ||
       !pxe_part(offer, data[at], data + at + 2U, data[at + 1U])) {
      offer->faults |= DHCP_FAULT_VENDOR;
      return;
    }
    at += 2U + data[at + 1U];
  }
}

/* The whole ------------------------------------------------------------------------------------------------------ */

static void read_fixed_fields(const uint8_t *message, struct dhcp_offer *offer) {
  offer->op = message[0];
  offer->xid = get32(message + 4);
  offer->seconds = get16(message + 8);
  offer->broadcast = (get16(message + 10) & FLAG_BROADCAST) != 0;
  offer->ciaddr = get32(message + 12);
  offer->address = get32(message + 16);
  offer->siaddr = get32(message + 20);
  offer->relay = get32(message + 24);
  memcpy(offer->mac, message + 28, sizeof(offer->mac));
}

static void read_type(struct reader *reader) {
  struct dhcp_offer *offer = reader->offer;
  uint8_t type = 0;
  if(!read8(reader, DHCP_OPTION_TYPE, &type) || type == 0) {
    offer->faults |= DHCP_FAULT_NO_TYPE;
  }
  offer->type = (enum dhcp_type)type;
}

static void read_boot(struct reader *reader) {
  struct dhcp_offer *offer = reader->offer;
  const uint8_t *message = reader->message;
  (void)read_text(reader, DHCP_OPTION_VENDOR_CLASS, offer->vendor_class, sizeof(offer->vendor_class));
  if(!read_text(reader, DHCP_OPTION_SERVER_NAME, offer->server_name, sizeof(offer->server_name)) &&
     !(offer->overload & OVERLOAD_SNAME)) {
    read_field(offer, message + DHCP_SNAME_AT, DHCP_SNAME, offer->server_name, sizeof(offer->server_name));
  }
  offer->file_in_option = read_text(reader, DHCP_OPTION_BOOT_FILE, offer->boot_file, sizeof(offer->boot_file));
  if(!offer->file_in_option && !(offer->overload & OVERLOAD_FILE)) {
    read_field(offer, message + DHCP_FILE_AT, DHCP_FILE, offer->boot_file, sizeof(offer->boot_file));
  }
  offer->has_file_size = read16(reader, DHCP_OPTION_FILE_SIZE, &offer->file_blocks);
  /* A client may name several architectures (RFC 4578 2.1); the first is what it is. */
  offer->has_arch = find_fixed(reader, DHCP_OPTION_ARCH, 2, true);
  offer->arch = offer->has_arch ? get16(reader->joined.data) : 0;
  offer->has_uuid = find_fixed(reader, DHCP_OPTION_UUID, 1U + sizeof(offer->uuid), false);
  if(offer->has_uuid) {
    memcpy(offer->uuid, reader->joined.data + 1, sizeof(offer->uuid));
  }
  read_vendor(reader);
}

bool dhcp_parse(const void *message, size_t length, struct dhcp_offer *offer) {
  struct reader reader = {.message = message, .offer = offer};
  memset(offer, 0, sizeof(*offer));
  if(!is_message(message, length)) {
    return false;
  }
  read_fixed_fields(message, offer);
  reader.count = find_fields(message, length, reader.fields, &offer->faults, &offer->overload);
  read_type(&reader);
  (void)read32(&reader, DHCP_OPTION_SERVER, &offer->server);
  (void)read32(&reader, DHCP_OPTION_WANTED, &offer->wanted);
  (void)read32(&reader, DHCP_OPTION_MASK, &offer->mask);
  read_addresses(&reader, DHCP_OPTION_ROUTER, &offer->routers);
  read_addresses(&reader, DHCP_OPTION_DNS, &offer->dns);
  (void)read_text(&reader, DHCP_OPTION_HOST, offer->host, sizeof(offer->host));
  (void)read_text(&reader, DHCP_OPTION_DOMAIN, offer->domain, sizeof(offer->domain));
  (void)read_text(&reader, DHCP_OPTION_MESSAGE, offer->message, sizeof(offer->message));
  offer->has_lease = read32(&reader, DHCP_OPTION_LEASE, &offer->lease_s);
  (void)read32(&reader, DHCP_OPTION_RENEW, &offer->renew_s);
  (void)read32(&reader, DHCP_OPTION_REBIND, &offer->rebind_s);
  read_boot(&reader);
  bool ones_first = (~offer->mask & (~offer->mask + 1U)) == 0;
  offer->faults |= ones_first ? 0 : DHCP_FAULT_MASK;
  offer->faults |= offer->op == OP_REPLY && offer->type != DHCP_BOOTP && offer->server == 0 ? DHCP_FAULT_NO_SERVER : 0;
  return true;
}

bool dhcp_parse_answer(const struct udp_packet *packet, const struct dhcp_client *client, struct dhcp_offer *offer) {
  return packet->fault == INET_SOUND &&
         (packet->way.destination_port == DHCP_CLIENT_PORT || packet->way.source_port == DHCP_PROXY_PORT) &&
         dhcp_parse(packet->data, packet->data_length, offer) && offer->op == OP_REPLY && offer->xid == client->xid &&
         memcmp(offer->mac, client->mac, sizeof(offer->mac)) == 0;
}

/* Words ---------------------------------------------------------------------------------------------------------- */

const char *dhcp_next_fault(uint32_t *faults) {
  static const char *const texts[] = {
      "an option is longer than the field it is in",
      "the options have no end mark",
      "option 52 (overload) has an unknown value",
      "an option has an impossible length",
      "an option comes twice; the first counts",
      "a text is too long or not plain ASCII",
      "a list is longer than what is shown",
      "the PXE options in option 43 are cut",
      "no message type (option 53): BOOTP",
      "no server identifier (option 54), which clients drop",
      "the subnet mask has holes",
  };
  for(uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if(*faults & 1U << i) {
      *faults &= ~(1U << i);
      return texts[i];
    }
  }
  return NULL;
}

const char *dhcp_option_name(uint8_t code) {
  static const char *const names[] = {
      [1] = "subnet mask",
      [2] = "time offset",
      [3] = "router",
      [4] = "time server",
      [6] = "DNS server",
      [7] = "log server",
      [12] = "host name",
      [13] = "boot file size",
      [15] = "domain",
      [17] = "root path",
      [18] = "extensions path",
      [23] = "default TTL",
      [26] = "interface MTU",
      [28] = "broadcast address",
      [33] = "static route",
      [40] = "NIS domain",
      [42] = "NTP server",
      [43] = "vendor options",
      [44] = "NetBIOS name server",
      [50] = "requested address",
      [51] = "lease time",
      [52] = "overload",
      [53] = "message type",
      [54] = "server",
      [55] = "parameter list",
      [56] = "message",
      [57] = "maximum size",
      [58] = "renewal time",
      [59] = "rebinding time",
      [60] = "vendor class",
      [61] = "client identifier",
      [66] = "TFTP server name",
      [67] = "boot file",
      [77] = "user class",
      [82] = "relay agent",
      [93] = "client architecture",
      [94] = "client interface",
      [97] = "machine UUID",
      [119] = "domain search",
      [121] = "classless routes",
      [150] = "TFTP server address",
      [175] = "iPXE options",
      [208] = "PXELINUX magic",
      [209] = "configuration file",
      [210] = "path prefix",
      [211] = "reboot time",
      [252] = "proxy auto-config",
  };
  return code < sizeof(names) / sizeof(names[0]) ? names[code] : NULL;
}
