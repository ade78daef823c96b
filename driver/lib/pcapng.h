/* pcapng.h - capture files: the blocks of pcapng 1.0 (draft-ietf-opsawg-pcapng), written to memory. Pure C.
 *
 * A file is pcapng_begin once, pcapng_add_interface once, then any number of pcapng_add_packet, and at the end, if
 * there is still somebody to write it, pcapng_add_statistics. A file that ends behind any whole block is valid.
 * Everything is little-endian; one interface a section, with the number 0; times are microseconds since 1970-01-01 UTC.
 */
#ifndef LIB_PCAPNG_H
#define LIB_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_MAGIC    0x0A0D0D0AU /* the first four bytes of a file, in either byte order */
#define PCAPNG_TEXT_MAX 255U        /* bytes of a text that are written; the rest is cut    */

/* Bytes that the largest block of each kind needs. */
#define PCAPNG_HEADER_MAX           (28U + 4U * (4U + 256U) + 4U)
#define PCAPNG_INTERFACE_MAX        (20U + 4U * (4U + 256U) + 12U + 12U + 8U + 4U)
#define PCAPNG_PACKET_MAX(captured) (32U + ((size_t)(captured) + 3U) / 4U * 4U + 8U + 12U + (4U + 256U) + 4U)
#define PCAPNG_STATISTICS_MAX       (24U + 7U * 12U + (4U + 256U) + 4U)

/* Every text may be NULL, and is then left out. */
struct pcapng_origin {
  const char *hardware;    /* the machine                                  */
  const char *os;          /* here: the firmware                           */
  const char *application; /* the program that writes the file, and version */
  const char *comment;
};

struct pcapng_interface {
  const char *name;        /* "eth0"                                                  */
  const char *description; /* model and place                                         */
  const char *filter;      /* the words of the filter in force; NULL for none          */
  const char *comment;
  uint8_t mac[6];
  uint64_t bits_per_second; /* 0: not known                                            */
  uint32_t snap_length;     /* bytes of a frame that are kept at the most; 0: all       */
};

enum pcapng_direction { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 }; /* epb_flags, bits 0 and 1 */

struct pcapng_packet {
  uint64_t time_us;
  enum pcapng_direction direction;
  const uint8_t *data;
  uint32_t captured;   /* bytes of it that are there    */
  uint32_t length;     /* that it had on the wire       */
  uint64_t dropped;    /* between the one before and it */
  const char *comment; /* NULL for none                 */
};

/* What the interface saw from begin to end. */
struct pcapng_statistics {
  uint64_t time_us; /* of this block */
  uint64_t start_us;
  uint64_t end_us;
  uint64_t received;   /* frames that were seen, both ways     */
  uint64_t missed;     /* that the NIC had no buffer for       */
  uint64_t accepted;   /* of those seen: let through by filter */
  uint64_t dropped;    /* of those: no room was left           */
  uint64_t delivered;  /* of those: written                    */
  const char *comment; /* NULL for none */
};

/* Each writes one block to `buffer` of `size` bytes, and returns the block's length, a multiple of 4; 0, with nothing
 * written that counts, when there is not enough room. The arguments are read during the call only. Any context. */
size_t pcapng_begin(void *buffer, size_t size, const struct pcapng_origin *origin);
size_t pcapng_add_interface(void *buffer, size_t size, const struct pcapng_interface *interface);

/* Also says, in epb_flags, whether it went to one station, a group or everybody, which its first byte tells. */
size_t pcapng_add_packet(void *buffer, size_t size, const struct pcapng_packet *packet);
size_t pcapng_add_statistics(void *buffer, size_t size, const struct pcapng_statistics *statistics);

#endif
