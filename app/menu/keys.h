/* keys.h - keys as EFI_SIMPLE_TEXT_INPUT_PROTOCOL tells them (UEFI 2.10, 12.3 and table 12.9), for code without EFI
 * types. */
#ifndef MENU_KEYS_H
#define MENU_KEYS_H

#include <stdint.h>

/* A scan code, or 0 and a character. */
struct key {
  uint16_t scan;
  uint16_t character;
};

#define SCAN_CODE_UP     0x01U
#define SCAN_CODE_DOWN   0x02U
#define SCAN_CODE_RIGHT  0x03U
#define SCAN_CODE_LEFT   0x04U
#define SCAN_CODE_HOME   0x05U
#define SCAN_CODE_END    0x06U
#define SCAN_CODE_DELETE 0x08U
#define SCAN_CODE_ESCAPE 0x17U

#define KEY_CONTROL(letter) ((uint16_t)(0x1FU & (letter))) /* 'A' to 'Z' */
#define KEY_BACKSPACE       0x08U
#define KEY_LINE_FEED       0x0AU
#define KEY_ENTER           0x0DU
#define KEY_DELETE          0x7FU /* what most terminals send for Backspace */

#endif
