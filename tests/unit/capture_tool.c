/* capture_tool.c - what tests/tools/test_pcapng.py asks of the capture's pure parts: a sample file, and which frames
 * of a file a filter lets through.
 *
 * usage: capture_tool write FILE            a pcapng file with every option
 *        capture_tool page COLUMNS ROWS    the sample page of netdiag monitor, without blanks at the ends of rows
 *        capture_tool match FILE WORDS...   numbers, from 1, of the matching frames of a classic pcap file */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_filter.h"
#include "page_sample.h"
#include "pcapng.h"

#define FILE_MAX    (16U * 1024U * 1024U)
#define PCAP_HEAD   24U
#define PCAP_RECORD 16U

static uint8_t bytes[FILE_MAX];

static int match(const char *path, const char *const *words, int count) {
  static struct frame_filter filter;
  char error[FILTER_ERROR_SIZE];
  FILE *file = fopen(path, "rb");
  size_t size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
  if(!file || !frame_filter_compile(&filter, words, count, error)) {
    (void)fprintf(stderr, "capture_tool: %s\n", file ? error : "no such file");
    return 1;
  }
  (void)fclose(file);
  unsigned number = 0;
  for(size_t at = PCAP_HEAD; at + PCAP_RECORD <= size;) {
    uint32_t length;
    memcpy(&length, bytes + at + 8, sizeof(length));
    at += PCAP_RECORD;
    number++;
    uint8_t *exact = malloc(length ? length : 1U); /* of its own: the sanitizer sees a byte too far */
    if(!exact || length > size - at) {
      return 1;
    }
    memcpy(exact, bytes + at, length);
    if(frame_filter_match(&filter, exact, length)) {
      (void)printf("%u\n", number);
    }
    free(exact);
    at += length;
  }
  return 0;
}

static int write_sample(const char *path) {
  static const uint8_t frame[60] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x08, 0x06};
  const struct pcapng_origin origin = {
      .hardware = "x86-64", .os = "UEFI 2.7, EDK II 0x10000", .application = "netdiag 0.1", .comment = "a comment"};
  const struct pcapng_interface interface = {.name = "eth0",
                                             .description = "82574L at 0000:00:02.0",
                                             .filter = "arp or udp",
                                             .comment = "of the interface",
                                             .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
                                             .bits_per_second = 1000000000ULL,
                                             .snap_length = 1514};
  const struct pcapng_packet packets[] = {
      {.time_us = 1795696496123456ULL, .direction = PCAPNG_INBOUND, .data = frame, .captured = 60, .length = 60},
      {.time_us = 1795696496123457ULL,
       .direction = PCAPNG_OUTBOUND,
       .data = frame,
       .captured = 43,
       .length = 1514,
       .dropped = 7,
       .comment = "cut, and seven lost before it"},
  };
  const struct pcapng_statistics statistics = {.time_us = 1795696497000000ULL,
                                               .start_us = 1795696496000000ULL,
                                               .end_us = 1795696497000000ULL,
                                               .received = 20,
                                               .missed = 1,
                                               .accepted = 9,
                                               .dropped = 7,
                                               .delivered = 2,
                                               .comment = "the end"};
  size_t size = pcapng_begin(bytes, sizeof(bytes), &origin);
  size += pcapng_add_interface(bytes + size, sizeof(bytes) - size, &interface);
  for(size_t i = 0; i < 2; i++) {
    size += pcapng_add_packet(bytes + size, sizeof(bytes) - size, &packets[i]);
  }
  size += pcapng_add_statistics(bytes + size, sizeof(bytes) - size, &statistics);
  FILE *file = fopen(path, "wb");
  bool good = file && fwrite(bytes, 1, size, file) == size;
  return file && fclose(file) == 0 && good ? 0 : 1;
}

static int print_page(uint32_t columns, uint32_t rows) {
  static struct page page;
  const struct page_view view = sample_view();
  page_render(&page, &view, columns, rows);
  for(uint32_t row = 0; row < page.rows; row++) {
    uint32_t length = page.columns;
    while(length > 0 && page.cells[row][length - 1U] == ' ') {
      length--;
    }
    for(uint32_t column = 0; column < length; column++) {
      (void)putchar(page_glyph(page.cells[row][column], false));
    }
    (void)putchar('\n');
  }
  return 0;
}

int main(int argc, char *argv[]) {
  if(argc == 3 && strcmp(argv[1], "write") == 0) {
    return write_sample(argv[2]);
  }
  if(argc == 4 && strcmp(argv[1], "page") == 0) {
    return print_page((uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10));
  }
  if(argc >= 3 && strcmp(argv[1], "match") == 0) {
    return match(argv[2], (const char *const *)argv + 3, argc - 3);
  }
  (void)fputs("usage: capture_tool write FILE | page COLUMNS ROWS | match FILE WORDS...\n", stderr);
  return 2;
}
