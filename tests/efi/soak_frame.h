/* soak_frame.h - the numbered frames of soak.c and tools/soak. */
#ifndef TESTS_EFI_SOAK_FRAME_H
#define TESTS_EFI_SOAK_FRAME_H

#include <efi.h>
#include <efilib.h>
#include <string.h>

#define HEADER      34U
#define TABLE_SIZE  4096U
#define BUFFER_SIZE 1536U
#define ETHERTYPE   0x88B5U
#define MAGIC       0x534F414BU /* "SOAK" */

/* The frame, big-endian: destination, source, type, magic (4), kind (1), 0 (1), length (2), epoch (4), number (4),
 * wanted (4), then bytes of a random table from a place that all of these determine. */
enum kind { HELLO = 1, WELCOME, DATA, ACK };

struct message {
  UINT32 kind;
  UINT32 epoch;
  UINT32 number; /* of this frame; other than DATA: of the next one                */
  UINT32 wanted; /* the number that the sender of this waits for                   */
};

struct soak_frames {
  UINT8 own[6];
  UINT8 table[TABLE_SIZE + BUFFER_SIZE]; /* random bytes, the same on both sides */
};

static VOID put(UINT8 *at, UINT32 value, UINTN bytes) {
  while(bytes-- > 0) {
    at[bytes] = (UINT8)value;
    value >>= 8;
  }
}

static UINT32 get(const UINT8 *at, UINTN bytes) {
  UINT32 value = 0;
  for(UINTN i = 0; i < bytes; i++) {
    value = value << 8 | at[i];
  }
  return value;
}

static UINT32 soak_length(const struct message *message) {
  return message->kind == DATA ? 60U + (message->number * 2654435761U >> 8) % 1455U : 60U;
}

static const UINT8 *pattern(const struct soak_frames *frames, const struct message *message) {
  UINT32 place = message->number * 31U + message->wanted * 7U + message->epoch * 13U + message->kind;
  return &frames->table[place % TABLE_SIZE];
}

static UINT32 soak_build(const struct soak_frames *frames, UINT8 *frame, const struct message *message) {
  static const UINT8 peer[] = {0x52, 0x54, 0x00, 0x00, 0x00, 0xFE};
  UINT32 length = soak_length(message);
  BS->CopyMem(frame, (VOID *)peer, 6);
  BS->CopyMem(frame + 6, (VOID *)frames->own, 6);
  put(frame + 12, ETHERTYPE, 2);
  put(frame + 14, MAGIC, 4);
  put(frame + 18, message->kind << 8, 2);
  put(frame + 20, length, 2);
  put(frame + 22, message->epoch, 4);
  put(frame + 26, message->number, 4);
  put(frame + 30, message->wanted, 4);
  BS->CopyMem(frame + HEADER, (VOID *)pattern(frames, message), length - HEADER);
  return length;
}

/* FALSE when any byte is not what it must be. */
static BOOLEAN soak_parse(const struct soak_frames *frames, const UINT8 *frame, UINTN length, struct message *message) {
  if(length < 60 || get(frame + 12, 2) != ETHERTYPE || get(frame + 14, 4) != MAGIC || get(frame + 20, 2) != length) {
    return FALSE;
  }
  message->kind = frame[18];
  message->epoch = get(frame + 22, 4);
  message->number = get(frame + 26, 4);
  message->wanted = get(frame + 30, 4);
  return length == soak_length(message) && memcmp(frame + HEADER, pattern(frames, message), length - HEADER) == 0;
}

#endif
