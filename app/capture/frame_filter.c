/* frame_filter.c - which frames are wanted, as words. */
#include "frame_filter.h"

#include <stdarg.h>
#include <string.h>

#include "../../driver/lib/dissect.h"
#include "../../driver/lib/format.h"
#include "../args.h"

#define WORD_SIZE     64U
#define ANY_VLAN      UINT32_MAX
#define PORT_TFTP     69U
#define TFTP_READ     1U /* opcodes (RFC 1350, 5) */
#define TFTP_WRITE    2U
#define DHCP_SERVER   67U
#define DHCP_CLIENT   68U
#define PORT_HTTP     80U
#define PORT_HTTP_ALT 8080U

enum step_kind {
  STEP_HOST,
  STEP_PORT,
  STEP_ETHER,
  STEP_VLAN,
  STEP_ARP,
  STEP_IP,
  STEP_IP6,
  STEP_ICMP,
  STEP_ICMP6,
  STEP_UDP,
  STEP_TCP,
  STEP_DHCP,
  STEP_TFTP,
  STEP_HTTP,
  STEP_AND,
  STEP_OR,
  STEP_NOT,
};

/* Words ---------------------------------------------------------------------------------------------------------- */

/* Where the reader is. A bracket or an exclamation mark is a word of its own, also without blanks. */
struct reader {
  struct frame_filter *filter;
  const char *const *words;
  int count;
  int index;      /* of the word that `at` is in   */
  const char *at; /* NULL: at its beginning        */
  char word[WORD_SIZE];
  bool ended;  /* there was no further word     */
  char *error; /* "" as long as all is well     */
};

static bool fail(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct reader *reader, const char *format, ...) {
  if(!reader->error[0]) {
    va_list arguments;
    va_start(arguments, format);
    (void)format_text(reader->error, FILTER_ERROR_SIZE, format, arguments);
    va_end(arguments);
  }
  return false;
}

static bool stands_alone(char c) {
  return c == '(' || c == ')' || c == '!';
}

/* Reads the next word into reader->word; it is then the one that is looked at. */
static void next(struct reader *reader) {
  size_t length = 0;
  while(reader->index < reader->count && (!reader->at || !*reader->at || *reader->at == ' ')) {
    if(reader->at && *reader->at == ' ') {
      reader->at++; /* several words in one, as from quotes */
    } else if(reader->at) {
      reader->index++;
      reader->at = NULL;
    } else {
      reader->at = reader->words[reader->index];
    }
  }
  reader->ended = reader->index >= reader->count;
  reader->word[0] = '\0';
  if(reader->ended) {
    return;
  }
  do {
    reader->word[length++] = *reader->at++;
  } while(!stands_alone(reader->word[0]) && *reader->at && *reader->at != ' ' && !stands_alone(*reader->at) &&
          length + 1U < WORD_SIZE);
  reader->word[length] = '\0';
}

static bool is(const struct reader *reader, const char *word, const char *sign) {
  return !reader->ended && (text_same(reader->word, word) || text_equal(reader->word, sign));
}

static bool add(struct reader *reader, const struct filter_step *step) {
  if(reader->filter->count == FILTER_STEPS_MAX) {
    return fail(reader, "the filter is too long: at most %u tests, ands, ors and nots", FILTER_STEPS_MAX);
  }
  reader->filter->steps[reader->filter->count++] = *step;
  return true;
}

static bool add_kind(struct reader *reader, enum step_kind kind) {
  const struct filter_step step = {.kind = (uint8_t)kind};
  return add(reader, &step);
}

/* Grammar -------------------------------------------------------------------------------------------------------- */

static const struct {
  const char *word;
  enum step_kind kind;
} simple[] = {
    {"arp", STEP_ARP}, {"ip", STEP_IP},   {"ip6", STEP_IP6},   {"icmp", STEP_ICMP}, {"icmp6", STEP_ICMP6},
    {"udp", STEP_UDP}, {"tcp", STEP_TCP}, {"dhcp", STEP_DHCP}, {"tftp", STEP_TFTP}, {"http", STEP_HTTP},
};
#define SIMPLE_COUNT (sizeof(simple) / sizeof(simple[0]))

/* What follows "host", "port" or "ether"; says what is wanted when it does not. */
static bool read_value(struct reader *reader, struct filter_step *step) {
  uint32_t number = 0;
  bool good;
  const char *wanted;
  next(reader);
  if(step->kind == STEP_HOST) {
    good = args_ipv4(reader->word, &step->number);
    wanted = "'host' wants an IPv4 address, such as 10.0.2.2";
  } else if(step->kind == STEP_PORT) {
    good = args_u32(reader->word, &number) && number >= 1U && number <= 65535U;
    step->number = number;
    wanted = "'port' wants a number from 1 to 65535";
  } else {
    if(is(reader, "host", "host")) {
      next(reader); /* as tcpdump has it */
    }
    good = args_mac(reader->word, step->mac);
    wanted = "'ether' wants a MAC address, such as 52:54:00:12:34:56";
  }
  if(!good) {
    return reader->ended ? fail(reader, "%s", wanted) : fail(reader, "%s, not '%s'", wanted, reader->word);
  }
  next(reader);
  return add(reader, step);
}

/* A number behind "vlan" is its own, if there is one. */
static bool read_vlan(struct reader *reader) {
  struct filter_step step = {.kind = STEP_VLAN, .number = ANY_VLAN};
  uint32_t number;
  next(reader);
  if(!reader->ended && args_u32(reader->word, &number)) {
    if(number > 4094U) {
      return fail(reader, "'vlan' wants a number from 0 to 4094, not '%s'", reader->word);
    }
    step.number = number;
    next(reader);
  }
  return add(reader, &step);
}

static bool read_what(struct reader *reader) {
  struct filter_step step = {0};
  if(reader->ended) {
    return fail(reader, "the filter ends where a test should follow, such as 'arp' or 'host 10.0.2.2'");
  }
  if(is(reader, "host", "host") || is(reader, "port", "port") || is(reader, "ether", "ether")) {
    step.kind = is(reader, "host", "host")   ? (uint8_t)STEP_HOST
                : is(reader, "port", "port") ? (uint8_t)STEP_PORT
                                             : (uint8_t)STEP_ETHER;
    return read_value(reader, &step);
  }
  if(is(reader, "vlan", "vlan")) {
    return read_vlan(reader);
  }
  for(size_t i = 0; i < SIMPLE_COUNT; i++) {
    if(is(reader, simple[i].word, simple[i].word)) {
      reader->filter->wants_tftp = reader->filter->wants_tftp || simple[i].kind == STEP_TFTP;
      next(reader);
      return add_kind(reader, simple[i].kind);
    }
  }
  return fail(reader,
              "'%s' is no word of a filter: host, port, ether, vlan, arp, ip, ip6, icmp, icmp6, udp, tcp, dhcp, tftp, "
              "http, and, or, not, ( and ) are",
              reader->word);
}

/* What waits for its right side, and brackets that wait for their end: a stack instead of functions that call each
 * other. The value is how closely it binds. */
enum waiting { WAITS_OPEN, WAITS_OR, WAITS_AND, WAITS_NOT };

struct stack {
  uint8_t kinds[FILTER_DEPTH_MAX];
  uint32_t count;
};

static bool push(struct reader *reader, struct stack *stack, enum waiting kind) {
  if(stack->count == FILTER_DEPTH_MAX) {
    return fail(reader, "the filter has too many brackets and nots inside each other");
  }
  stack->kinds[stack->count++] = (uint8_t)kind;
  return true;
}

/* Whatever binds at least as closely as `kind` has its right side now. */
static bool settle(struct reader *reader, struct stack *stack, enum waiting kind) {
  static const enum step_kind steps[] = {[WAITS_OR] = STEP_OR, [WAITS_AND] = STEP_AND, [WAITS_NOT] = STEP_NOT};
  while(stack->count > 0 && stack->kinds[stack->count - 1U] >= kind) {
    if(!add_kind(reader, steps[stack->kinds[--stack->count]])) {
      return false;
    }
  }
  return true;
}

/* Where a test has to begin: nots and brackets, then the test. */
static bool read_test(struct reader *reader, struct stack *stack) {
  while(is(reader, "not", "!") || is(reader, "(", "(")) {
    if(!push(reader, stack, is(reader, "(", "(") ? WAITS_OPEN : WAITS_NOT)) {
      return false;
    }
    next(reader);
  }
  return read_what(reader);
}

static bool read_close(struct reader *reader, struct stack *stack) {
  if(!settle(reader, stack, WAITS_OR)) {
    return false;
  }
  if(stack->count == 0) {
    return fail(reader, "a '(' is missing in the filter");
  }
  stack->count--;
  next(reader);
  return true;
}

/* "and", "or", or nothing, which is "and". */
static bool read_operator(struct reader *reader, struct stack *stack) {
  const enum waiting kind = is(reader, "or", "||") ? WAITS_OR : WAITS_AND;
  if(kind == WAITS_OR || is(reader, "and", "&&")) {
    next(reader);
  }
  return settle(reader, stack, kind) && push(reader, stack, kind);
}

static bool read_words(struct reader *reader) {
  struct stack stack = {.count = 0};
  bool good = read_test(reader, &stack);
  while(good && !reader->ended) {
    if(is(reader, ")", ")")) {
      good = read_close(reader, &stack);
    } else {
      good = read_operator(reader, &stack) && read_test(reader, &stack);
    }
  }
  good = good && settle(reader, &stack, WAITS_OR);
  return good && (stack.count == 0 || fail(reader, "a ')' is missing in the filter"));
}

bool frame_filter_compile(struct frame_filter *filter, const char *const words[], int count, char *error) {
  struct reader reader = {.filter = filter, .words = words, .count = count, .error = error};
  memset(filter, 0, sizeof(*filter));
  error[0] = '\0';
  next(&reader);
  if(reader.ended) {
    return true;
  }
  return read_words(&reader);
}

/* Matching ------------------------------------------------------------------------------------------------------- */

static bool same_mac(const uint8_t *left, const uint8_t *right) {
  return memcmp(left, right, 6) == 0;
}

static bool is_host(const struct dissection *what, uint32_t address) {
  const uint8_t bytes[] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8),
                           (uint8_t)address};
  return what->address_length == sizeof(bytes) &&
         (memcmp(what->source, bytes, sizeof(bytes)) == 0 || memcmp(what->destination, bytes, sizeof(bytes)) == 0);
}

static bool has_vlan(const struct dissection *what, uint32_t vlan) {
  for(uint32_t i = 0; i < what->vlan_count; i++) {
    if(vlan == ANY_VLAN || what->vlans[i] == vlan) {
      return true;
    }
  }
  return false;
}

static bool is_end(const struct filter_asker *asker, const struct dissection *what, const uint8_t *address,
                   uint16_t port) {
  return asker->address_length == what->address_length && asker->port == port &&
         memcmp(asker->address, address, what->address_length) == 0;
}

static bool is_tftp(const struct frame_filter *filter, const struct dissection *what) {
  if(!what->has_ports || what->protocol != IP_UDP) {
    return false;
  }
  if(dissect_has_port(what, PORT_TFTP)) {
    return true;
  }
  for(size_t i = 0; i < FILTER_TFTP_MAX; i++) {
    const struct filter_asker *asker = &filter->askers[i];
    if(is_end(asker, what, what->source, what->source_port) ||
       is_end(asker, what, what->destination, what->destination_port)) {
      return true;
    }
  }
  return false;
}

/* A request for a file: from now on its sender's port is part of it. */
static void learn(struct frame_filter *filter, const struct dissection *what) {
  if(!what->payload || what->destination_port != PORT_TFTP || what->payload_length < 2U || what->payload[0] != 0 ||
     (what->payload[1] != TFTP_READ && what->payload[1] != TFTP_WRITE)) {
    return;
  }
  for(size_t i = 0; i < FILTER_TFTP_MAX; i++) {
    if(is_end(&filter->askers[i], what, what->source, what->source_port)) {
      return;
    }
  }
  struct filter_asker *asker = &filter->askers[filter->next_asker++ % FILTER_TFTP_MAX];
  memcpy(asker->address, what->source, what->address_length);
  asker->address_length = what->address_length;
  asker->port = what->source_port;
}

static bool is_protocol(const struct dissection *what, uint8_t protocol) {
  return what->is_ip && what->protocol == protocol;
}

static bool test(const struct frame_filter *filter, const struct filter_step *step, const struct dissection *what) {
  switch((enum step_kind)step->kind) {
  case STEP_HOST:
    return is_host(what, step->number);
  case STEP_PORT:
    return dissect_has_port(what, (uint16_t)step->number);
  case STEP_ETHER:
    return same_mac(what->ether.from, step->mac) || same_mac(what->ether.to, step->mac);
  case STEP_VLAN:
    return has_vlan(what, step->number);
  case STEP_ARP:
    return what->ether.type == ETHERTYPE_ARP;
  case STEP_IP:
    return what->ether.type == ETHERTYPE_IPV4;
  case STEP_IP6:
    return what->ether.type == ETHERTYPE_IPV6;
  case STEP_ICMP:
    return what->ether.type == ETHERTYPE_IPV4 && is_protocol(what, IP_ICMP);
  case STEP_ICMP6:
    return what->ether.type == ETHERTYPE_IPV6 && is_protocol(what, IP_ICMPV6);
  case STEP_UDP:
    return is_protocol(what, IP_UDP);
  case STEP_TCP:
    return is_protocol(what, IP_TCP);
  case STEP_DHCP:
    return what->protocol == IP_UDP && (dissect_has_port(what, DHCP_SERVER) || dissect_has_port(what, DHCP_CLIENT));
  case STEP_TFTP:
    return is_tftp(filter, what);
  case STEP_HTTP:
    return what->protocol == IP_TCP && (dissect_has_port(what, PORT_HTTP) || dissect_has_port(what, PORT_HTTP_ALT));
  case STEP_AND:
  case STEP_OR:
  case STEP_NOT:
    break;
  }
  return false;
}

bool frame_filter_match(struct frame_filter *filter, const void *frame, size_t length) {
  struct dissection what;
  uint64_t truths = 0; /* a stack of bits, the top one lowest: FILTER_STEPS_MAX of them fit */
  if(filter->count == 0) {
    return true;
  }
  if(!dissect(frame, length, &what)) {
    return false;
  }
  if(filter->wants_tftp) {
    learn(filter, &what);
  }
  for(uint32_t i = 0; i < filter->count; i++) {
    const struct filter_step *step = &filter->steps[i];
    const uint64_t top = truths & 1U;
    if(step->kind == STEP_NOT) {
      truths ^= 1U;
    } else if(step->kind == STEP_AND) {
      truths = (truths >> 1) & (top ? UINT64_MAX : ~1ULL);
    } else if(step->kind == STEP_OR) {
      truths = (truths >> 1) | top;
    } else {
      truths = truths << 1 | test(filter, step, &what);
    }
  }
  return truths & 1U;
}
