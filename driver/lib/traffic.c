/* traffic.c - what goes over a NIC, added up. */
#include "traffic.h"

#include <string.h>

#include "bytes.h"
#include "dissect.h"
#include "testframe.h"

#define SECOND_US 1000000U
#define FCS       4U

/* Sizes and protocols --------------------------------------------------------------------------------------------- */

static const struct {
  uint32_t last; /* length on the wire */
  const char *name;
} sizes[TRAFFIC_SIZES] = {
    {64, "to 64"},      {127, "65-127"},     {255, "128-255"},       {511, "256-511"},
    {1023, "512-1023"}, {1518, "1024-1518"}, {UINT32_MAX, "longer"},
};

const char *traffic_size_name(uint32_t size) {
  return size < TRAFFIC_SIZES ? sizes[size].name : "";
}

static uint32_t size_class(size_t length) {
  uint32_t size = 0;
  while(length + FCS > sizes[size].last) {
    size++;
  }
  return size;
}

static const char *const protocol_names[TRAFFIC_PROTOCOLS] = {
    "ARP", "ICMP",     "DHCP",   "TFTP", "DNS",         "UDP", "HTTP",
    "TCP", "other IP", "ICMPv6", "LLDP", "test frames", "LLC", "other",
};

const char *traffic_protocol_name(enum traffic_protocol protocol) {
  return protocol < TRAFFIC_PROTOCOLS ? protocol_names[protocol] : "";
}

static bool uses(const struct dissection *what, uint8_t protocol, const uint16_t *ports, size_t count) {
  for(size_t i = 0; i < count && what->protocol == protocol; i++) {
    if(dissect_has_port(what, ports[i])) {
      return true;
    }
  }
  return false;
}

static enum traffic_protocol protocol_of_ip(const struct dissection *what) {
  static const uint16_t dhcp[] = {67, 68, 546, 547}; /* of IPv4 and IPv6 */
  static const uint16_t tftp[] = {69};
  static const uint16_t dns[] = {53};
  static const uint16_t http[] = {80, 8080};
  if(what->protocol == IP_ICMP || what->protocol == IP_ICMPV6) {
    return what->protocol == IP_ICMP ? TRAFFIC_ICMP : TRAFFIC_ICMP6;
  }
  if(uses(what, IP_UDP, dhcp, sizeof(dhcp) / sizeof(dhcp[0]))) {
    return TRAFFIC_DHCP;
  }
  if(uses(what, IP_UDP, tftp, 1)) {
    return TRAFFIC_TFTP;
  }
  if(uses(what, IP_UDP, dns, 1) || uses(what, IP_TCP, dns, 1)) {
    return TRAFFIC_DNS;
  }
  if(uses(what, IP_TCP, http, 2)) {
    return TRAFFIC_HTTP;
  }
  return what->protocol == IP_UDP ? TRAFFIC_UDP : what->protocol == IP_TCP ? TRAFFIC_TCP : TRAFFIC_IP;
}

static enum traffic_protocol protocol_of(const struct dissection *what) {
  switch(what->ether.type) {
  case ETHERTYPE_ARP:
    return TRAFFIC_ARP;
  case ETHERTYPE_IPV4:
  case ETHERTYPE_IPV6:
    return what->is_ip ? protocol_of_ip(what) : TRAFFIC_IP;
  case ETHERTYPE_LLDP:
    return TRAFFIC_LLDP;
  case TESTFRAME_ETHERTYPE:
    return TRAFFIC_TEST;
  case 0:
    return TRAFFIC_LLC;
  default:
    return TRAFFIC_OTHER;
  }
}

/* Talkers -------------------------------------------------------------------------------------------------------- */

static struct traffic_talker *find_talker(struct traffic *traffic, const uint8_t mac[6]) {
  struct traffic_talker *least = &traffic->talkers[0];
  for(uint32_t i = 0; i < traffic->talker_count; i++) {
    struct traffic_talker *talker = &traffic->talkers[i];
    if(memcmp(talker->mac, mac, sizeof(talker->mac)) == 0) {
      return talker;
    }
    least = talker->bytes < least->bytes ? talker : least;
  }
  uint64_t over = 0;
  if(traffic->talker_count < TRAFFIC_TALKERS) {
    least = &traffic->talkers[traffic->talker_count++];
  } else {
    over = least->bytes;
  }
  *least = (struct traffic_talker){.bytes = over, .bytes_over = over};
  memcpy(least->mac, mac, sizeof(least->mac));
  return least;
}

static void add_talker(struct traffic *traffic, const struct dissection *what, size_t length) {
  struct traffic_talker *talker = find_talker(traffic, what->ether.from);
  const uint8_t *at = what->source;
  talker->frames++;
  talker->bytes += length;
  if(what->address_length == 4U && (at[0] | at[1] | at[2] | at[3])) {
    talker->has_address = true;
    talker->address = get32(at);
  }
}

uint32_t traffic_top(const struct traffic *traffic, uint32_t *places, uint32_t max) {
  uint32_t count = 0;
  for(uint32_t i = 0; i < traffic->talker_count; i++) {
    const uint64_t bytes = traffic->talkers[i].bytes;
    uint32_t at = count;
    while(at > 0 && bytes > traffic->talkers[places[at - 1U]].bytes) {
      at--;
    }
    if(at >= max) {
      continue;
    }
    count += count < max;
    memmove(&places[at + 1U], &places[at], (count - 1U - at) * sizeof(places[0]));
    places[at] = i;
  }
  return count;
}

uint32_t traffic_top_protocols(const struct traffic *traffic, enum traffic_protocol *list, uint32_t max) {
  uint32_t count = 0;
  for(uint32_t i = 0; i < TRAFFIC_PROTOCOLS; i++) {
    const struct traffic_sum *sum = &traffic->protocols[i];
    uint32_t at = count;
    while(at > 0 && sum->bytes > traffic->protocols[list[at - 1U]].bytes) {
      at--;
    }
    if(at >= max || sum->frames == 0) {
      continue;
    }
    count += count < max;
    memmove(&list[at + 1U], &list[at], (count - 1U - at) * sizeof(list[0]));
    list[at] = (enum traffic_protocol)i;
  }
  return count;
}

/* Time ----------------------------------------------------------------------------------------------------------- */

void traffic_init(struct traffic *traffic, uint64_t now_us) {
  memset(traffic, 0, sizeof(*traffic));
  traffic->start_us = now_us;
}

void traffic_tick(struct traffic *traffic, uint64_t now_us) {
  const uint64_t second = now_us > traffic->start_us ? (now_us - traffic->start_us) / SECOND_US : 0;
  if(second <= traffic->second) {
    return;
  }
  const uint64_t steps = second - traffic->second;
  for(uint64_t i = 1; i <= steps && i <= TRAFFIC_SECONDS; i++) {
    const size_t at = (size_t)((traffic->second + i) % TRAFFIC_SECONDS);
    for(uint32_t way = 0; way < TRAFFIC_WAYS; way++) {
      traffic->history[way][at] = (struct traffic_sum){0};
    }
  }
  traffic->second = second;
}

struct traffic_sum traffic_second(const struct traffic *traffic, enum traffic_way way, uint32_t ago) {
  if(ago + 1U >= TRAFFIC_SECONDS || traffic->second < ago + 1ULL) {
    return (struct traffic_sum){0};
  }
  return traffic->history[way][(traffic->second - 1U - ago) % TRAFFIC_SECONDS];
}

void traffic_add(struct traffic *traffic, enum traffic_way way, const void *frame, size_t length, uint64_t now_us) {
  struct dissection what;
  traffic_tick(traffic, now_us);
  struct traffic_sum *const sums[] = {&traffic->total[way], &traffic->history[way][traffic->second % TRAFFIC_SECONDS]};
  for(size_t i = 0; i < 2; i++) {
    sums[i]->frames++;
    sums[i]->bytes += length;
  }
  traffic->sizes[size_class(length)]++;
  const bool whole = dissect(frame, length, &what);
  struct traffic_sum *protocol = &traffic->protocols[whole ? protocol_of(&what) : TRAFFIC_OTHER];
  protocol->frames++;
  protocol->bytes += length;
  if(whole) {
    add_talker(traffic, &what, length);
  }
}
