/* net_lwip.c - a struct netdev as lwIP's network interface. */
#include "net_lwip.h"

#include <lwip/etharp.h>
#include <lwip/pbuf.h>
#include <netif/ethernet.h>
#include <string.h>

static struct net_lwip *of(struct netif *netif) {
  return netif->state;
}

/* netdev_transmit copies, so the pbuf stays lwIP's. A chain is put together first: a frame has one piece. */
static err_t link_output(struct netif *netif, struct pbuf *p) {
  struct net_lwip *nic = of(netif);
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  const void *whole = p->payload;
  if(p->next) {
    if(p->tot_len > sizeof(frame)) {
      nic->dropped++;
      return ERR_BUF;
    }
    (void)pbuf_copy_partial(p, frame, p->tot_len, 0);
    whole = frame;
  }
  int result = netdev_transmit(nic->dev, whole, p->tot_len, NULL, 0);
  if(result == NETDEV_OK) {
    nic->sent++;
    return ERR_OK;
  }
  nic->dropped++;
  return result == NETDEV_E_BUSY ? ERR_WOULDBLOCK : ERR_IF; /* TCP sends it again */
}

/* The frame is the driver's again when this returns, so lwIP gets a copy of its own, in one piece. */
static void receive(void *ctx, const struct netdev_frame *frame) {
  struct net_lwip *nic = ctx;
  struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)frame->length, PBUF_RAM);
  if(p && pbuf_take(p, frame->data, (u16_t)frame->length) == ERR_OK && nic->netif.input(p, &nic->netif) == ERR_OK) {
    nic->received++;
    return;
  }
  if(p) {
    pbuf_free(p);
  }
  nic->dropped++;
}

static void link_changed(void *ctx, const struct netdev_link *link) {
  struct net_lwip *nic = ctx;
  if(link->up) {
    netif_set_link_up(&nic->netif);
  } else {
    netif_set_link_down(&nic->netif);
  }
}

static err_t init(struct netif *netif) {
  const struct net_lwip *nic = of(netif);
  netif->name[0] = 'e';
  netif->name[1] = 'n';
  netif->mtu = NETDEV_MTU;
  netif->hwaddr_len = NETDEV_MAC_LENGTH;
  memcpy(netif->hwaddr, nic->dev->mac, NETDEV_MAC_LENGTH);
  netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
  netif->output = etharp_output;
  netif->linkoutput = link_output;
  return ERR_OK;
}

bool net_lwip_add(struct net_lwip *nic, struct netdev *dev, const ip4_addr_t *address, const ip4_addr_t *mask,
                  const ip4_addr_t *gateway) {
  const struct netdev_client client = {.ctx = nic, .receive = receive, .link_changed = link_changed};
  memset(nic, 0, sizeof(*nic));
  nic->dev = dev;
  if(!netif_add(&nic->netif, address, mask, gateway, nic, init, ethernet_input)) {
    return false;
  }
  netif_set_up(&nic->netif);
  if(netdev_set_client(dev, &client) != NETDEV_OK) { /* tells of a link that is up */
    netif_remove(&nic->netif);
    return false;
  }
  return true;
}

uint32_t net_lwip_poll(struct net_lwip *nic, uint32_t budget) {
  return netdev_poll(nic->dev, budget);
}

void net_lwip_remove(struct net_lwip *nic) {
  netdev_close(nic->dev);
  (void)netdev_set_client(nic->dev, NULL);
  netif_remove(&nic->netif);
}
