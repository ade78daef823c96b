/* fake_device.c - a device of the fake family, simulated. */
#include "fake_device.h"

#include <string.h>

static void complain(struct fake_device *device, const char *text) {
  device->complaint = device->complaint ? device->complaint : text;
}

/* The processor's address of what lies at the device's. */
static void *reach(struct fake_device *device, uint64_t at, size_t size) {
  for(uint32_t i = 0; i < FAKE_MAPS_MAX; i++) {
    uint64_t offset = at - device->map[i].device;
    if(device->map[i].cpu && at >= device->map[i].device && offset + size <= device->map[i].size) {
      return device->map[i].cpu + offset;
    }
  }
  complain(device, "DMA to where nothing is mapped");
  return NULL;
}

static struct fake_memory *memory_of(struct fake_device *device) {
  return reach(device, device->memory, sizeof(struct fake_memory));
}

static void send(struct fake_device *device, uint32_t number) {
  struct fake_memory *memory = memory_of(device);
  struct fake_slot *slot = memory ? &memory->tx[number % FAKE_SLOTS] : NULL;
  if(!slot || !device->running) {
    complain(device, "told to send while it does not run");
  } else if(number >= FAKE_SLOTS || slot->state != FAKE_SLOT_DEVICE || slot->length > FAKE_SLOT_LENGTH) {
    complain(device, "told to send a slot that is not its own");
  } else {
    uint32_t index = device->sent_count++ % FAKE_SENT_MAX;
    memcpy(device->sent[index], slot->data, slot->length);
    device->sent_length[index] = slot->length;
    slot->state = FAKE_SLOT_DONE;
    device->cause = true;
  }
}

static uint32_t width_of(uint32_t offset) {
  static const uint8_t width[] = {[FAKE_ID] = 4,   [FAKE_RUN] = 1,     [FAKE_CAUSE] = 1,      [FAKE_LINK] = 2,
                                  [FAKE_MAC] = 4,  [FAKE_MAC + 4] = 2, [FAKE_MEMORY_LOW] = 4, [FAKE_MEMORY_HIGH] = 4,
                                  [FAKE_KICK] = 2, [FAKE_RX_NEXT] = 2, [FAKE_UNMASKED] = 1};
  return offset < sizeof(width) ? width[offset] : 0;
}

static bool is_sound(struct fake_device *device, uint32_t bar, uint32_t offset, uint32_t width) {
  if(bar != FAKE_BAR || width_of(offset) != width) {
    complain(device, "a register accessed where there is none, or in another width");
    return false;
  }
  return true;
}

uint32_t fake_device_read(void *ctx, uint32_t bar, uint32_t offset, uint32_t width) {
  struct fake_device *device = ctx;
  uint32_t value = 0;
  if(!is_sound(device, bar, offset, width) || device->gone) {
    return UINT32_MAX >> (32U - 8U * width);
  }
  switch(offset) {
  case FAKE_ID:
    return FAKE_MAGIC;
  case FAKE_RUN:
    return device->running;
  case FAKE_CAUSE:
    value = device->cause;
    device->cause = false;
    return value;
  case FAKE_LINK:
    return device->speed;
  case FAKE_MAC:
    memcpy(&value, device->mac, 4);
    return value;
  case FAKE_MAC + 4U:
    memcpy(&value, device->mac + 4, 2);
    return value;
  case FAKE_MEMORY_LOW:
    return (uint32_t)device->memory;
  case FAKE_MEMORY_HIGH:
    return (uint32_t)(device->memory >> 32);
  case FAKE_RX_NEXT:
    return device->rx_next;
  default:
    return device->unmasked;
  }
}

void fake_device_write(void *ctx, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value) {
  struct fake_device *device = ctx;
  if(!is_sound(device, bar, offset, width) || device->gone) {
    return;
  }
  switch(offset) {
  case FAKE_RUN:
    device->running = (value & 1U) != 0;
    if(value & FAKE_RUN_RESET) {
      device->resets++;
      device->rx_next = 0;
    }
    break;
  case FAKE_MEMORY_LOW:
    device->memory = (device->memory & ~(uint64_t)UINT32_MAX) | value;
    break;
  case FAKE_MEMORY_HIGH:
    device->memory = (device->memory & UINT32_MAX) | (uint64_t)value << 32;
    break;
  case FAKE_KICK:
    send(device, value);
    break;
  case FAKE_UNMASKED:
    device->unmasked = value != 0;
    break;
  default:
    complain(device, "a read-only register written");
  }
}

void fake_device_map(void *ctx, void *cpu, uint64_t at, size_t size) {
  struct fake_device *device = ctx;
  for(uint32_t i = 0; i < FAKE_MAPS_MAX; i++) {
    if(!device->map[i].cpu) {
      device->map[i].cpu = cpu;
      device->map[i].device = at;
      device->map[i].size = size;
      return;
    }
  }
  complain(device, "too many mappings");
}

void fake_device_unmap(void *ctx, uint64_t at) {
  struct fake_device *device = ctx;
  for(uint32_t i = 0; i < FAKE_MAPS_MAX; i++) {
    if(device->map[i].cpu && device->map[i].device == at) {
      device->map[i].cpu = NULL;
      if(device->running && !device->gone) {
        complain(device, "memory unmapped while it runs");
      }
      return;
    }
  }
  complain(device, "no such mapping");
}

const char *fake_device_complaint(void *ctx) {
  const struct fake_device *device = ctx;
  return device->complaint ? device->complaint : "";
}

bool fake_device_inject(struct fake_device *device, const void *frame, uint32_t length) {
  struct fake_memory *memory = device->running && !device->gone ? memory_of(device) : NULL;
  struct fake_slot *slot = memory ? &memory->rx[device->rx_next % FAKE_SLOTS] : NULL;
  if(!slot || slot->state != FAKE_SLOT_DEVICE || length > FAKE_SLOT_LENGTH) {
    return false;
  }
  memcpy(slot->data, frame, length);
  slot->length = length;
  slot->state = FAKE_SLOT_DONE;
  device->rx_next = (device->rx_next + 1U) % FAKE_SLOTS;
  device->cause = true;
  return true;
}
