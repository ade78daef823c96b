/* page_sample.h - a page of netdiag monitor as it might be: what the golden screens and README's picture show. */
#ifndef PAGE_SAMPLE_H
#define PAGE_SAMPLE_H

#include <string.h>

#include "page.h"

#define SAMPLE_SECONDS 3725U
#define SAMPLE_START   1000000ULL

static struct traffic sample_traffic;
static struct netdev_stats sample_stats;
static struct netdev_stats sample_start;

/* A frame with these headers, as long as it is said to be; the rest is zeroes. */
static inline void sample_frame(uint8_t *frame, const uint8_t *from, uint16_t type, uint8_t protocol, uint8_t host,
                                uint16_t port) {
  static const uint8_t to[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  memset(frame, 0, 1514);
  memcpy(frame, to, 6);
  memcpy(frame + 6, from, 6);
  frame[12] = (uint8_t)(type >> 8);
  frame[13] = (uint8_t)type;
  const uint8_t ip[] = {0x45, 0, 5, 0xDC, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 2, host, 10, 0, 2, 15};
  memcpy(frame + 14, ip, sizeof(ip));
  frame[34] = (uint8_t)(port >> 8);
  frame[35] = (uint8_t)port;
}

/* An hour: a download that swells and ebbs, its acknowledgements, and what else is on a wire. */
static inline struct page_view sample_view(void) {
  static const uint8_t own[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  static const uint8_t server[6] = {0x52, 0x55, 0x0A, 0x00, 0x02, 0x02};
  static const uint8_t other[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x07};
  static uint8_t frame[1514];
  uint64_t wave = 0;
  traffic_init(&sample_traffic, SAMPLE_START);
  for(uint64_t second = SAMPLE_SECONDS - 200U; second < SAMPLE_SECONDS; second++) {
    const uint64_t now = SAMPLE_START + second * 1000000U + 5U;
    wave = (wave + 37U) % 100U;
    const uint64_t frames = second % 40U < 30U ? 20U + (second % 40U) * 12U + wave : 0;
    for(uint64_t i = 0; i < frames; i++) {
      sample_frame(frame, server, 0x0800, 6, 2, 80);
      traffic_add(&sample_traffic, TRAFFIC_IN, frame, 1514, now);
      if(i % 2U == 0) {
        sample_frame(frame, own, 0x0800, 6, 15, 80);
        traffic_add(&sample_traffic, TRAFFIC_OUT, frame, 60, now);
      }
    }
    if(second % 3U == 0) {
      sample_frame(frame, other, 0x0806, 0, 7, 0);
      traffic_add(&sample_traffic, TRAFFIC_IN, frame, 60, now);
      sample_frame(frame, other, 0x0800, 17, 7, 53);
      traffic_add(&sample_traffic, TRAFFIC_IN, frame, 60U + second % 400U, now);
    }
    if(second % 5U == 0) {
      sample_frame(frame, server, 0x0800, 1, 2, 0);
      traffic_add(&sample_traffic, TRAFFIC_IN, frame, 98, now);
      sample_frame(frame, own, 0x0800, 1, 15, 0);
      traffic_add(&sample_traffic, TRAFFIC_OUT, frame, 98, now);
    }
  }
  traffic_tick(&sample_traffic, SAMPLE_START + SAMPLE_SECONDS * 1000000ULL);
  sample_start = (struct netdev_stats){.rx_missed = 3};
  sample_stats = (struct netdev_stats){.rx_missed = 15, .rx_crc_errors = 1};
  struct page_view view = {.nic = "eth0",
                           .model = "82574L",
                           .location = "0000:00:02.0",
                           .how = "every frame on the wire",
                           .link = {.up = true, .full_duplex = true, .speed_mbps = 1000},
                           .seconds = SAMPLE_SECONDS,
                           .traffic = &sample_traffic,
                           .stats = &sample_stats,
                           .start = &sample_start,
                           .rx = {.known = true, .used = 244, .size = 256},
                           .tx = {.known = true, .used = 3, .size = 256}};
  memcpy(view.mac, own, sizeof(own));
  return view;
}

#endif
