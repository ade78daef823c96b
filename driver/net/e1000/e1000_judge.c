/* e1000_judge.c - the e1000 family's block of a handoff, judged before a kernel believes it, and shown to people
 * (include/net/HANDOFF.md). e1000.efi goes without (drivers_e1000_efi.c). */
#include "e1000_hw.h"

#include "../handoff.h"

/* Judging -------------------------------------------------------------------------------------------------------- */

static const char *judge_ring(const struct net_handoff_e1000_ring *ring, bool receive) {
  if(ring->descriptor_format != NET_HANDOFF_FORMAT_E1000_LEGACY ||
     ring->descriptor_size != sizeof(union e1000_descriptor)) {
    return "a ring's descriptors are of an unknown kind";
  }
  if(ring->count < E1000_RING_MIN || ring->count > E1000_RING_MAX || (ring->count & (ring->count - 1U))) {
    return "a ring's count is no power of two in range";
  }
  if(ring->buffer_size != E1000_BUFFER_SIZE || ring->buffer_stride != E1000_BUFFER_SIZE) {
    return "a ring's buffers are of another size";
  }
  if(ring->descriptors % sizeof(union e1000_descriptor) || ring->descriptors_device % sizeof(union e1000_descriptor)) {
    return "a ring is not aligned";
  }
  uint32_t used = ring->tail - ring->head;
  if(ring->published - ring->head > used || used > ring->count - 1U || (receive && used != ring->count - 1U)) {
    return "a ring's indices contradict each other";
  }
  return NULL;
}

/* The bits on which the rings rest: a wrong one has the device write beyond its buffers, or descriptors of another
 * kind. */
static const char *judge_control(const struct net_handoff_e1000 *block) {
  const uint32_t filters = E1000_RCTL_UPE | E1000_RCTL_BAM;
  if((block->rctl & ~filters) != (E1000_RCTL_EN | E1000_RCTL_BSIZE_2048 | E1000_RCTL_SECRC)) {
    return "the receiver is set up for other rings";
  }
  return block->tctl & E1000_TCTL_EN ? NULL : "the transmitter is off";
}

static void list_ring(const struct net_handoff_e1000_ring *ring, struct net_handoff_span spans[2]) {
  spans[0] = (struct net_handoff_span){ring->descriptors, ring->descriptors_device,
                                       (uint64_t)ring->count * ring->descriptor_size};
  spans[1] =
      (struct net_handoff_span){ring->buffers, ring->buffers_device, (uint64_t)ring->count * ring->buffer_stride};
}

const char *e1000_handoff_judge(const struct net_handoff_nic *nic, const void *block, struct net_handoff_span *spans,
                                uint32_t *count) {
  const struct net_handoff_e1000 *e1000 = block;
  if(!(nic->bar[0].flags & NET_HANDOFF_BAR_MEMORY) || nic->bar[0].size < E1000_BAR0_MIN_SIZE) {
    return "BAR 0 is not this family's";
  }
  const char *problem = judge_control(e1000);
  if(!problem) {
    problem = judge_ring(&e1000->rx, true);
  }
  if(!problem) {
    problem = judge_ring(&e1000->tx, false);
  }
  if(!problem) {
    list_ring(&e1000->rx, &spans[0]);
    list_ring(&e1000->tx, &spans[2]);
    *count = 4;
  }
  return problem;
}

/* Showing -------------------------------------------------------------------------------------------------------- */

static void show_ring(const char *name, const struct net_handoff_e1000_ring *ring, netdev_visitor visitor, void *ctx) {
  const struct net_handoff_shown rows[] = {
      {name, ring->count, NETDEV_UNIT_COUNT, "descriptors"},
      {"  descriptors", ring->descriptors, NETDEV_UNIT_HEX64, "physical address"},
      {"", ring->descriptors_device, NETDEV_UNIT_HEX64, "the device's"},
      {"  buffers", ring->buffers, NETDEV_UNIT_HEX64, "physical address"},
      {"", ring->buffers_device, NETDEV_UNIT_HEX64, "the device's"},
      {"  head", ring->head, NETDEV_UNIT_COUNT, "the oldest not taken back"},
      {"  published", ring->published, NETDEV_UNIT_COUNT, "what the tail register was told"},
      {"  tail", ring->tail, NETDEV_UNIT_COUNT, "the next to prepare"},
  };
  net_handoff_show_rows(rows, sizeof(rows) / sizeof(rows[0]), visitor, ctx);
}

void e1000_handoff_show(const void *block, netdev_visitor visitor, void *ctx) {
  const struct net_handoff_e1000 *e1000 = block;
  const struct net_handoff_shown rows[] = {
      {"RCTL", e1000->rctl, NETDEV_UNIT_HEX32, "while it receives"},
      {"TCTL", e1000->tctl, NETDEV_UNIT_HEX32, "while it sends"},
  };
  net_handoff_show_rows(rows, sizeof(rows) / sizeof(rows[0]), visitor, ctx);
  show_ring("rx", &e1000->rx, visitor, ctx);
  show_ring("tx", &e1000->tx, visitor, ctx);
}
