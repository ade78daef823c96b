/* e1000_selftest.c - does the hardware do what it should? Registers, NVM, PHY and link; frames in loopback. */
#include "e1000_hw.h"

#include <string.h>

#define LOOPBACK_TYPE      0x88B5U /* IEEE 802 local experimental 1: no parser on the way takes offence */
#define CAUSE_TRIES        3U
#define LOOPBACK_SETTLE_US 1000U
#define LOOPBACK_POLL_US   1000U
#define LOOPBACK_POLLS     100U
#define LOOPBACK_TRIES     30U /* a model of the device is deaf for a second after RCTL was written */

#define PHY_LOOPBACK       (1U << 14)
#define PHY_1000_FULL      0x0140U /* 1000 Mb/s, full duplex           */
#define PHY_M88_CONTROL    16U     /* M88 PHY specific control         */
#define PHY_M88_MDI_MANUAL 0x0808U /* no automatic crossover           */
#define CTRL_FORCE_1000_FD                                                                                             \
  (E1000_CTRL_FRCSPD | E1000_CTRL_FRCDPX | E1000_CTRL_SPEED_1000 | E1000_CTRL_FD | E1000_CTRL_SLU | E1000_CTRL_ILOS)
#define RCTL_LBM_MAC (1U << 6)

struct phy_state {
  uint16_t control;
  uint16_t m88_control;
};

static void report(struct netdev_selftest *test, const char *name, const char *section, bool passed, uint32_t value) {
  test->run++;
  test->failed += !passed;
  test->section = section;
  if(test->report) {
    test->report(test->ctx, name, passed, value);
  }
}

/* The same of a check that moves data between device and memory. */
static void report_dma(struct netdev_selftest *test, const char *name, const char *section, bool passed,
                       uint32_t value) {
  test->dma = true;
  report(test, name, section, passed, value);
  test->dma = false;
}

/* Standard ------------------------------------------------------------------------------------------------------- */

static uint32_t try_register(struct e1000 *nic, uint32_t offset) {
  static const uint32_t patterns[] = {0x5A5A5A5AU, 0xA5A5A5A5U, 0x00000000U, 0xFFFFFFFFU};
  uint32_t wrong = 0;
  for(size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
    e1000_write(nic, offset, patterns[p]);
    wrong += e1000_read(nic, offset) != patterns[p];
  }
  return wrong;
}

/* Registers that nothing looks at while VLAN filtering is off, so a running device does not notice. */
static void test_vlan_table(struct e1000 *nic, struct netdev_selftest *test) {
  uint32_t wrong = 0;
  uint32_t previous = 0;
  for(uint32_t i = 0; i < E1000_VFTA_COUNT; i++) {
    uint32_t offset = E1000_VFTA + 4U * i;
    uint32_t before = e1000_read(nic, offset);
    wrong += try_register(nic, offset);
    e1000_write_table(nic, E1000_VFTA, i, before, previous);
    previous = before;
  }
  report(test, "registers: VFTA holds what is written", "13.5.4", wrong == 0, wrong);
}

/* A part without that table has the address of pause frames, which nobody heeds here. */
static void test_pause_address(struct e1000 *nic, struct netdev_selftest *test) {
  uint32_t before = e1000_read(nic, E1000_FCAL);
  uint32_t wrong = try_register(nic, E1000_FCAL);
  e1000_write(nic, E1000_FCAL, before);
  report(test, "registers: FCAL holds what is written", "13.4.8", wrong == 0, wrong);
}

static void test_registers(struct e1000 *nic, struct netdev_selftest *test) {
  if(e1000_has_quirk(nic, E1000_QUIRK_NO_VFTA)) {
    test_pause_address(nic, test);
  } else {
    test_vlan_table(nic, test);
  }
  uint32_t status = e1000_read(nic, E1000_STATUS);
  e1000_write(nic, E1000_STATUS, 0);
  report(test, "registers: STATUS.LU is read-only", "13.4.2",
         status != UINT32_MAX && ((e1000_read(nic, E1000_STATUS) ^ status) & E1000_STATUS_LU) == 0, status);
}

static void test_nvm(struct e1000 *nic, struct netdev_selftest *test) {
  uint16_t sum = 0;
  int result = e1000_nvm_checksum(&nic->netdev, &sum);
  if(result == NETDEV_OK && e1000_nvm_is_unsummed(nic)) {
    report(test, "NVM: can be read; its maker left it without a checksum", "PCH", true, sum);
    return;
  }
  report(test, "NVM: words 0x00 to 0x3f add up to 0xbaba", "5.6.35",
         result == NETDEV_OK && sum == E1000_NVM_CHECKSUM_SUM, sum);
}

static void test_phy(struct e1000 *nic, struct netdev_selftest *test) {
  uint16_t id[2] = {0};
  bool answers =
      e1000_phy_read(&nic->netdev, 2, &id[0]) == NETDEV_OK && e1000_phy_read(&nic->netdev, 3, &id[1]) == NETDEV_OK;
  uint32_t value = (uint32_t)id[0] << 16 | id[1];
  report(test, "PHY: answers and has an identifier", "IEEE 802.3 22.2.4.3",
         answers && value != 0 && value != UINT32_MAX, value);
}

static void test_link(struct e1000 *nic, struct netdev_selftest *test) {
  uint32_t status = e1000_read(nic, E1000_STATUS);
  /* A cable that is not there is no fault of the hardware's. */
  report(test, e1000_decode_link(status).up ? "link: up" : "link: down, no cable?", "13.4.2", true, status);
}

/* A cause that is set shows, and is cleared by reading it; with everything masked nobody is interrupted. A real change
 * of the link may come in between, but not three times. */
static void test_cause(struct e1000 *nic, struct netdev_selftest *test) {
  bool shown = false;
  bool cleared = false;
  uint32_t value = 0;
  for(uint32_t i = 0; i < CAUSE_TRIES && !(shown && cleared); i++) {
    (void)e1000_read(nic, E1000_ICR);
    e1000_write(nic, E1000_ICS, E1000_CAUSE_LSC);
    value = e1000_read(nic, E1000_ICR);
    shown = value != UINT32_MAX && (value & E1000_CAUSE_LSC);
    cleared = !(e1000_read(nic, E1000_ICR) & E1000_CAUSE_LSC);
  }
  report(test, "interrupts: a cause shows, and reading clears it", "13.4.17", shown && cleared, value);
}

/* Loopback ------------------------------------------------------------------------------------------------------- */

/* M88 PHYs take new speed and loopback bits at a software reset only, and lose the automatic crossover first. IGP PHYs
 * take them at once. The 82574 loops in its MAC. */
static int enter_loopback(struct e1000 *nic) {
  static const struct {
    uint32_t reg;
    uint16_t value;
  } m88[] = {
      {PHY_M88_CONTROL, PHY_M88_MDI_MANUAL},
      {E1000_PHY_CONTROL, PHY_1000_FULL | E1000_PHY_CONTROL_AUTONEG | E1000_PHY_CONTROL_RESET},
      {E1000_PHY_CONTROL, PHY_1000_FULL | E1000_PHY_CONTROL_RESET},
      {E1000_PHY_CONTROL, PHY_1000_FULL | PHY_LOOPBACK},
  };
  const size_t steps = sizeof(m88) / sizeof(m88[0]);
  size_t first = nic->model->part->loopback == E1000_LOOPBACK_M88 ? 0 : steps - 1U; /* IGP: the last alone */
  if(nic->model->part->loopback == E1000_LOOPBACK_MAC) {
    nic->rctl |= RCTL_LBM_MAC;
    e1000_write(nic, E1000_RCTL, nic->rctl);
  } else {
    for(size_t i = first; i < steps; i++) {
      int result = e1000_phy_write(nic, m88[i].reg, m88[i].value);
      if(result != NETDEV_OK) {
        return result;
      }
    }
  }
  int result = e1000_modify(nic, E1000_CTRL, E1000_CTRL_SPEED_MASK, CTRL_FORCE_1000_FD);
  nic->platform->delay_us(nic->platform->ctx, LOOPBACK_SETTLE_US);
  return result;
}

/* The MAC's bits go back by the reset in netdev_close; the PHY's have to be put back by hand, and take effect at a
 * reset. */
static void leave_loopback(struct e1000 *nic, const struct phy_state *before) {
  if(nic->model->part->loopback == E1000_LOOPBACK_MAC) {
    nic->rctl &= ~RCTL_LBM_MAC;
    e1000_write(nic, E1000_RCTL, nic->rctl);
    return;
  }
  if(nic->model->part->loopback == E1000_LOOPBACK_M88) {
    (void)e1000_phy_write(nic, PHY_M88_CONTROL, before->m88_control);
  }
  (void)e1000_phy_write(nic, E1000_PHY_CONTROL, before->control | E1000_PHY_CONTROL_RESET);
  nic->platform->delay_us(nic->platform->ctx, LOOPBACK_SETTLE_US);
  if(before->control & E1000_PHY_CONTROL_AUTONEG) {
    (void)e1000_phy_write(nic, E1000_PHY_CONTROL, before->control | E1000_PHY_CONTROL_RESTART_AN);
  }
}

/* What is behind the header. The first has no two bytes in a row alike, and differs from try to try. */
enum pattern { PATTERN_COUNTING, PATTERN_ZEROES, PATTERN_ONES, PATTERN_TURNING, PATTERNS };

static uint8_t pattern_byte(enum pattern pattern, uint32_t seed, uint32_t i) {
  switch(pattern) {
  case PATTERN_ZEROES:
    return 0x00;
  case PATTERN_ONES:
    return 0xFF;
  case PATTERN_TURNING:
    return i & 1U ? 0xAA : 0x55;
  default:
    return (uint8_t)(seed + i * 7U);
  }
}

static void make_frame(const struct netdev *dev, uint8_t *frame, uint32_t length, enum pattern pattern, uint32_t seed) {
  memcpy(frame, dev->mac, NETDEV_MAC_LENGTH);
  memcpy(frame + NETDEV_MAC_LENGTH, dev->mac, NETDEV_MAC_LENGTH);
  frame[12] = (uint8_t)(LOOPBACK_TYPE >> 8);
  frame[13] = (uint8_t)LOOPBACK_TYPE;
  for(uint32_t i = NETDEV_HEADER_LENGTH; i < length; i++) {
    frame[i] = pattern_byte(pattern, seed, i);
  }
}

/* Looks at all that has arrived; true when the very frame is among it. */
static bool came_back(struct netdev *dev, const uint8_t *frame, uint32_t length) {
  struct netdev_frame received;
  bool found = false;
  while(!found && netdev_peek(dev, &received) == NETDEV_OK) {
    found = received.length == length && memcmp(received.data, frame, length) == 0;
    netdev_release(dev);
  }
  return found;
}

static bool send_around(struct netdev *dev, uint32_t length, enum pattern pattern, uint32_t tries) {
  uint8_t frame[NETDEV_MAX_FRAME];
  for(uint32_t i = 0; i < tries; i++) {
    make_frame(dev, frame, length, pattern, length + i);
    if(netdev_transmit(dev, frame, length, NULL, 0) != NETDEV_OK) {
      return false;
    }
    for(uint32_t poll = 0; poll < LOOPBACK_POLLS; poll++) {
      netdev_complete(dev);
      if(came_back(dev, frame, length)) {
        return true;
      }
      dev->platform->delay_us(dev->platform->ctx, LOOPBACK_POLL_US);
    }
  }
  return false;
}

/* What leave_loopback puts back. */
static int read_phy(struct e1000 *nic, struct phy_state *phy) {
  int result = e1000_phy_read(&nic->netdev, E1000_PHY_CONTROL, &phy->control);
  if(result == NETDEV_OK && nic->model->part->loopback == E1000_LOOPBACK_M88) {
    result = e1000_phy_read(&nic->netdev, PHY_M88_CONTROL, &phy->m88_control);
  }
  return result;
}

/* Each length in each pattern, until one does not come back. */
static void send_lengths(struct e1000 *nic, struct netdev_selftest *test) {
  static const struct {
    uint32_t length;
    const char *name;
  } rows[] = {
      {60, "loopback: frames of 60 bytes come back unchanged"},
      {64, "loopback: frames of 64 bytes come back unchanged"},
      {128, "loopback: frames of 128 bytes come back unchanged"},
      {511, "loopback: frames of 511 bytes come back unchanged"},
      {1024, "loopback: frames of 1024 bytes come back unchanged"},
      {1513, "loopback: frames of 1513 bytes come back unchanged"},
      {1514, "loopback: frames of 1514 bytes come back unchanged"},
  };
  bool sound = true;
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && sound; i++) {
    for(uint32_t pattern = 0; pattern < PATTERNS && sound; pattern++) {
      sound = send_around(&nic->netdev, rows[i].length, (enum pattern)pattern, LOOPBACK_TRIES);
    }
    report_dma(test, rows[i].name, "13.4.22", sound, sound ? 0 : rows[i].length);
  }
}

static void test_loopback(struct e1000 *nic, struct netdev_selftest *test) {
  struct phy_state phy = {0};
  int result = netdev_open(&nic->netdev);
  if(result == NETDEV_OK) {
    result = read_phy(nic, &phy);
  }
  if(result == NETDEV_OK) {
    result = enter_loopback(nic);
    if(result == NETDEV_OK) {
      send_lengths(nic, test);
    }
    leave_loopback(nic, &phy); /* also what was set up half-way */
  }
  if(result != NETDEV_OK) {
    report_dma(test, "loopback: can be set up", "13.4.22", false, (uint32_t)-result);
  }
  netdev_close(&nic->netdev);
}

/* Public --------------------------------------------------------------------------------------------------------- */

int e1000_selftest(struct netdev *dev, bool loopback, struct netdev_selftest *test) {
  struct e1000 *nic = (struct e1000 *)dev;
  test->run = 0;
  test->failed = 0;
  test->dma = false;
  test_registers(nic, test);
  test_nvm(nic, test);
  test_phy(nic, test);
  if(!nic->irq_enabled) { /* else the causes are the handler's */
    test_cause(nic, test);
  }
  test_link(nic, test);
  if(loopback && nic->model->part->loopback != E1000_LOOPBACK_NONE) {
    bool was_open = dev->state == NETDEV_OPEN;
    bool irq_enabled = nic->irq_enabled;
    netdev_close(dev);
    struct netdev_client client = dev->client;
    dev->client = (struct netdev_client){0};
    test_loopback(nic, test);
    dev->client = client;
    int result = was_open ? netdev_open(dev) : NETDEV_OK;
    if(irq_enabled && result == NETDEV_OK) {
      e1000_irq_program(nic);
    }
    return result;
  }
  return NETDEV_OK;
}
