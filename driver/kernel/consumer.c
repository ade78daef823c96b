/* consumer.c - the kernel's side of the handoff: finds the table, adopts the NIC, or starts it afresh. */
#include "consumer.h"

#include <string.h>

#include "../net/handoff.h"

static const struct {
  uint32_t part1;
  uint16_t part2;
  uint16_t part3;
  uint8_t part4[8];
} table_guid = NET_HANDOFF_GUID;

static void say(const struct net_platform *platform, enum net_log_level level, const char *text, uint32_t value) {
  if(platform->log) {
    platform->log(platform->ctx, level, text, value);
  }
}

uint64_t kernel_handoff_locate(const struct kernel_efi_entry *entries, uint64_t count, uint64_t direct_map) {
  _Static_assert(sizeof(table_guid) == sizeof(entries->guid), "EFI_GUID");
  for(uint64_t i = 0; entries && i < count; i++) {
    if(memcmp(entries[i].guid, &table_guid, sizeof(table_guid)) == 0) {
      uint64_t address = entries[i].table;
      return direct_map && address >= direct_map ? address - direct_map : address;
    }
  }
  return 0;
}

static bool is_about(const struct net_handoff_nic *entry, const struct kernel_nic *nic) {
  return entry->pci_segment == nic->segment && entry->pci_bus == nic->bus && entry->pci_device == nic->device &&
         entry->pci_function == nic->function && entry->vendor_id == nic->vendor_id &&
         entry->device_id == nic->device_id && entry->bar0 == nic->bar0;
}

static struct net_device_id device_id(const struct kernel_nic *nic) {
  return (struct net_device_id){
      .vendor_id = nic->vendor_id, .device_id = nic->device_id, .revision_id = nic->revision_id};
}

/* NETDEV_E_EMPTY when the table does not speak of this NIC, or is not to be believed. */
static int adopt(const struct net_platform *platform, const struct kernel_nic *nic, const void *table, size_t available,
                 uint64_t physical, net_map map, struct netdev **out) {
  /* Too large for a kernel's stack, and used once. */
  struct net_handoff *copy = platform->alloc(platform->ctx, sizeof(*copy));
  if(!copy) {
    return NETDEV_E_NO_MEMORY;
  }
  const struct net_device_id id = device_id(nic);
  const struct net_driver *driver = net_driver_find(&id, NULL);
  int result = driver ? NETDEV_E_EMPTY : NETDEV_E_UNSUPPORTED;
  const char *problem = net_handoff_validate(table, available, physical, copy);
  if(problem) {
    say(platform, NET_LOG_WARN, problem, 0);
  }
  for(uint32_t i = 0; !problem && i < copy->nic_count && result == NETDEV_E_EMPTY; i++) {
    if(is_about(&copy->nic[i], nic)) {
      result = driver->adopt(platform, &copy->nic[i], map, out);
    }
  }
  platform->free(platform->ctx, copy, sizeof(*copy));
  return result;
}

/* In this order: an adopted device tells of its link at once, and the client may ask for its name. */
static int introduce(struct netdev *dev, const struct netdev_client *client) {
  int result = netdev_register(dev);
  return result == NETDEV_OK ? netdev_set_client(dev, client) : result;
}

static int start_afresh(const struct net_platform *platform, const struct kernel_nic *nic,
                        const struct netdev_client *client, struct netdev **out) {
  const struct net_config config = {.id = device_id(nic)};
  const struct net_driver *driver = net_driver_find(&config.id, NULL);
  int result = driver ? driver->create(platform, &config, out) : NETDEV_E_UNSUPPORTED;
  if(result != NETDEV_OK) {
    return result;
  }
  result = introduce(*out, client);
  return result == NETDEV_OK ? netdev_open(*out) : result;
}

int kernel_nic_start(const struct net_platform *platform, const struct kernel_nic *nic, const void *table,
                     size_t available, uint64_t physical, net_map map, const struct netdev_client *client,
                     struct netdev **out, enum kernel_nic_origin *origin) {
  *out = NULL;
  int result = table ? adopt(platform, nic, table, available, physical, map, out) : NETDEV_E_EMPTY;
  *origin = KERNEL_NIC_ADOPTED;
  if(result == NETDEV_OK) {
    result = introduce(*out, client);
  } else {
    say(platform, NET_LOG_INFO, "no handoff to go on from, starting afresh", (uint32_t)-result);
    *origin = KERNEL_NIC_FRESH;
    result = start_afresh(platform, nic, client, out);
  }
  if(result != NETDEV_OK) {
    netdev_destroy(*out); /* closes it, if it came that far */
    *out = NULL;
  }
  return result;
}
