/* responder.h - answers ARP requests, pings and test frames: all that echo does, and what ping and frames do beside
 * their own work. */
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
  uint32_t refused;    /* answers that the transmit ring had no room for         */
  uint32_t other_vlan; /* frames that are tagged with a VLAN, and so not for us  */
};

/* Answers `frame` if it asks something of us; true when it did. Who asks from an address that no station can have, or
 * from ours, gets no answer; a probe for our address (RFC 5227) gets one, for it is ours. Callable from
 * netdev_client.receive. `packet` is what inet_parse made of the frame. */
bool responder_handle(struct responder *responder, const struct netdev_frame *frame, const struct inet_packet *packet);

#endif
