/* sim_flash.c - the simulated flash behind a PCH: "hardware sequencing", two copies of the NVM, cycles that fail. */
#include "sim_internal.h"

/* Names of the chipset's datasheet. */
#define GFPREG 0x00U
#define HSFSTS 0x04U
#define HSFCTL 0x06U
#define FADDR  0x08U
#define FDATA0 0x10U
#define DONE   0x0001U
#define ERROR  0x0002U
#define DAEL   0x0004U
#define VALID  0x4000U
#define GO     0x0001U
#define SECTOR 4096U
#define FIRST  3U /* our region: sectors 3 and 4, a copy in each */
#define LAST   4U
#define SIGNED 0x13U

static uint16_t word_at(const struct sim *sim, uint32_t address) {
  uint32_t bank = address / SECTOR - FIRST;
  uint32_t word = address % SECTOR / 2U;
  bool valid = bank == sim->config.second_bank && !sim->config.no_bank;
  if(word >= SIM_NVM_WORDS) {
    return UINT16_MAX;
  }
  if(valid) {
    return sim->nvm[word];
  }
  return word == SIGNED ? 0xC000U : (uint16_t)~sim->nvm[word]; /* the other copy holds something else */
}

static void cycle(struct sim *sim) {
  struct sim_flash *flash = &sim->flash;
  if(sim->config.eerd_never_done) {
    return;
  }
  if(flash->control >> 1 & 3U) {
    sim_violate(sim, "flash: written or erased", flash->control);
    return;
  }
  bool inside = flash->address >= FIRST * SECTOR && flash->address < (LAST + 1U) * SECTOR;
  if(!inside || flash->address % 2U || (flash->control >> 8 & 3U) != 1U) {
    sim_violate(sim, "flash: not two bytes of our own region", flash->address);
    return;
  }
  if(sim->config.flash_errors > 0) {
    sim->config.flash_errors--;
    flash->status |= DONE | ERROR;
    return;
  }
  flash->data = word_at(sim, flash->address);
  flash->status |= DONE;
}

bool sim_flash_read(struct sim *sim, uint32_t offset, uint32_t width, uint32_t *value) {
  struct sim_flash *flash = &sim->flash;
  if(offset == GFPREG && width == 4U) {
    *value = sim->config.no_region ? 0U : LAST << 16 | FIRST;
  } else if(offset == HSFSTS && width == 2U) {
    *value = flash->status | (sim->config.no_descriptor ? 0U : VALID);
  } else if(offset == HSFCTL && width == 2U) {
    *value = flash->control;
  } else if(offset == FDATA0 && width == 4U) {
    *value = flash->data;
  } else {
    return false;
  }
  return true;
}

bool sim_flash_write(struct sim *sim, uint32_t offset, uint32_t width, uint32_t value) {
  struct sim_flash *flash = &sim->flash;
  if(offset == HSFSTS && width == 2U) {
    flash->status = (uint16_t)(flash->status & ~(value & (DONE | ERROR | DAEL)));
  } else if(offset == FADDR && width == 4U) {
    flash->address = value & 0x00FFFFFFU;
  } else if(offset == HSFCTL && width == 2U) {
    flash->control = (uint16_t)(value & ~GO);
    if((value & GO) && (flash->status & (DONE | ERROR))) {
      sim_violate(sim, "flash: a cycle begun before the last one was acknowledged", flash->status);
    } else if(value & GO) {
      cycle(sim);
    }
  } else {
    return false;
  }
  return true;
}
