/* responder.h - answers ARP requests, pings and test frames; ping and frames answer while they run, echo does it for a
 * living. */
#ifndef APP_RESPONDER_H
#define APP_RESPONDER_H

#include "inet.h"
#include "net/netdevice.h"

struct responder {
  int (*send)(void *ctx, const void *frame, size_t length); /* netdev_transmit's results */
  void *send_ctx;
  struct inet_host host;
  bool silent; /* somebody else answers ARP and pings for this address */
  uint32_t arp_replies;
  uint32_t echo_replies;
  uint32_t frame_replies;
  uint32_t refused; /* answers that the transmit ring had no room for */
};

/* Answers `frame` if it asks something of us; true when it did. Callable from netdev_client.receive. `packet` is what
 * inet_parse made of the frame. */
bool responder_handle(struct responder *responder, const struct netdev_frame *frame, const struct inet_packet *packet);

#endif
