/* sim_rings.c - the simulated datapath: descriptors, filters, frames in both directions, and what is counted. */
#include "sim_internal.h"

#include <stdlib.h>
#include <string.h>

#define DESCRIPTOR      16U
#define FCS             4U
#define TXD_EOP         0x01U
#define TXD_IFCS        0x02U
#define TXD_RS          0x08U
#define TXD_DEXT        0x20U
#define DD              0x01U
#define EOP             0x02U
#define MAX_WITHOUT_LPE 1522U /* bytes with FCS and a VLAN tag */

static void count(struct sim *sim, uint32_t offset, uint32_t growth) {
  uint32_t *reg = sim_reg(sim, offset);
  *reg = *reg > UINT32_MAX - growth ? UINT32_MAX : *reg + growth;
}

static void count_octets(struct sim *sim, uint32_t low, size_t growth) {
  uint64_t sum = ((uint64_t)*sim_reg(sim, low + 4U) << 32 | *sim_reg(sim, low)) + growth;
  *sim_reg(sim, low) = (uint32_t)sum;
  *sim_reg(sim, low + 4U) = (uint32_t)(sum >> 32);
}

static bool is_broadcast(const uint8_t *frame) {
  static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  return memcmp(frame, all, sizeof(all)) == 0;
}

/* PRC64 to PRC1522 and PTC64 to PTC1522: six registers each, by length with FCS. */
static void count_size(struct sim *sim, uint32_t first, size_t length) {
  static const size_t top[] = {64, 127, 255, 511, 1023};
  uint32_t bucket = 0;
  while(bucket < 5U && length + FCS > top[bucket]) {
    bucket++;
  }
  count(sim, first + 4U * bucket, 1);
}

/* Without bus mastership there is no DMA, on the part that has the handshake. */
bool sim_may_master(struct sim *sim) {
  return !sim_is_gone(sim) && !(sim->part->pcie && !sim->config.qemu && !sim->config.master_never_off &&
                                (*sim_reg(sim, R_CTRL) & CTRL_GIO_MASTER_DISABLE));
}

static uint8_t *descriptor_at(struct sim *sim, uint32_t base_low, uint32_t index) {
  return sim_translate(sim, sim_ring_base(sim, base_low) + (uint64_t)index * DESCRIPTOR, DESCRIPTOR,
                       "DMA: descriptor outside any allocation");
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

static bool loops_back(struct sim *sim) {
  return (*sim_reg(sim, R_RCTL) & RCTL_LBM_MAC) || (sim->phy[PHY_CONTROL] & PHY_LOOPBACK);
}

static void send(struct sim *sim) {
  size_t length = sim->tx_length;
  sim->tx_length = 0;
  const uint8_t *copy = sim->tx_frame;
  sim_host_send(&sim->host, copy, length);

  count(sim, R_TPT, 1);
  count(sim, R_GPTC, 1);
  count_octets(sim, R_TOTL, length + FCS);
  count_octets(sim, R_GOTCL, length + FCS);
  count_size(sim, R_PTC64, length);
  if(length >= 6U && (copy[0] & 1U)) {
    count(sim, is_broadcast(copy) ? R_BPTC : R_MPTC, 1);
  }
  if(loops_back(sim)) {
    (void)sim_inject(sim, copy, length);
  }
}

static bool transmit_one(struct sim *sim, uint8_t *descriptor) {
  uint64_t address = sim_little(descriptor, 8);
  size_t length = (size_t)sim_little(descriptor + 8, 2);
  uint8_t command = descriptor[11];
  if((command & TXD_DEXT) || !(command & TXD_IFCS) || length == 0) {
    sim_violate(sim, "transmit descriptor: not a legacy one with IFCS and a length", sim_little(descriptor + 8, 8));
  }
  /* 82544 in PCI-X mode: a buffer must not end within the first dword of an aligned pair. */
  if(sim->part->buffer_ends && sim->config.pcix && length > 4U && !((address + length - 1U) & 4U)) {
    sim_violate(sim, "transmit buffer ends where the 82544 hangs in PCI-X mode", address + length - 1U);
  }
  const uint8_t *data = sim_translate(sim, address, length, "DMA: transmit buffer outside any allocation");
  if(!data || length > SIM_FRAME_MAX - sim->tx_length) {
    return false;
  }
  memcpy(sim->tx_frame + sim->tx_length, data, length);
  sim->tx_length += length;
  if(command & TXD_EOP) {
    send(sim);
  }
  if(command & TXD_RS) {
    descriptor[12] |= DD;
    sim_cause(sim, CAUSE_TXDW);
  }
  return true;
}

void sim_transmit(struct sim *sim) {
  uint32_t size = *sim_reg(sim, R_TDLEN) / DESCRIPTOR;
  while(*sim_reg(sim, R_TDH) != *sim_reg(sim, R_TDT)) {
    if(sim->config.tx_held || sim->config.tx_paused || !(*sim_reg(sim, R_TCTL) & TCTL_EN) || !sim_may_master(sim)) {
      return;
    }
    uint32_t head = *sim_reg(sim, R_TDH);
    uint8_t *descriptor = descriptor_at(sim, R_TDBAL, head);
    if(!descriptor || !transmit_one(sim, descriptor)) {
      return;
    }
    *sim_reg(sim, R_TDH) = (head + 1U) % size;
    if(*sim_reg(sim, R_TDH) == *sim_reg(sim, R_TDT)) {
      sim_cause(sim, CAUSE_TXQE);
    }
  }
}

/* Receive -------------------------------------------------------------------------------------------------------- */

static bool wanted(struct sim *sim, const uint8_t *frame) {
  uint32_t rctl = *sim_reg(sim, R_RCTL);
  if(is_broadcast(frame) && (rctl & RCTL_BAM)) {
    return true;
  }
  bool multicast = (frame[0] & 1U) != 0;
  if(rctl & (multicast ? RCTL_MPE : RCTL_UPE)) {
    return true;
  }
  for(uint32_t i = 0; i < 16U; i++) {
    uint32_t low = *sim_reg(sim, R_RAL + 8U * i);
    uint32_t high = *sim_reg(sim, R_RAH + 8U * i);
    if((high & RAH_AV) && sim_little(frame, 4) == low && sim_little(frame + 4, 2) == (high & 0xFFFFU)) {
      return true;
    }
  }
  if(multicast) {
    /* RCTL.MO 00b takes bits 47:36 of the address, of which the first byte on the wire holds 7:0. */
    static const uint32_t shift[] = {36U, 35U, 34U, 32U};
    uint32_t hash = (uint32_t)(sim_little(frame, 6) >> shift[rctl >> 12 & 3U]) & 0xFFFU;
    hash >>= sim->part->mta_words == 32U ? 2U : 0U; /* ten bits of the address, from 38 on */
    return (*sim_reg(sim, R_MTA + 4U * (hash >> 5)) >> (hash & 31U) & 1U) != 0;
  }
  return false;
}

static bool listening(struct sim *sim) {
  return (*sim_reg(sim, R_RCTL) & RCTL_EN) && !sim->config.link_down && sim_may_master(sim);
}

static uint32_t buffers_left(struct sim *sim) {
  uint32_t size = *sim_reg(sim, R_RDLEN) / DESCRIPTOR;
  return size ? (*sim_reg(sim, R_RDT) + size - *sim_reg(sim, R_RDH)) % size : 0;
}

/* RCTL.RDMTS: a half, a quarter or an eighth of the ring. */
static uint32_t low_mark(struct sim *sim) {
  return *sim_reg(sim, R_RDLEN) / DESCRIPTOR >> ((*sim_reg(sim, R_RCTL) >> 8 & 3U) + 1U);
}

/* The status byte goes last, so that DD never shows before the rest. */
static void put_status(uint8_t *descriptor, const uint8_t *written) {
  memcpy(descriptor + 8, written + 8, 4);
  memcpy(descriptor + 13, written + 13, 3);
  *(volatile uint8_t *)(descriptor + 12) = written[12];
}

/* The write-back of two frames ago comes a second time, whatever its slot is now used for. */
static void write_again(struct sim *sim, uint32_t slot, const uint8_t *written) {
  uint32_t oldest = sim->rx_written_count % 2U;
  if(sim->config.written_twice && sim->rx_written_count >= 2U) {
    uint8_t *descriptor = descriptor_at(sim, R_RDBAL, sim->rx_written_slot[oldest]);
    if(descriptor) {
      put_status(descriptor, sim->rx_written[oldest]);
    }
  }
  memcpy(sim->rx_written[oldest], written, DESCRIPTOR);
  sim->rx_written_slot[oldest] = slot;
  sim->rx_written_count++;
}

static bool write_descriptor(struct sim *sim, const void *data, size_t length, uint8_t status, uint8_t errors,
                             uint16_t descriptor_length) {
  uint32_t head = *sim_reg(sim, R_RDH);
  uint8_t *descriptor = descriptor_at(sim, R_RDBAL, head);
  if(!descriptor) {
    return false;
  }
  uint8_t *buffer =
      sim_translate(sim, sim_little(descriptor, 8), SIM_BUFFER, "DMA: receive buffer outside any allocation");
  if(!buffer) {
    return false;
  }
  memcpy(buffer, data, length);
  uint8_t written[DESCRIPTOR] = {0};
  written[8] = (uint8_t)descriptor_length;
  written[9] = (uint8_t)(descriptor_length >> 8);
  written[12] = status;
  written[13] = errors;
  if(sim->config.delayed || sim->rx_held_count > 0) {
    if(sim->rx_held_count == SIM_RING_MAX) {
      abort();
    }
    sim->rx_held_slot[sim->rx_held_count] = head;
    memcpy(sim->rx_held[sim->rx_held_count++], written, DESCRIPTOR);
  } else {
    put_status(descriptor, written);
    write_again(sim, head, written);
    sim_cause(sim, CAUSE_RXT0);
  }
  *sim_reg(sim, R_RDH) = (head + 1U) % (*sim_reg(sim, R_RDLEN) / DESCRIPTOR);
  if(buffers_left(sim) <= low_mark(sim)) {
    sim_cause(sim, CAUSE_RXDMT0);
  }
  return true;
}

static enum sim_delivery no_buffer(struct sim *sim) {
  count(sim, R_RNBC, 1);
  count(sim, R_MPC, 1);
  sim_cause(sim, CAUSE_RXO);
  return SIM_NO_BUFFER;
}

enum sim_delivery sim_inject_raw(struct sim *sim, const void *frame, size_t length, uint8_t status, uint8_t errors,
                                 uint16_t descriptor_length) {
  if(length > SIM_BUFFER) {
    abort();
  }
  if(!listening(sim)) {
    return SIM_DEAF;
  }
  if(buffers_left(sim) == 0) {
    return no_buffer(sim);
  }
  return write_descriptor(sim, frame, length, status, errors, descriptor_length) ? SIM_DELIVERED : SIM_DEAF;
}

static void count_received(struct sim *sim, const uint8_t *frame, size_t length) {
  count(sim, R_TPR, 1);
  count(sim, R_GPRC, 1);
  count_octets(sim, R_TORL, length + FCS);
  count_octets(sim, R_GORCL, length + FCS);
  count_size(sim, R_PRC64, length);
  if(frame[0] & 1U) {
    count(sim, is_broadcast(frame) ? R_BPRC : R_MPRC, 1);
  }
}

enum sim_delivery sim_inject(struct sim *sim, const void *frame, size_t length) {
  if(length < 6U || length > MAX_WITHOUT_LPE) {
    abort();
  }
  if(!listening(sim)) {
    return SIM_DEAF;
  }
  if(!wanted(sim, frame)) {
    return SIM_FILTERED;
  }
  uint8_t bytes[MAX_WITHOUT_LPE + FCS] = {0};
  memcpy(bytes, frame, length);
  size_t stored = *sim_reg(sim, R_RCTL) & RCTL_SECRC ? length : length + FCS;
  if(buffers_left(sim) == 0) {
    return no_buffer(sim);
  }
  if(!write_descriptor(sim, bytes, stored, DD | EOP, 0, (uint16_t)stored)) {
    return SIM_DEAF;
  }
  count_received(sim, frame, length);
  return SIM_DELIVERED;
}

void sim_write_back(struct sim *sim) {
  uint32_t size = *sim_reg(sim, R_RDLEN) / DESCRIPTOR;
  uint32_t kept = sim->config.newest_first && sim->rx_held_count > 0 ? sim->rx_held_count - 1U : 0;
  for(uint32_t i = kept; size && sim_may_master(sim) && i < sim->rx_held_count; i++) {
    uint8_t *descriptor = descriptor_at(sim, R_RDBAL, sim->rx_held_slot[i]);
    if(descriptor) {
      put_status(descriptor, sim->rx_held[i]);
      sim_cause(sim, CAUSE_RXT0);
    }
  }
  sim->rx_held_count = kept;
}

void sim_step(struct sim *sim) {
  sim_transmit(sim);
  sim_write_back(sim);
}
