/* virtio.c - the fake firmware's virtio-net devices: the simulator behind PciIo, with BARs of 32 and 64 bits. */
#include "internal.h"

#include "efi/acpi_resource.h"

#define BAR0        0x10U
#define BAR_IO      1U
#define BAR_64BIT   4U
#define BAR_FLAGS   15U
#define WINDOW      0x80000000U
#define WINDOW_HIGH 0xE0U /* upper half of the addresses above 4 GiB */
#define PORTS       0xC000U
#define INT_LINE    0x3CU

static uint32_t read(void *device, uint32_t bar, uint32_t offset, uint32_t width) {
  const struct net_platform *platform = virtio_sim_platform(device);
  return width == 1   ? platform->read8(platform->ctx, bar, offset)
         : width == 2 ? platform->read16(platform->ctx, bar, offset)
                      : platform->read32(platform->ctx, bar, offset);
}

static void write(void *device, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value) {
  const struct net_platform *platform = virtio_sim_platform(device);
  if(width == 1) {
    platform->write8(platform->ctx, bar, offset, (uint8_t)value);
  } else if(width == 2) {
    platform->write16(platform->ctx, bar, offset, (uint16_t)value);
  } else {
    platform->write32(platform->ctx, bar, offset, value);
  }
}

static void map(void *device, void *cpu, uint64_t at, size_t size) {
  virtio_sim_map(device, cpu, at, size);
}

static void unmap(void *device, uint64_t at) {
  virtio_sim_unmap(device, at);
}

static const char *complaint(void *device) {
  return virtio_sim_violation_text(device);
}

static uint32_t config_read(void *device, uint32_t offset, uint32_t width) {
  const struct net_platform *platform = virtio_sim_platform(device);
  return platform->config_read(platform->ctx, offset, width);
}

static void config_write(void *device, uint32_t offset, uint32_t width, uint32_t value) {
  const struct net_platform *platform = virtio_sim_platform(device);
  platform->config_write(platform->ctx, offset, width, value);
}

static void advance_device(void *device, uint64_t us) {
  virtio_sim_advance(device, us);
}

static void destroy(void *device) {
  virtio_sim_destroy(device);
}

static const struct firmware_device kind = {
    .read = read,
    .write = write,
    .map = map,
    .unmap = unmap,
    .complaint = complaint,
    .config_read = config_read,
    .config_write = config_write,
    .advance = advance_device,
    .destroy = destroy,
};

/* The simulator says which registers there are; where they lead is the firmware's to choose. */
static void place_bars(struct firmware_nic *nic, struct virtio_sim *sim, UINTN number) {
  UINT8 *space = virtio_sim_config_space(sim);
  UINT8 index = 0;
  for(UINT8 i = 0; i < 6; i++, index++) {
    const struct net_bar *bar = &virtio_sim_platform(sim)->bar[i];
    struct firmware_bar *out = &nic->bar[index];
    UINT32 low;
    memcpy(&low, space + BAR0 + 4U * i, sizeof(low));
    bool io = bar->kind == NET_BAR_IO;
    bool wide = bar->kind == NET_BAR_MEMORY && (low & BAR_64BIT);
    *out = (struct firmware_bar){.type = io ? ACPI_ADDRESS_SPACE_TYPE_IO : ACPI_ADDRESS_SPACE_TYPE_MEM,
                                 .size = bar->kind == NET_BAR_NONE ? 0 : bar->size,
                                 .number = i,
                                 .wide = wide};
    if(out->size == 0) {
      continue;
    }
    UINT32 at = (UINT32)(io ? PORTS + 0x40U * number : WINDOW + 0x100000U * number + 0x10000U * i);
    out->base = at | (wide ? (UINT64)WINDOW_HIGH << 32 : 0);
    low = at | (io ? BAR_IO : low & BAR_FLAGS);
    memcpy(space + BAR0 + 4U * i, &low, sizeof(low));
    if(wide) {
      UINT32 high = WINDOW_HIGH;
      memcpy(space + BAR0 + 4U * ++i, &high, sizeof(high));
    }
  }
}

struct firmware_nic *firmware_add_virtio(const struct virtio_sim_config *config) {
  UINTN number;
  struct firmware_nic *nic = nic_new(&number);
  struct virtio_sim *sim = virtio_sim_create(config);
  nic->kind = &kind;
  nic->device = sim;
  place_bars(nic, sim, number);
  virtio_sim_config_space(sim)[INT_LINE] = 11;
  virtio_sim_config_space(sim)[INT_LINE + 1U] = 1;
  nic_publish(nic);
  return nic;
}

struct virtio_sim *firmware_virtio(const struct firmware_nic *nic) {
  return nic->kind == &kind ? nic->device : NULL;
}
