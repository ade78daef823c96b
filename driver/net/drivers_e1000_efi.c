/* drivers_e1000_efi.c - the families of e1000.efi: e1000 alone, and of that not what only others call. netdiag has
 * words for the rows itself, and a kernel adopts the NIC with code of its own: e1000_words.c, e1000_judge.c and
 * e1000_adopt.c are left out. What they define is here. */
#include "e1000/e1000_hw.h"
#include "net/e1000.h"

void e1000_describe(const struct net_device_id *id, struct netdev_row *row) {
  (void)id;
  (void)row;
}

const char *e1000_handoff_judge(const struct net_handoff_nic *nic, const void *block, struct net_handoff_span *spans,
                                uint32_t *count) {
  (void)nic;
  (void)block;
  (void)spans;
  (void)count;
  return "this image reads no handoff";
}

void e1000_handoff_show(const void *block, netdev_visitor visitor, void *ctx) {
  (void)block;
  (void)visitor;
  (void)ctx;
}

int e1000_adopt_device(struct e1000 *nic, const struct net_handoff_nic *entry, const struct net_handoff_e1000 *from,
                       net_map map) {
  (void)nic;
  (void)entry;
  (void)from;
  (void)map;
  return NETDEV_E_UNSUPPORTED;
}

const struct net_driver *const net_drivers[] = {&e1000_driver, NULL};
const struct net_words net_words[] = {{NULL, NULL}};
