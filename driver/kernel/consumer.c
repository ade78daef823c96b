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

static struct net_device_id device_id(const struct kernel_nic *nic) {
  return (struct net_device_id){.vendor_id = nic->vendor_id,
                                .device_id = nic->device_id,
                                .subsystem_vendor_id = nic->subsystem_vendor_id,
                                .subsystem_id = nic->subsystem_id,
                                .revision_id = nic->revision_id};
}

/* The index of the entry about this NIC, or nic_count. */
static uint32_t find_entry(const struct net_handoff_copy *copy, const struct kernel_nic *nic) {
  uint32_t i = 0;
  while(i < copy->head.nic_count && !kernel_nic_is(nic, &copy->nic[i])) {
    i++;
  }
  return i;
}

/* A copy of the table if it is good and speaks of this NIC, to be given back; too large for a kernel's stack. NULL
 * otherwise. */
static struct net_handoff_copy *learn(const struct net_platform *platform, const struct kernel_nic *nic,
                                      const void *table, size_t available, uint64_t physical, uint32_t *index) {
  struct net_handoff_copy *copy = table ? platform->alloc(platform->ctx, sizeof(*copy)) : NULL;
  if(copy && !net_handoff_validate(table, available, physical, copy)) {
    *index = find_entry(copy, nic);
    if(*index < copy->head.nic_count) {
      return copy;
    }
  }
  if(copy) {
    platform->free(platform->ctx, copy, sizeof(*copy));
  }
  return NULL;
}

bool kernel_handoff_bars(const struct net_platform *platform, const struct kernel_nic *nic, const void *table,
                         size_t available, uint64_t physical, uint64_t size[NET_HANDOFF_BARS]) {
  uint32_t index;
  struct net_handoff_copy *copy = learn(platform, nic, table, available, physical, &index);
  if(!copy) {
    return false;
  }
  for(uint32_t i = 0; i < NET_HANDOFF_BARS; i++) {
    size[i] = copy->nic[index].bar[i].size;
  }
  platform->free(platform->ctx, copy, sizeof(*copy));
  return true;
}

bool kernel_handoff_lease(const struct net_platform *platform, const struct kernel_nic *nic, const void *table,
                          size_t available, uint64_t physical, struct net_handoff_lease *lease,
                          char source[NET_HANDOFF_SOURCE_MAX]) {
  uint32_t index;
  *lease = (struct net_handoff_lease){0};
  source[0] = '\0';
  struct net_handoff_copy *copy = learn(platform, nic, table, available, physical, &index);
  if(!copy) {
    return false;
  }
  *lease = copy->nic[index].lease;
  memcpy(source, copy->source, NET_HANDOFF_SOURCE_MAX);
  source[NET_HANDOFF_SOURCE_MAX - 1U] = '\0';
  platform->free(platform->ctx, copy, sizeof(*copy));
  return true;
}

/* Why an entry in this state is not one to go on from; NULL for those that are. */
static const char *refuse_state(uint8_t state) {
  switch(state) {
  case NET_HANDOFF_QUIET:
  case NET_HANDOFF_LIVE:
    return NULL;
  case NET_HANDOFF_ADOPTED:
    return "handoff: another kernel has had this NIC";
  case NET_HANDOFF_LOST:
    return "handoff: withdrawn, or the firmware could not leave this NIC";
  default:
    return "handoff: the firmware's driver did not see boot services end";
  }
}

static int adopt_entry(const struct net_platform *platform, const struct kernel_nic *nic,
                       const struct net_handoff_copy *copy, uint32_t index, net_map map, struct netdev **out) {
  const struct net_handoff_nic *entry = &copy->nic[index];
  const struct net_device_id id = device_id(nic);
  const struct net_driver *driver = net_driver_find(&id, NULL);
  const char *problem = refuse_state(entry->state);
  if(!problem && entry->state == NET_HANDOFF_LIVE) {
    problem = kernel_nic_cut_off(nic, entry);
  }
  if(problem) {
    say(platform, NET_LOG_INFO, problem, entry->state);
    return NETDEV_E_EMPTY;
  }
  if(!driver || driver->handoff_kind == NET_HANDOFF_BLOCK_NONE || driver->handoff_kind != entry->block_kind) {
    say(platform, NET_LOG_INFO, "handoff: of a family that this kernel does not carry", entry->block_kind);
    return NETDEV_E_EMPTY;
  }
  return driver->adopt(platform, entry, copy->block[index], map, out);
}

/* NETDEV_E_EMPTY when the table does not speak of this NIC, or is not to be believed. */
static int adopt(const struct net_platform *platform, const struct kernel_nic *nic, void *table, size_t available,
                 uint64_t physical, net_map map, struct netdev **out) {
  /* Too large for a kernel's stack, and used once. */
  struct net_handoff_copy *copy = platform->alloc(platform->ctx, sizeof(*copy));
  if(!copy) {
    return NETDEV_E_NO_MEMORY;
  }
  const struct net_device_id id = device_id(nic);
  const struct net_driver *driver = net_driver_find(&id, NULL);
  int result = driver ? NETDEV_E_EMPTY : NETDEV_E_UNSUPPORTED;
  const char *problem = net_handoff_validate(table, available, physical, copy);
  uint32_t index = problem ? 0 : find_entry(copy, nic);
  if(problem) {
    say(platform, NET_LOG_WARN, "handoff: the table is not to be believed:", 0);
    say(platform, NET_LOG_WARN, problem, 0);
  } else if(index < copy->head.nic_count) {
    /* Before the first access to the device: there is no moment at which the entry is believed and wrong. */
    net_handoff_mark(table, &copy->head, index, NET_HANDOFF_ADOPTED);
    result = adopt_entry(platform, nic, copy, index, map, out);
  } else {
    say(platform, NET_LOG_INFO, "handoff: the table does not speak of this NIC at this place", copy->head.nic_count);
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

int kernel_nic_start(const struct net_platform *platform, const struct kernel_nic *nic, void *table, size_t available,
                     uint64_t physical, net_map map, const struct netdev_client *client, struct netdev **out,
                     enum kernel_nic_origin *origin) {
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
