/* netdev.c - the device-independent half: list of devices, state and argument checks. The datapath is netdev_data.c. */
#include "netdev.h"

#include <string.h>

#define NETDEV_MAX_DEVICES 1000U /* "eth999" fits netdev.name */

/* What a close waits for frames that were accepted: a full ring of the longest takes 0.3 s at 10 Mb/s. */
#define NETDEV_DRAIN_STEP_US  50U
#define NETDEV_DRAIN_EAGER_US 1000U /* after the last that finished; then in steps of: */
#define NETDEV_DRAIN_LAZY_US  500U
#define NETDEV_DRAIN_IDLE_US  500000U  /* with none finished */
#define NETDEV_DRAIN_MAX_US   2000000U /* in all             */

/* So long a device is left alone that may have been told to reset itself just now. Longer than any that is known. */
#define NETDEV_SETTLE_US 100000U

static struct netdev *first_device;

bool netdev_mac_valid(const uint8_t mac[NETDEV_MAC_LENGTH]) {
  static const uint8_t zero[NETDEV_MAC_LENGTH];
  return !(mac[0] & 1U) && memcmp(mac, zero, NETDEV_MAC_LENGTH) != 0;
}

void netdev_init(struct netdev *dev, const struct net_platform *platform, const struct netdev_ops *ops,
                 const char *model, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  dev->platform = platform;
  dev->ops = ops;
  dev->model = model;
  dev->state = NETDEV_CLOSED;
  dev->filter = NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST;
  memcpy(dev->permanent_mac, mac, NETDEV_MAC_LENGTH);
  memcpy(dev->mac, mac, NETDEV_MAC_LENGTH);
}

void netdev_gone(struct netdev *dev) {
  dev->state = NETDEV_GONE;
  netdev_link_seen(dev, (struct netdev_link){0});
}

void netdev_link_seen(struct netdev *dev, struct netdev_link link) {
  if(link.up == dev->link.up && link.full_duplex == dev->link.full_duplex && link.speed_mbps == dev->link.speed_mbps) {
    return;
  }
  dev->link = link;
  dev->stats.link_changes++;
  if(dev->client.link_changed) {
    dev->client.link_changed(dev->client.ctx, &dev->link);
  }
}

/* List of devices ------------------------------------------------------------------------------------------------ */

static struct netdev **find_link(const struct netdev *dev) {
  struct netdev **link = &first_device;
  while(*link && *link != dev) {
    link = &(*link)->next;
  }
  return link;
}

static void make_name(char name[8], uint32_t number) {
  _Static_assert(NETDEV_MAX_DEVICES <= 1000U, "three digits");
  size_t length = 3;
  memcpy(name, "eth", length);
  if(number >= 100U) {
    name[length++] = (char)('0' + number / 100U % 10U);
  }
  if(number >= 10U) {
    name[length++] = (char)('0' + number / 10U % 10U);
  }
  name[length++] = (char)('0' + number % 10U);
  name[length] = '\0';
}

static bool name_taken(const char *name) {
  for(const struct netdev *dev = first_device; dev; dev = dev->next) {
    if(memcmp(dev->name, name, sizeof(dev->name)) == 0) {
      return true;
    }
  }
  return false;
}

int netdev_register(struct netdev *dev) {
  if(!dev || !dev->ops || *find_link(dev)) {
    return NETDEV_E_INVALID;
  }
  for(uint32_t number = 0; number < NETDEV_MAX_DEVICES; number++) {
    char name[sizeof(dev->name)] = {0};
    make_name(name, number);
    if(!name_taken(name)) {
      memcpy(dev->name, name, sizeof(dev->name));
      dev->next = NULL;
      *find_link(NULL) = dev;
      return NETDEV_OK;
    }
  }
  return NETDEV_E_NO_MEMORY;
}

void netdev_unregister(struct netdev *dev) {
  netdev_close(dev);
  struct netdev **link = find_link(dev);
  if(*link) {
    *link = dev->next;
    dev->next = NULL;
    memset(dev->name, 0, sizeof(dev->name));
  }
}

struct netdev *netdev_next(const struct netdev *previous) {
  return previous ? previous->next : first_device;
}

/* Open and close ------------------------------------------------------------------------------------------------- */

static bool has_client(const struct netdev *dev) {
  return dev->client.tx_done || dev->client.receive || dev->client.link_changed;
}

int netdev_set_client(struct netdev *dev, const struct netdev_client *client) {
  if(dev->state == NETDEV_GONE || (dev->state == NETDEV_OPEN && has_client(dev))) {
    return NETDEV_E_STATE;
  }
  dev->client = client ? *client : (struct netdev_client){0};
  if(dev->state == NETDEV_OPEN && dev->link.up && dev->client.link_changed) {
    dev->client.link_changed(dev->client.ctx, &dev->link);
  }
  return NETDEV_OK;
}

int netdev_open(struct netdev *dev) {
  if(dev->state != NETDEV_CLOSED) {
    return NETDEV_E_STATE;
  }
  int result = dev->ops->open(dev);
  if(result == NETDEV_OK) {
    dev->state = NETDEV_OPEN;
  }
  return result;
}

/* Sends what was accepted. Bounded by the clock, and by count in case that stands still. */
static void drain(struct netdev *dev) {
  const struct net_platform *platform = dev->platform;
  uint64_t start = platform->now_us(platform->ctx);
  uint64_t now = start;
  uint64_t finished = start;
  uint32_t steps = NETDEV_DRAIN_MAX_US / NETDEV_DRAIN_STEP_US;
  dev->ops->flush(dev);
  (void)dev->ops->complete(dev);
  while(dev->ops->tx_waiting(dev) > 0 && now - finished < NETDEV_DRAIN_IDLE_US && now - start < NETDEV_DRAIN_MAX_US &&
        steps-- > 0) {
    bool eager = now - finished < NETDEV_DRAIN_EAGER_US;
    platform->delay_us(platform->ctx, eager ? NETDEV_DRAIN_STEP_US : NETDEV_DRAIN_LAZY_US);
    now = platform->now_us(platform->ctx);
    if(dev->ops->complete(dev) > 0) {
      finished = now;
    }
  }
}

void netdev_close(struct netdev *dev) {
  if(dev->state != NETDEV_CLOSED) {
    bool gone = dev->state == NETDEV_GONE;
    /* First, so that a callback that wants to send something more is refused. */
    dev->state = NETDEV_CLOSED;
    if(!gone && dev->ops->tx_waiting) {
      drain(dev);
    }
    dev->ops->close(dev, gone);
    dev->link = (struct netdev_link){0};
  }
}

void netdev_destroy(struct netdev *dev) {
  if(dev) {
    netdev_unregister(dev);
    dev->ops->destroy(dev);
  }
}

void netdev_quiesce(struct netdev *dev) {
  if(dev->state != NETDEV_GONE) {
    dev->ops->quiesce(dev);
  }
}

/* An open programs everything that a call may have left half done, in memory and in the device. */
int netdev_panic(struct netdev *dev, bool interrupted) {
  dev->client = (struct netdev_client){0};
  dev->taps = NULL;
  if(interrupted && dev->state != NETDEV_GONE) {
    dev->platform->delay_us(dev->platform->ctx, NETDEV_SETTLE_US);
    dev->state = NETDEV_CLOSED;
    dev->filter = NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST; /* a list may be half written */
    dev->multicast_count = 0;
    int result = netdev_open(dev);
    if(result != NETDEV_OK) {
      return result;
    }
  }
  int result = netdev_require_open(dev);
  if(result == NETDEV_OK) {
    netdev_irq_disable(dev);
  }
  return result;
}

void netdev_handoff_export(struct netdev *dev, struct net_handoff_nic *nic, void *block) {
  dev->ops->handoff_export(dev, nic, block);
}

bool netdev_handoff_leave(struct netdev *dev, bool live, struct net_handoff_nic *nic, void *block) {
  return dev->state != NETDEV_GONE && dev->ops->handoff_leave(dev, live, nic, block);
}

/* Taps ----------------------------------------------------------------------------------------------------------- */

static struct netdev_tap **find_tap(struct netdev *dev, const struct netdev_tap *tap) {
  struct netdev_tap **link = &dev->taps;
  while(*link && *link != tap) {
    link = &(*link)->next;
  }
  return link;
}

void netdev_tap_add(struct netdev *dev, struct netdev_tap *tap) {
  struct netdev_tap **link = find_tap(dev, tap);
  if(!*link) {
    tap->next = NULL;
    *link = tap;
  }
}

void netdev_tap_remove(struct netdev *dev, struct netdev_tap *tap) {
  struct netdev_tap **link = find_tap(dev, tap);
  if(*link) {
    *link = tap->next;
  }
}

/* Configuration -------------------------------------------------------------------------------------------------- */

int netdev_set_mac(struct netdev *dev, const uint8_t *mac) {
  uint8_t wanted[NETDEV_MAC_LENGTH];
  memcpy(wanted, mac ? mac : dev->permanent_mac, sizeof(wanted));
  if(!netdev_mac_valid(wanted)) {
    return NETDEV_E_INVALID;
  }
  if(dev->state == NETDEV_GONE) {
    return NETDEV_E_GONE;
  }
  if(dev->state == NETDEV_OPEN && memcmp(dev->mac, wanted, sizeof(wanted)) != 0) {
    int result = dev->ops->set_mac(dev, wanted);
    if(result != NETDEV_OK) {
      return result;
    }
  }
  memcpy(dev->mac, wanted, sizeof(wanted));
  return NETDEV_OK;
}

int netdev_set_filter(struct netdev *dev, uint32_t flags, const uint8_t (*multicast)[NETDEV_MAC_LENGTH],
                      uint32_t count) {
  uint32_t known = NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST | NETDEV_FILTER_BROADCAST |
                   NETDEV_FILTER_PROMISCUOUS | NETDEV_FILTER_ALL_MULTICAST;
  if((flags & ~known) || count > NETDEV_MAX_MULTICAST || (count > 0 && !multicast)) {
    return NETDEV_E_INVALID;
  }
  for(uint32_t i = 0; i < count; i++) {
    if(!(multicast[i][0] & 1U)) {
      return NETDEV_E_INVALID;
    }
  }
  if(dev->state == NETDEV_GONE) {
    return NETDEV_E_GONE;
  }
  dev->filter = flags;
  dev->multicast_count = count;
  if(count > 0) {
    memcpy(dev->multicast, multicast, (size_t)count * NETDEV_MAC_LENGTH);
  }
  return dev->state == NETDEV_OPEN ? dev->ops->set_filter(dev) : NETDEV_OK;
}

/* Statistics and heartbeat --------------------------------------------------------------------------------------- */

const struct netdev_stats *netdev_get_stats(struct netdev *dev) {
  if(dev->state == NETDEV_OPEN) {
    dev->ops->update_stats(dev);
  }
  dev->stats.rx_errors = dev->stats.rx_device_errors + dev->stats.rx_length_errors + dev->stats.rx_split_errors;
  return &dev->stats;
}

int netdev_tick(struct netdev *dev) {
  int result = netdev_require_open(dev);
  if(result == NETDEV_OK) {
    result = dev->ops->tick(dev);
  }
  if(result == NETDEV_E_GONE && dev->state == NETDEV_OPEN) {
    netdev_gone(dev);
  }
  return result;
}

/* Optional operations -------------------------------------------------------------------------------------------- */

int netdev_irq_enable(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second) {
  if(!dev->ops->irq_enable) {
    return NETDEV_E_UNSUPPORTED;
  }
  int result = netdev_require_open(dev);
  return result == NETDEV_OK ? dev->ops->irq_enable(dev, mode, max_per_second) : result;
}

/* No look at the state: an interrupt that comes while the device is being closed must be taken off the line. */
bool netdev_irq_handle(struct netdev *dev) {
  return dev->ops->irq_handle && dev->ops->irq_handle(dev);
}

bool netdev_irq_rearm(struct netdev *dev) {
  return dev->ops->irq_rearm && dev->state == NETDEV_OPEN && dev->ops->irq_rearm(dev);
}

void netdev_irq_disable(struct netdev *dev) {
  if(dev->ops->irq_disable) {
    dev->ops->irq_disable(dev);
  }
}

int netdev_selftest(struct netdev *dev, bool loopback, struct netdev_selftest *test) {
  if(!dev->ops->selftest) {
    return NETDEV_E_UNSUPPORTED;
  }
  return dev->state == NETDEV_GONE ? NETDEV_E_GONE : dev->ops->selftest(dev, loopback, test);
}

int netdev_identify(struct netdev *dev, bool on) {
  if(!dev->ops->identify) {
    return NETDEV_E_UNSUPPORTED;
  }
  return dev->state == NETDEV_GONE ? NETDEV_E_GONE : dev->ops->identify(dev, on);
}

int netdev_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx) {
  uint32_t known = NETDEV_ROWS_REGISTERS | NETDEV_ROWS_PHY | NETDEV_ROWS_NVM | NETDEV_ROWS_COUNTERS |
                   NETDEV_ROWS_RINGS | NETDEV_ROWS_FEATURES | NETDEV_ROWS_CLEARING;
  if((groups & ~known) || !visitor) {
    return NETDEV_E_INVALID;
  }
  if(!dev->ops->inspect) {
    return NETDEV_E_UNSUPPORTED;
  }
  return dev->state == NETDEV_GONE ? NETDEV_E_GONE : dev->ops->inspect(dev, groups, visitor, ctx);
}

int netdev_nvm_read(struct netdev *dev, uint32_t word, uint16_t *value) {
  if(!dev->ops->nvm_read) {
    return NETDEV_E_UNSUPPORTED;
  }
  return dev->state == NETDEV_GONE ? NETDEV_E_GONE : dev->ops->nvm_read(dev, word, value);
}

const char *netdev_strerror(int result) {
  static const char *const text[] = {
      "success",
      "invalid argument",
      "out of memory",
      "the transmit ring is full",
      "no frame is waiting",
      "the buffer is too small for the frame",
      "the device did not answer in time",
      "the device has gone from the bus",
      "the NVM cannot be read",
      "the device has no usable MAC address",
      "the device is not in the right state",
      "not supported",
      "cancelled: the device was closed",
      "lost in a reset of the device",
  };
  const long index = -(long)result;
  return result <= 0 && (size_t)index < sizeof(text) / sizeof(text[0]) ? text[index] : "unknown error";
}
