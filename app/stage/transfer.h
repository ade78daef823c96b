/* transfer.h - what fetching by TFTP and by HTTP share: a child of the firmware's protocol, waiting, memory, words. */
#ifndef APP_TRANSFER_H
#define APP_TRANSFER_H

#include "../session/child.h"
#include "fetch.h"

/* One fetch under way. */
struct transfer {
  const struct fetch_request *request;
  struct fetch_result *result; /* `step` is where it is                                               */
  struct url url;              /* as of the last redirect                                             */
  UINT64 limit;                /* bytes                                                               */
  UINT64 size;                 /* bytes, once `sized`                                                 */
  volatile UINT64 done;        /* bytes that are there, or were counted; from TPL_CALLBACK as well    */
  bool sized;
  UINT64 begun_us;
  UINT64 moving_us;   /* when the transfer itself began; 0: it has not                       */
  UINT64 watched_us;  /* when the watch was called last                                      */
  UINT64 window_us;   /* when the window began in which enough must come                     */
  UINT64 window_done; /* `done` then                                                         */
};

/* Says what went wrong; returns `status`. */
EFI_STATUS transfer_fail(struct transfer *transfer, EFI_STATUS status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "the server refuses the connection": in words, what the firmware's protocols return. */
const char *transfer_reason(EFI_STATUS status);

/* Begins a wait: enough must come within FETCH_WINDOW_S seconds from now on. */
void transfer_window(struct transfer *transfer);

/* Calls `poll` until *finished. EFI_ABORTED when the watch says so, EFI_TIMEOUT when a window passes in which too
 * little came; neither is told with transfer_fail. */
EFI_STATUS transfer_wait(struct transfer *transfer, const volatile BOOLEAN *finished, EFI_STATUS (*poll)(void *ctx),
                         void *ctx);

/* Lets the watch see where it is, at once. */
void transfer_show(struct transfer *transfer);

/* The size is known: remembers it and looks whether it is within the limit. Tells. */
EFI_STATUS transfer_sized(struct transfer *transfer, UINT64 size);

/* Allocates memory for all of it. Tells. */
EFI_STATUS transfer_room(struct transfer *transfer);

/* The notification of an event whose context is a volatile BOOLEAN: sets it. */
VOID EFIAPI transfer_signal(EFI_EVENT event, VOID *context);

#endif
