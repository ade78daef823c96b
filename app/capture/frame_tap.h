/* frame_tap.h - sees each frame of a NIC, whoever drives it, beside all others who want them. */
#ifndef APP_FRAME_TAP_H
#define APP_FRAME_TAP_H

#include "../session/session.h"

/* Where frames are seen. What a session has, or, for a command without one, found with pci_find_nics and
 * remote_open. */
struct frame_source {
  const struct pci_nic *pci;
  struct session *session; /* whose NIC it is; NULL without one                                              */
  struct netdev *netdev;   /* tapped when `resident` is NULL. NULL, in a session only: a foreign driver's, of
                            * which the session's own frames are seen                                        */
  struct remote *resident; /* the resident driver that holds the NIC, or NULL when it is ours                */
};

struct frame_tap {
  struct frame_source source;
  void (*see)(void *ctx, bool sent, const uint8_t *frame, uint32_t length);
  void *ctx;
  struct netdev_tap netdev_tap;
  VOID *token; /* of the resident driver's tap */
  bool added;
};

/* What the session has. */
struct frame_source frame_source_of(struct session *session);

/* From now on `see` is called with each frame, at TPL_CALLBACK, from inside the driver: it counts and copies, and calls
 * nothing that may wait. *tap stays where it is until frame_tap_remove. Complains. TPL_APPLICATION. */
EFI_STATUS frame_tap_add(struct frame_tap *tap, const struct frame_source *source,
                         void (*see)(void *ctx, bool sent, const uint8_t *frame, uint32_t length), void *ctx);

/* `see` is not called any more. Harmless for a tap that was not added. */
void frame_tap_remove(struct frame_tap *tap);

/* Whether the driver still has the NIC, so that its protocol is what it was. */
bool frame_source_is_there(const struct frame_source *source);

#endif
