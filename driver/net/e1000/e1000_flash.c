/* e1000_flash.c - the NVM of a PCH: in the chipset's flash, read through the registers in BAR 1, a word at a time. */
#include "e1000_hw.h"

/* "Hardware sequencing" of the ICH and PCH datasheets' chapter on the GbE flash registers; names of theirs. */
#define FLASH_BAR      1U
#define FLASH_BAR_MIN  0x14U
#define FLASH_GFPREG   0x00U /* 32 bits: first and last sector of our region   */
#define FLASH_HSFSTS   0x04U /* 16 bits                                        */
#define FLASH_HSFCTL   0x06U /* 16 bits                                        */
#define FLASH_FADDR    0x08U /* 32 bits                                        */
#define FLASH_FDATA0   0x10U /* 32 bits                                        */
#define SECTOR_BYTES   4096U
#define SECTOR_MASK    0x1FFFU
#define LAST_SHIFT     16U
#define STATUS_DONE    (1U << 0)
#define STATUS_ERROR   (1U << 1)
#define STATUS_ACCESS  (1U << 2)
#define STATUS_BUSY    (1U << 5)
#define STATUS_VALID   (1U << 14) /* the flash has a descriptor: else nothing works */
#define CONTROL_GO     (1U << 0)
#define CONTROL_CYCLE  (3U << 1) /* 0: read     */
#define CONTROL_COUNT  (3U << 8) /* bytes less 1 */
#define CONTROL_2BYTES (1U << 8)

/* Two copies; the valid one has 10b in the highest bits of its word 0x13. */
#define BANKS      2U
#define BANK_WORD  0x13U
#define BANK_MASK  0xC000U
#define BANK_VALID 0x8000U
#define STEP_US    5U
#define TIMEOUT_US 5000U /* a read takes some microseconds */
#define TRIES      10U

static uint32_t flash_read32(const struct e1000 *nic, uint32_t offset) {
  return nic->platform->read32(nic->platform->ctx, FLASH_BAR, offset);
}

static void flash_write16(const struct e1000 *nic, uint32_t offset, uint32_t value) {
  nic->platform->write16(nic->platform->ctx, FLASH_BAR, offset, (uint16_t)value);
}

/* Until `mask` of HSFSTS reads `want`; the value last seen in *status. */
static int flash_wait(const struct e1000 *nic, uint32_t mask, uint32_t want, uint32_t *status) {
  for(uint32_t waited_us = 0; waited_us <= TIMEOUT_US; waited_us += STEP_US) {
    *status = nic->platform->read16(nic->platform->ctx, FLASH_BAR, FLASH_HSFSTS);
    if(*status == UINT16_MAX) {
      return NETDEV_E_GONE;
    }
    if((*status & mask) == want) {
      return NETDEV_OK;
    }
    nic->platform->delay_us(nic->platform->ctx, STEP_US);
  }
  e1000_log(nic, NET_LOG_WARN, "the flash does not answer; HSFSTS", *status);
  return NETDEV_E_NVM;
}

/* One cycle: two bytes at `address`. */
static int flash_cycle(const struct e1000 *nic, uint32_t address, uint16_t *value) {
  uint32_t status;
  int result = flash_wait(nic, STATUS_BUSY, 0, &status);
  if(result != NETDEV_OK) {
    return result;
  }
  if(!(status & STATUS_VALID)) {
    return NETDEV_E_NVM;
  }
  flash_write16(nic, FLASH_HSFSTS, STATUS_DONE | STATUS_ERROR | STATUS_ACCESS); /* a one clears */
  uint32_t control = nic->platform->read16(nic->platform->ctx, FLASH_BAR, FLASH_HSFCTL);
  control = (control & ~(CONTROL_CYCLE | CONTROL_COUNT)) | CONTROL_2BYTES;
  nic->platform->write32(nic->platform->ctx, FLASH_BAR, FLASH_FADDR, address);
  flash_write16(nic, FLASH_HSFCTL, control | CONTROL_GO);
  result = flash_wait(nic, STATUS_DONE, STATUS_DONE, &status);
  if(result != NETDEV_OK) {
    return result;
  }
  *value = (uint16_t)flash_read32(nic, FLASH_FDATA0);
  return status & STATUS_ERROR ? NETDEV_E_TIMEOUT : NETDEV_OK; /* worth another try: whoever else uses the flash */
}

static int flash_word(const struct e1000 *nic, uint32_t address, uint16_t *value) {
  int result = NETDEV_E_TIMEOUT;
  for(uint32_t i = 0; i < TRIES && result == NETDEV_E_TIMEOUT; i++) {
    result = flash_cycle(nic, address, value);
  }
  return result == NETDEV_E_TIMEOUT ? NETDEV_E_NVM : result;
}

int e1000_flash_read(const struct e1000 *nic, uint16_t word, uint16_t *value) {
  const struct net_bar *bar = &nic->platform->bar[FLASH_BAR];
  if(bar->kind != NET_BAR_MEMORY || (bar->size != 0 && bar->size < FLASH_BAR_MIN)) {
    return NETDEV_E_NVM;
  }
  uint32_t region = flash_read32(nic, FLASH_GFPREG);
  if(region == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  uint32_t first = region & SECTOR_MASK;
  uint32_t last = region >> LAST_SHIFT & SECTOR_MASK;
  if(last <= first) {
    return NETDEV_E_NVM;
  }
  uint32_t bank_bytes = (last + 1U - first) * SECTOR_BYTES / BANKS;
  for(uint32_t bank = 0; bank < BANKS; bank++) {
    uint32_t base = first * SECTOR_BYTES + bank * bank_bytes;
    uint16_t mark;
    int result = flash_word(nic, base + 2U * BANK_WORD, &mark);
    if(result != NETDEV_OK) {
      return result;
    }
    if((mark & BANK_MASK) == BANK_VALID) {
      return flash_word(nic, base + 2U * word, value);
    }
  }
  return NETDEV_E_NVM;
}
