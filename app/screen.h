/* screen.h - the console as a page: its size, lines at their places, and single keys. All at TPL_APPLICATION. */
#ifndef APP_SCREEN_H
#define APP_SCREEN_H

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>
#include <stdint.h>

#include "menu/keys.h"

/* Columns and rows of the mode that is set; 80 x 25 where the console does not say. */
void screen_size(uint32_t *columns, uint32_t *rows);

/* Empties it; the cursor is at its top left. */
void screen_clear(void);

/* Prints ASCII from where the cursor stands; "\n" ends a line. `marked` has it stand out, where colours are to be
 * had. */
void screen_put(const char *text, bool marked);

/* Puts the cursor somewhere, and shows or hides it. */
void screen_cursor(uint32_t column, uint32_t row, bool visible);

/* The row that the cursor is in. */
uint32_t screen_row(void);

/* The next key, also one that was pressed before; waits for it. An error when there is no keyboard to wait for. */
EFI_STATUS screen_wait_key(struct key *key);

#endif
