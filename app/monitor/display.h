/* display.h - pages on the firmware's text console: only what changed is written, and the console is put back. */
#ifndef APP_MONITOR_DISPLAY_H
#define APP_MONITOR_DISPLAY_H

#include <efi.h>
#include <efilib.h>

#include "page.h"

struct display {
  struct page shown;
  struct page next; /* to be rendered by the caller, then display_draw        */
  bool anything;    /* `shown` is what the screen shows                       */
  bool boxes;       /* the console has box drawing characters                 */
  bool cursor;      /* was visible                                            */
  uint64_t written; /* characters so far, those that move the cursor left out */
};

/* Takes the console, which has a size (console_size): empties it and hides the cursor. TPL_APPLICATION, as all that
 * follow. */
void display_begin(struct display *display);

/* Draws display->next over what is shown; the cursor then waits in the last row, so that what somebody else prints
 * destroys little. */
void display_draw(struct display *display);

/* Forgets what is shown: everything is drawn again. For when somebody else has printed. */
void display_forget(struct display *display);

/* Leaves the last page where it is, with the cursor below it and as visible as before. */
void display_end(struct display *display);

#endif
