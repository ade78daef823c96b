/* pcapng.c - capture files: the blocks of pcapng 1.0, written to memory. Section numbers are those of
 * draft-ietf-opsawg-pcapng-03. */
#include "pcapng.h"

#include <string.h>

/* Block types (11.1) and option codes (3.5, 4.1, 4.2, 4.3, 4.6) */
#define BLOCK_SECTION    PCAPNG_MAGIC
#define BLOCK_INTERFACE  1U
#define BLOCK_STATISTICS 5U
#define BLOCK_PACKET     6U

#define OPT_END     0U
#define OPT_COMMENT 1U

#define SHB_HARDWARE 2U
#define SHB_OS       3U
#define SHB_USERAPPL 4U

#define IF_NAME        2U
#define IF_DESCRIPTION 3U
#define IF_MACADDR     6U
#define IF_SPEED       8U
#define IF_TSRESOL     9U
#define IF_FILTER      11U

#define EPB_FLAGS     2U
#define EPB_DROPCOUNT 4U

#define ISB_STARTTIME    2U
#define ISB_ENDTIME      3U
#define ISB_IFRECV       4U
#define ISB_IFDROP       5U
#define ISB_FILTERACCEPT 6U
#define ISB_OSDROP       7U
#define ISB_USRDELIV     8U

#define BYTE_ORDER       0x1A2B3C4DU
#define MICROSECONDS     6U /* if_tsresol: 10 to the power of -6 */
#define LINKTYPE_ETHER   1U
#define FILTER_IS_STRING 0U /* the first byte of if_filter */

/* epb_flags, bits 2 to 4 (4.3.1) */
#define RECEIVED_UNICAST   (1U << 2)
#define RECEIVED_MULTICAST (2U << 2)
#define RECEIVED_BROADCAST (3U << 2)

/* A block that is being written; once there is not enough room, nothing more is. */
struct block {
  uint8_t *bytes;
  size_t size;
  size_t at;
  bool full;
};

static void put(struct block *block, const void *bytes, size_t count) {
  if(block->full || count > block->size - block->at) {
    block->full = true;
    return;
  }
  memcpy(block->bytes + block->at, bytes, count);
  block->at += count;
}

static void put16(struct block *block, uint32_t value) {
  const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};
  put(block, bytes, sizeof(bytes));
}

static void put32(struct block *block, uint32_t value) {
  put16(block, value & 0xFFFFU);
  put16(block, value >> 16);
}

static void put64(struct block *block, uint64_t value) {
  put32(block, (uint32_t)value);
  put32(block, (uint32_t)(value >> 32));
}

/* A time is two halves, the upper one first, whatever the byte order (4.3). */
static void put_time(struct block *block, uint64_t time_us) {
  put32(block, (uint32_t)(time_us >> 32));
  put32(block, (uint32_t)time_us);
}

/* To a multiple of 4: blocks begin at one, and so do the parts of a block. */
static void align(struct block *block) {
  static const uint8_t zeroes[4];
  put(block, zeroes, (4U - block->at % 4U) % 4U);
}

/* Blocks begin and end with their length (3.1), which is known at the end only. */
static struct block begin(void *buffer, size_t size, uint32_t type) {
  struct block block = {.bytes = buffer, .size = size};
  put32(&block, type);
  put32(&block, 0);
  return block;
}

static size_t end(struct block *block) {
  uint32_t length = (uint32_t)block->at + 4U;
  put32(block, length);
  if(block->full) {
    return 0;
  }
  struct block again = {.bytes = block->bytes, .size = block->size, .at = 4};
  put32(&again, length);
  return block->at;
}

/* Options (3.5) -------------------------------------------------------------------------------------------------- */

static void put_option(struct block *block, uint32_t code, const void *value, size_t length) {
  put16(block, code);
  put16(block, (uint32_t)length);
  put(block, value, length);
  align(block);
}

static void put_option64(struct block *block, uint32_t code, uint64_t value) {
  put16(block, code);
  put16(block, 8);
  put64(block, value);
}

static size_t text_length(const char *text) {
  size_t length = 0;
  while(length < PCAPNG_TEXT_MAX && text[length]) {
    length++;
  }
  return length;
}

static void put_text(struct block *block, uint32_t code, const char *text) {
  if(text) {
    put_option(block, code, text, text_length(text));
  }
}

static void end_options(struct block *block) {
  put32(block, OPT_END);
}

/* Blocks --------------------------------------------------------------------------------------------------------- */

size_t pcapng_begin(void *buffer, size_t size, const struct pcapng_origin *origin) {
  struct block block = begin(buffer, size, BLOCK_SECTION);
  put32(&block, BYTE_ORDER);
  put16(&block, 1); /* version 1.0 */
  put16(&block, 0);
  put64(&block, UINT64_MAX); /* the section's length is not known, as it ends with the file */
  put_text(&block, OPT_COMMENT, origin->comment);
  put_text(&block, SHB_HARDWARE, origin->hardware);
  put_text(&block, SHB_OS, origin->os);
  put_text(&block, SHB_USERAPPL, origin->application);
  end_options(&block);
  return end(&block);
}

size_t pcapng_add_interface(void *buffer, size_t size, const struct pcapng_interface *interface) {
  static const uint8_t resolution = MICROSECONDS;
  struct block block = begin(buffer, size, BLOCK_INTERFACE);
  put16(&block, LINKTYPE_ETHER);
  put16(&block, 0);
  put32(&block, interface->snap_length);
  put_text(&block, OPT_COMMENT, interface->comment);
  put_text(&block, IF_NAME, interface->name);
  put_text(&block, IF_DESCRIPTION, interface->description);
  put_option(&block, IF_MACADDR, interface->mac, sizeof(interface->mac));
  if(interface->bits_per_second) {
    put_option64(&block, IF_SPEED, interface->bits_per_second);
  }
  put_option(&block, IF_TSRESOL, &resolution, sizeof(resolution));
  if(interface->filter) {
    static const uint8_t kind = FILTER_IS_STRING;
    size_t length = text_length(interface->filter);
    length -= length == PCAPNG_TEXT_MAX; /* with the byte before it, which says what it is */
    put16(&block, IF_FILTER);
    put16(&block, (uint32_t)length + 1U);
    put(&block, &kind, 1);
    put(&block, interface->filter, length);
    align(&block);
  }
  end_options(&block);
  return end(&block);
}

/* By the group bit of the destination; a frame that was cut before it says nothing. */
static uint32_t reception(const struct pcapng_packet *packet) {
  static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  if(packet->captured < sizeof(everybody)) {
    return 0;
  }
  if(memcmp(packet->data, everybody, sizeof(everybody)) == 0) {
    return RECEIVED_BROADCAST;
  }
  return packet->data[0] & 1U ? RECEIVED_MULTICAST : RECEIVED_UNICAST;
}

size_t pcapng_add_packet(void *buffer, size_t size, const struct pcapng_packet *packet) {
  struct block block = begin(buffer, size, BLOCK_PACKET);
  put32(&block, 0); /* the interface */
  put_time(&block, packet->time_us);
  put32(&block, packet->captured);
  put32(&block, packet->length);
  put(&block, packet->data, packet->captured);
  align(&block);
  put16(&block, EPB_FLAGS);
  put16(&block, 4);
  put32(&block, (uint32_t)packet->direction | reception(packet));
  if(packet->dropped) {
    put_option64(&block, EPB_DROPCOUNT, packet->dropped);
  }
  put_text(&block, OPT_COMMENT, packet->comment);
  end_options(&block);
  return end(&block);
}

static void put_time_option(struct block *block, uint32_t code, uint64_t time_us) {
  put16(block, code);
  put16(block, 8);
  put_time(block, time_us);
}

size_t pcapng_add_statistics(void *buffer, size_t size, const struct pcapng_statistics *statistics) {
  struct block block = begin(buffer, size, BLOCK_STATISTICS);
  put32(&block, 0); /* the interface */
  put_time(&block, statistics->time_us);
  put_text(&block, OPT_COMMENT, statistics->comment);
  put_time_option(&block, ISB_STARTTIME, statistics->start_us);
  put_time_option(&block, ISB_ENDTIME, statistics->end_us);
  put_option64(&block, ISB_IFRECV, statistics->received);
  put_option64(&block, ISB_IFDROP, statistics->missed);
  put_option64(&block, ISB_FILTERACCEPT, statistics->accepted);
  put_option64(&block, ISB_OSDROP, statistics->dropped);
  put_option64(&block, ISB_USRDELIV, statistics->delivered);
  end_options(&block);
  return end(&block);
}
