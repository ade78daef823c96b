/* capture.h - writes what a NIC sends and receives to a pcapng file, beside whatever a command does with it.
 *
 * For a command with a `--capture FILE` option:
 *
 *   struct NAME_options { struct nic_options nic; ...; const char *capture; };
 *   a row of its table:        CAPTURE_OPTION_ROW(struct NAME_options),
 *   after session_open:        status = capture_begin(&capture, &session, options->capture);
 *   before session_close:      EFI_STATUS captured = capture_end(capture);
 *                              if(!EFI_ERROR(status)) status = captured;
 *
 * Both are harmless when the option was not given. In between nothing has to be done: session_wait writes, and where a
 * command does not come by there, a timer does. What goes over the NIC before capture_begin (the firmware's DHCP client
 * in session_address) is not in the file.
 */
#ifndef APP_CAPTURE_H
#define APP_CAPTURE_H

#include "../args.h"
#include "../session/session.h"
#include "frame_tap.h"

struct capture;
struct frame_filter;

/* clang-format off */
#define CAPTURE_OPTION_ROW(type)                                                                                       \
  {"--capture", "FILE", OPTION_TEXT, offsetof(type, capture), 0, 0, "write all frames meanwhile to FILE, as pcapng"}
/* clang-format on */

struct capture_options {
  const char *path;
  uint32_t snap_length;        /* bytes of a frame that are kept at the most; 0: all            */
  uint64_t count;              /* frames after which no more are taken; 0: no end               */
  struct frame_filter *filter; /* which frames; NULL: all. The caller keeps it until the end          */
  const char *filter_text;     /* the same as words, for the file; NULL                         */
};

/* Counted since it began. */
struct capture_counts {
  uint64_t seen;    /* frames, both ways                             */
  uint64_t matched; /* of those: let through by the filter           */
  uint64_t dropped; /* of those: not in the file, for want of room   */
  uint64_t written; /* of those: in the file                         */
  uint64_t bytes;   /* of the file                                   */
};

/* Makes the file and sees every frame from now on. `path` NULL: *capture is NULL, and nothing else is done. The session
 * is open; it may have begun to talk or not. Complains; results as volume_file_create's, or EFI_OUT_OF_RESOURCES.
 * TPL_APPLICATION, as all that follow. */
EFI_STATUS capture_begin(struct capture **capture, struct session *session, const char *path);

/* The same with options, or without a session. */
EFI_STATUS capture_begin_with(struct capture **capture, struct session *session, const struct capture_options *options);
EFI_STATUS capture_begin_on(struct capture **capture, const struct frame_source *source,
                            const struct capture_options *options);

/* For a command that works through the firmware's stack: on the NIC that one of this project's drivers holds. Complains
 * of another driver, EFI_UNSUPPORTED. `pci` stays where it is until the end. */
EFI_STATUS capture_begin_below(struct capture **capture, const struct pci_nic *pci, const char *path);

/* For one that does both: leaves the source while it is still there, and goes on at the driver of ours that holds the
 * NIC `pci` after that; where there is none, nothing more is seen. NULL is harmless. */
void capture_leave(struct capture *capture);
void capture_follow(struct capture *capture, const struct pci_nic *pci);

/* Sees nothing more, writes what is left and the statistics, closes the file and says in a line what is in it.
 * Complains, and returns why, when something could not be written; what was written until then is a valid file. NULL is
 * harmless. */
EFI_STATUS capture_end(struct capture *capture);

/* Writes what is there. session_wait does so. */
void capture_serve(struct capture *capture);

/* EFI_SUCCESS as long as all goes well, else what went wrong, which capture_end will complain about. */
EFI_STATUS capture_status(const struct capture *capture);

void capture_count(const struct capture *capture, struct capture_counts *counts);

#endif
