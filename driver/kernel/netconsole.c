/* netconsole.c - a kernel's log over the network: lines in a ring of text, each one UDP datagram. */
#include "netconsole.h"

#include <string.h>

#include "../lib/bytes.h"
#include "../lib/udp.h"
#include "net/barrier.h"

#define SIZE_MIN      256U
#define DIGITS_MAX    20U /* of 64 bits */
#define EVERYBODY     0xFFFFFFFFU
#define PANIC_STEP_US 50U
#define LINK_STEP_US  1000U
#define LINK_US       5000000U /* autonegotiation, should a restart have begun one */

_Static_assert(NETCONSOLE_FRAME_SIZE == UDP_HEADERS + NETCONSOLE_CHUNK, "a chunk in its frame");

/* The parameter -------------------------------------------------------------------------------------------------- */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* A decimal number of at most `max`; false when there is none. */
static bool read_number(const char **at, uint32_t max, uint32_t *value) {
  uint32_t number = 0;
  if(!is_digit(**at)) {
    return false;
  }
  for(; is_digit(**at); (*at)++) {
    number = number * 10U + (uint32_t)(**at - '0');
    if(number > max) {
      return false;
    }
  }
  *value = number;
  return true;
}

/* Four numbers with dots between them. */
static bool read_address(const char **at, uint32_t *address) {
  const char *from = *at;
  uint32_t whole = 0;
  for(uint32_t i = 0; i < 4; i++) {
    uint32_t byte;
    if(i > 0) {
      if(*from != '.') {
        return false;
      }
      from++;
    }
    if(!read_number(&from, 255, &byte)) {
      return false;
    }
    whole = whole << 8 | byte;
  }
  *at = from;
  *address = whole;
  return true;
}

static bool read_hex(const char **at, uint8_t *byte) {
  uint32_t value = 0;
  uint32_t digits = 0;
  for(; digits < 2; digits++, (*at)++) {
    char c = **at;
    char small = (char)(c | 0x20);
    if(is_digit(c)) {
      value = value << 4 | (uint32_t)(c - '0');
    } else if(small >= 'a' && small <= 'f') {
      value = value << 4 | (uint32_t)(small - 'a' + 10);
    } else {
      break;
    }
  }
  *byte = (uint8_t)value;
  return digits > 0;
}

static bool read_mac(const char **at, uint8_t mac[NETDEV_MAC_LENGTH]) {
  for(uint32_t i = 0; i < NETDEV_MAC_LENGTH; i++) {
    if((i > 0 && *(*at)++ != ':') || !read_hex(at, &mac[i])) {
      return false;
    }
  }
  return true;
}

/* "[port]@[address]/" */
static const char *read_end(const char **at, uint16_t *port, uint32_t *address) {
  uint32_t number = 0;
  if(**at != '@' && (!read_number(at, UINT16_MAX, &number) || number == 0)) {
    return "netconsole: a port is no number from 1 to 65535";
  }
  *port = (uint16_t)number;
  if(*(*at)++ != '@') {
    return "netconsole: '@' is missing: [port]@[address]/[device],[port]@[address]/[MAC]";
  }
  if(**at != '/' && !read_address(at, address)) {
    return "netconsole: an address is not of the form 10.0.2.2";
  }
  if(*(*at)++ != '/') {
    return "netconsole: '/' is missing behind an address";
  }
  return NULL;
}

const char *netconsole_parse(const char *parameter, struct netconsole_config *config) {
  const char *at = parameter;
  memset(config, 0, sizeof(*config));
  if(*at == '+') {
    return "netconsole: extended messages ('+') are not sent";
  }
  const char *problem = read_end(&at, &config->source_port, &config->source);
  if(problem) {
    return problem;
  }
  while(*at && *at != ',') {
    at++;
  }
  if(*at++ != ',') {
    return "netconsole: ',' and the target are missing";
  }
  problem = read_end(&at, &config->target_port, &config->target);
  if(problem) {
    return problem;
  }
  if(*at && (!read_mac(&at, config->target_mac) || *at)) {
    return "netconsole: the target's MAC address is not of the form 52:54:00:12:34:56";
  }
  return NULL;
}

/* The host of a URL, when it is an IPv4 address; 0 for any other. */
static uint32_t host_of(const char *url) {
  const char *at = url ? url : "";
  uint32_t address = 0;
  while(*at && (at[0] != '/' || at[1] != '/')) {
    at++;
  }
  if(!*at) {
    return 0;
  }
  at += 2;
  return read_address(&at, &address) && (*at == '/' || *at == ':' || *at == '\0') ? address : 0;
}

void netconsole_complete(struct netconsole_config *config, const struct net_handoff_lease *lease, const char *source) {
  static const uint8_t none[NETDEV_MAC_LENGTH];
  config->source_port = config->source_port ? config->source_port : NETCONSOLE_SOURCE_PORT;
  config->target_port = config->target_port ? config->target_port : NETCONSOLE_TARGET_PORT;
  if(config->source == 0 && lease) {
    config->source = get32(lease->address);
  }
  if(config->target == 0) {
    config->target = host_of(source);
  }
  if(config->target == 0 && lease) {
    config->target = get32(lease->server);
  }
  if(config->target == 0) {
    config->target = EVERYBODY;
  }
  if(memcmp(config->target_mac, none, sizeof(none)) == 0) {
    memset(config->target_mac, 0xFF, sizeof(config->target_mac));
  }
}

/* The log's half ------------------------------------------------------------------------------------------------- */

bool netconsole_init(struct netconsole *console, char *text, uint32_t size) {
  if(!text || size < SIZE_MIN || (size & (size - 1U))) {
    return false;
  }
  memset(console, 0, sizeof(*console));
  console->text = text;
  console->size = size;
  return true;
}

void netconsole_attach(struct netconsole *console, struct netdev *dev, const struct netconsole_config *config) {
  if(config) {
    console->config = *config;
  }
  console->dev = dev;
}

static void write_byte(struct netconsole *console, char byte) {
  if(!console->skipping && console->end - console->sent == console->size) {
    console->end = console->written; /* the whole line goes */
    console->skipping = true;
  }
  if(!console->skipping) {
    console->text[console->end++ & (console->size - 1U)] = byte;
  }
  if(byte != '\n') {
    return;
  }
  if(console->skipping) {
    console->skipping = false;
    console->dropped++;
  } else {
    net_dma_wmb(); /* the line, then that it is there */
    console->written = console->end;
    console->lines++;
  }
}

void netconsole_write(struct netconsole *console, const char *text, size_t length) {
  for(size_t i = 0; i < length; i++) {
    write_byte(console, text[i]);
  }
}

/* The device's half ---------------------------------------------------------------------------------------------- */

static int send(struct netconsole *console, const char *text, size_t length) {
  const struct netconsole_config *config = &console->config;
  struct udp_way way = {.source = config->source,
                        .destination = config->target,
                        .source_port = config->source_port,
                        .destination_port = config->target_port};
  memcpy(way.source_mac, console->dev->mac, NETDEV_MAC_LENGTH);
  memcpy(way.destination_mac, config->target_mac, NETDEV_MAC_LENGTH);
  size_t bytes = udp_write(console->frame, &way, console->id, text, length);
  int result = netdev_transmit(console->dev, console->frame, bytes, console, NETDEV_TX_MORE);
  if(result == NETDEV_OK) {
    console->id++;
    console->datagrams++;
  }
  return result;
}

/* The next line of the log, or the first NETCONSOLE_CHUNK bytes of a longer one; 0 when all is sent. */
static uint32_t next_chunk(const struct netconsole *console, char chunk[NETCONSOLE_CHUNK]) {
  uint32_t waiting = console->written - console->sent;
  uint32_t length = 0;
  net_dma_rmb(); /* that it is there, then the line */
  while(length < waiting && length < NETCONSOLE_CHUNK) {
    char byte = console->text[(console->sent + length) & (console->size - 1U)];
    chunk[length++] = byte;
    if(byte == '\n') {
      break;
    }
  }
  return length;
}

/* False, and what was to be sent waits, unless it will never be taken: it is longer than the device may send. */
static bool took(struct netconsole *console, int result) {
  console->refused += result == NETDEV_E_INVALID;
  return result == NETDEV_OK || result == NETDEV_E_INVALID;
}

static bool tell_drops(struct netconsole *console) {
  static const char before[] = "netconsole: ";
  static const char after[] = " lines were dropped\n";
  char note[sizeof(before) + DIGITS_MAX + sizeof(after)];
  char digits[DIGITS_MAX];
  uint64_t dropped = console->dropped;
  if(dropped == console->dropped_told) {
    return true;
  }
  size_t length = sizeof(before) - 1U;
  memcpy(note, before, length);
  uint32_t first = DIGITS_MAX;
  for(uint64_t left = dropped - console->dropped_told; left > 0; left /= 10U) {
    digits[--first] = (char)('0' + left % 10U);
  }
  memcpy(note + length, digits + first, DIGITS_MAX - first);
  length += DIGITS_MAX - first;
  memcpy(note + length, after, sizeof(after) - 1U);
  length += sizeof(after) - 1U;
  if(!took(console, send(console, note, length))) {
    return false;
  }
  console->dropped_told = dropped;
  return true;
}

/* At most what was written when it began: a log that is written meanwhile cannot keep it here. */
bool netconsole_flush(struct netconsole *console) {
  char chunk[NETCONSOLE_CHUNK];
  uint32_t until = console->written;
  if(!console->dev) {
    return false;
  }
  bool room = true;
  while(room && console->sent != until) {
    uint32_t length = next_chunk(console, chunk);
    room = took(console, send(console, chunk, length));
    console->sent += room ? length : 0;
  }
  room = room && tell_drops(console);
  netdev_flush(console->dev);
  return !room;
}

/* The end -------------------------------------------------------------------------------------------------------- */

static void pause_us(const struct netdev *dev, uint32_t us) {
  dev->platform->delay_us(dev->platform->ctx, us);
}

/* By the number of delays: the clock may stand still by now. */
static void wait_for_link(struct netdev *dev) {
  for(uint32_t waited = 0; !dev->link.up && waited < LINK_US; waited += LINK_STEP_US) {
    pause_us(dev, LINK_STEP_US);
    if(netdev_tick(dev) != NETDEV_OK) {
      return;
    }
  }
}

static bool has_left(struct netdev *dev) {
  netdev_complete(dev);
  return !dev->ops->tx_waiting || dev->ops->tx_waiting(dev) == 0;
}

static uint32_t count_lines(const struct netconsole *console) {
  uint32_t lines = 0;
  for(uint32_t at = console->sent; at != console->written; at++) {
    lines += console->text[at & (console->size - 1U)] == '\n';
  }
  return lines;
}

uint32_t netconsole_panic(struct netconsole *console, bool interrupted) {
  struct netdev *dev = console->dev;
  if(console->end != console->written || console->skipping) {
    netconsole_write(console, "\n", 1);
  }
  if(!dev || netdev_panic(dev, interrupted) != NETDEV_OK) {
    return count_lines(console);
  }
  wait_for_link(dev);
  uint32_t waited = 0;
  while((netconsole_flush(console) || !has_left(dev)) && dev->state == NETDEV_OPEN && waited < NETCONSOLE_PANIC_US) {
    pause_us(dev, PANIC_STEP_US);
    waited += PANIC_STEP_US;
  }
  return count_lines(console);
}
