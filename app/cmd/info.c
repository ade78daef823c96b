/* info.c - netdiag info: everything about one NIC. */
#include "../../driver/efi/binding.h"
#include "../doctor/checks.h"
#include "../session/lease.h"
#include "../session/stack.h"
#include "../netdiag.h"

#define RING_NAME_SIZE 16U
#define NARROW_NAME    12U
#define VALUE_COLUMN   14U
#define DETAIL_COLUMN  43U

struct info_options {
  struct nic_options nic;
  bool registers;
  bool nvm;
  bool json;
};

/* Addresses, or why there can be none. */
static void out_stack(const struct pci_nic *pci) {
  const char *problem = stack_problem(pci);
  lease_show(pci);
  if(problem) {
    out_hanging(VALUE_COLUMN, "Network stack %s\n", problem);
  }
}

static void out_pci(const struct pci_nic *pci) {
  out("Location      ");
  out_location(pci);
  out("\nDevice        %04x:%04x rev %02x, subsystem %04x:%04x, command 0x%04x\n", pci->vendor_id, pci->device_id,
      pci->revision_id, pci->subsystem_vendor_id, pci->subsystem_id, pci->command);
  out("Interrupt     ");
  if(pci->interrupt_pin) {
    out("INT%c#, line %d\n", 'A' + pci->interrupt_pin - 1, pci->interrupt_line);
  } else {
    out("no INTx pin\n");
  }
  struct pci_bar bars[PCI_BAR_COUNT];
  if(EFI_ERROR(pci_get_bars(pci->pci_io, bars))) {
    out("BARs          cannot be read\n");
  }
  for(UINT8 i = 0; i < PCI_BAR_COUNT; i++) {
    const struct pci_bar *bar = &bars[i];
    if(bar->type != PCI_BAR_NONE) {
      out("BAR %d         0x%jx, %ju bytes, %s%s%s\n", i, bar->base, bar->size,
          bar->type == PCI_BAR_IO ? "I/O" : "memory",
          bar->is_64bit             ? " 64-bit"
          : bar->type == PCI_BAR_IO ? ""
                                    : " 32-bit",
          bar->prefetchable ? " prefetchable" : "");
    }
  }
}

/* What the rows of a group have in common while they are printed. */
struct listing {
  bool all;
  uint32_t seen; /* rows */
};

static void out_nvm_row(void *ctx, const struct netdev_row *row) {
  struct listing *listing = ctx;
  listing->seen++;
  if(row->count == 1) {
    out("NVM           %s 0x%04x: %s\n", row->name, (uint32_t)row->value,
        row->failed  ? "cannot be read"
        : row->wrong ? "BAD, should be 0xbaba"
                     : "good");
  } else if(listing->all) {
    if(row->index % 8U == 0) {
      out("  %02x:", row->index);
    }
    out(" %04x%s", (uint32_t)row->value, row->index % 8U == 7U ? "\n" : "");
  }
}

/* Registers 0 to 3 say what it is and how the link stands (IEEE 802.3, 22.2.4). */
struct phy_listing {
  uint32_t value[4];
  bool seen;
  bool failed;
};

static void note_phy_row(void *ctx, const struct netdev_row *row) {
  struct phy_listing *phy = ctx;
  phy->seen = true;
  if(row->offset < 4) {
    phy->value[row->offset] = (uint32_t)row->value;
    phy->failed |= row->failed;
  }
}

static void out_phy_row(void *ctx, const struct netdev_row *row) {
  (void)ctx;
  out("  %02x: %04x  %s\n", row->offset, (uint32_t)row->value, row->text);
}

static void out_phy(struct netdev *dev, bool all) {
  struct phy_listing phy = {0};
  if(netdev_inspect(dev, NETDEV_ROWS_PHY, note_phy_row, &phy) != NETDEV_OK || !phy.seen) {
    return;
  }
  if(phy.failed) {
    out("PHY           %s\n", netdev_strerror(NETDEV_E_TIMEOUT));
    return;
  }
  out("PHY           id %04x:%04x, link %s, autonegotiation %s\n", phy.value[2], phy.value[3],
      phy.value[1] & (1U << 2) ? "up" : "down", phy.value[1] & (1U << 5) ? "complete" : "not complete");
  if(all) {
    (void)netdev_inspect(dev, NETDEV_ROWS_PHY, out_phy_row, NULL);
  }
}

/* Features and rings -------------------------------------------------------------------------------------------- */

/* "Features      MAC STATUS CTRL_VQ": what was agreed on. */
static void out_feature(void *ctx, const struct netdev_row *row) {
  struct listing *listing = ctx;
  if(row->unit == NETDEV_UNIT_BOOL && row->value) {
    out_hanging(VALUE_COLUMN, "%s%s", listing->seen++ == 0 ? "Features      " : " ", row->name);
  }
}

/* "Rings         rx 256, tx 256 descriptors": the first row of each says how many. */
static void out_ring_size(void *ctx, const struct netdev_row *row) {
  struct listing *listing = ctx;
  if(text_equal(row->text, "descriptors")) {
    char name[RING_NAME_SIZE];
    size_t length = 0;
    for(; length + 1 < sizeof(name) && row->name[length] && row->name[length] != '.'; length++) {
      name[length] = row->name[length];
    }
    name[length] = '\0';
    out("%s%s %ju", listing->seen++ == 0 ? "Rings         " : ", ", name, row->value);
  }
}

static void out_row(void *ctx, const struct netdev_row *row) {
  (void)ctx;
  if(row->count > 1) {
    return; /* 'netdiag rings' draws them */
  }
  if(row->unit == NETDEV_UNIT_BOOL) {
    out_hanging(DETAIL_COLUMN, "  %-20s %-18s  %s\n", row->name, row->value ? "yes" : "no", row->text);
  } else if(row->unit == NETDEV_UNIT_COUNT) {
    out_hanging(DETAIL_COLUMN, "  %-20s %-18ju  %s\n", row->name, row->value, row->text);
  } else {
    out_hanging(DETAIL_COLUMN, "  %-20s 0x%-16jx  %s\n", row->name, row->value, row->text);
  }
}

static void out_features_and_rings(struct netdev *dev, bool all) {
  struct listing features = {0};
  struct listing rings = {0};
  (void)netdev_inspect(dev, NETDEV_ROWS_FEATURES, out_feature, &features);
  out("%s", features.seen > 0 ? "\n" : "");
  (void)netdev_inspect(dev, NETDEV_ROWS_RINGS, out_ring_size, &rings);
  out("%s", rings.seen > 0 ? " descriptors\n" : "");
  if(all) {
    (void)netdev_inspect(dev, NETDEV_ROWS_FEATURES, out_row, NULL);
    (void)netdev_inspect(dev, NETDEV_ROWS_RINGS, out_row, NULL);
  }
}

/* Registers ------------------------------------------------------------------------------------------------------ */

/* Names are as wide as the family's longest needs, within two columns. */
struct columns {
  bool wide;
};

static void note_width(void *ctx, const struct netdev_row *row) {
  struct columns *columns = ctx;
  size_t length = 0;
  while(row->name[length]) {
    length++;
  }
  columns->wide |= length > NARROW_NAME && row->count == 1;
}

static void out_register(const struct netdev_row *row, bool wide) {
  uint32_t value = (uint32_t)row->value;
  out(wide ? "  %05x %-18s " : "  %05x %-12s ", row->offset, row->name);
  out(row->unit == NETDEV_UNIT_HEX8 ? "%02x      " : row->unit == NETDEV_UNIT_HEX16 ? "%04x    " : "%08x", value);
  out_hanging(wide ? 37 : 31, "  %s\n", row->text);
}

static void out_register_row(void *ctx, const struct netdev_row *row) {
  const struct columns *columns = ctx;
  if(row->unread) {
    return;
  }
  if(row->count == 1) {
    out_register(row, columns->wide);
  } else if(row->value != 0) {
    out("  %05x %s[%d] %08x\n", row->offset, row->name, row->index, (uint32_t)row->value);
  }
}

static void out_registers(struct netdev *dev) {
  out("Registers (those that reading would change are left out; of arrays, what is not zero):\n");
  struct columns columns = {0};
  (void)netdev_inspect(dev, NETDEV_ROWS_REGISTERS, note_width, &columns);
  (void)netdev_inspect(dev, NETDEV_ROWS_REGISTERS, out_register_row, &columns);
}

/* Document ------------------------------------------------------------------------------------------------------- */

static void report_pci(const struct pci_nic *pci) {
  report_which(pci);
  report_hex("revision_id", pci->revision_id, 2);
  report_hex("subsystem_vendor_id", pci->subsystem_vendor_id, 4);
  report_hex("subsystem_id", pci->subsystem_id, 4);
  report_hex("pci_command", pci->command, 4);
  if(pci->interrupt_pin) {
    const char pin[] = {'I', 'N', 'T', (char)('A' + pci->interrupt_pin - 1), '\0'};
    report_text("interrupt_pin", pin);
    report_u64("interrupt_line", pci->interrupt_line);
  } else {
    report_null("interrupt_pin");
  }
  struct pci_bar bars[PCI_BAR_COUNT];
  (void)pci_get_bars(pci->pci_io, bars); /* none, when it fails */
  report_array("bars");
  for(UINT8 i = 0; i < PCI_BAR_COUNT; i++) {
    const struct pci_bar *bar = &bars[i];
    if(bar->type != PCI_BAR_NONE) {
      report_row(NULL);
      report_u64("index", i);
      report_hex("base", bar->base, 8);
      report_u64("size", bar->size);
      report_text("space", bar->type == PCI_BAR_IO ? "io" : "memory");
      report_u64("bits", bar->is_64bit ? 64 : 32);
      report_bool("prefetchable", bar->prefetchable);
      report_end();
    }
  }
  report_end();
}

static void report_addresses(const struct pci_nic *pci) {
  report_array("addresses");
  lease_show(pci);
  report_end();
  report_text("stack_problem", stack_problem(pci));
}

static void report_sight(const struct pci_nic *pci, bool foreign) {
  struct nic_sight sight;
  session_look(pci, &sight);
  report_pci(pci);
  report_stranger(pci);
  report_seen(&sight);
  report_addresses(pci);
  if(foreign) {
    char holder[PCI_HOLDER_NAME_SIZE];
    pci_holder_name(pci_find_holder(pci->handle), holder, sizeof(holder));
    report_text("holder", holder);
  }
}

static void report_nvm_row(void *ctx, const struct netdev_row *row) {
  (void)ctx;
  if(row->count == 1) {
    report_row("nvm_checksum");
    report_hex("value", row->value, 4);
    report_bool("good", !row->failed && !row->wrong);
    report_end();
  }
}

static void report_device(const struct pci_nic *pci, struct netdev *dev, const struct info_options *options) {
  report_pci(pci);
  report_mac("mac", dev->permanent_mac);
  report_link("link", &dev->link);
  report_addresses(pci);
  (void)netdev_inspect(dev, NETDEV_ROWS_NVM, report_nvm_row, NULL);
  report_inspect("phy", dev, NETDEV_ROWS_PHY);
  report_inspect("features", dev, NETDEV_ROWS_FEATURES);
  report_inspect("rings", dev, NETDEV_ROWS_RINGS);
  if(options->nvm) {
    report_inspect("nvm", dev, NETDEV_ROWS_NVM);
  }
  if(options->registers) {
    report_inspect("registers", dev, NETDEV_ROWS_REGISTERS);
  }
}

/* Command -------------------------------------------------------------------------------------------------------- */

static void out_sight(const struct pci_nic *pci, bool foreign) {
  const char *model = pci_model_name(pci);
  struct doctor_stranger stranger;
  struct nic_sight sight;
  char mac[MAC_TEXT_SIZE];
  char name[NIC_NAME_SIZE];
  session_look(pci, &sight);
  (void)session_stranger(pci, &stranger);
  out("Name          %s (%s)\n", model ? model : stranger.name, nic_name(pci, name));
  out_pci(pci);
  out("MAC           %s\n", sight.has_mac ? mac_text(sight.mac, mac) : "not seen");
  out("Link          ");
  if(sight.has_speed) {
    out_link(&sight.link);
    out("\n");
  } else {
    out("%s\n", !sight.has_link ? "not seen" : sight.link.up ? "up" : "down");
  }
  out_stack(pci);
  if(foreign) {
    char holder[PCI_HOLDER_NAME_SIZE];
    pci_holder_name(pci_find_holder(pci->handle), holder, sizeof(holder));
    out("Held by       %s\n", holder);
  }
}

/* A NIC that is another driver's, or that no driver here knows: what shows without taking it. */
static EFI_STATUS look_only(const struct pci_nic *pci, bool foreign, bool wants_more) {
  if(report_is_json()) {
    report_sight(pci, foreign);
  } else {
    out_sight(pci, foreign);
  }
  if(!pci_model_name(pci)) {
    return session_not_known(pci);
  }
  if(wants_more) {
    return session_may_take(pci, false);
  }
  if(!report_is_json()) {
    out("PHY, NVM and registers are its driver's: --take takes the NIC for a moment.\n");
  }
  return EFI_SUCCESS;
}

static void out_device(const struct pci_nic *pci, struct netdev *dev, const struct info_options *options) {
  char text[MAC_TEXT_SIZE];
  char name[NIC_NAME_SIZE];
  out("Name          %s (%s)\n", dev->model, nic_name(pci, name));
  out_pci(pci);
  out("MAC           %s\n", mac_text(dev->permanent_mac, text));
  out("Link          ");
  out_link(&dev->link);
  out("\n");
  out_stack(pci);
  out_phy(dev, options->registers);
  struct listing nvm = {.all = options->nvm};
  (void)netdev_inspect(dev, NETDEV_ROWS_NVM, out_nvm_row, &nvm);
  if(options->nvm && nvm.seen == 0) {
    out("NVM           none\n");
  }
  out_features_and_rings(dev, options->registers);
  if(options->registers) {
    out_registers(dev);
  }
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct info_options *options = values;
  struct session session;
  struct pci_nic pci;
  (void)words;
  (void)word_count;

  EFI_STATUS status = session_choose(&options->nic, &pci);
  if(EFI_ERROR(status)) {
    return status;
  }
  bool foreign = pci_find_holder(pci.handle) && !remote_find(pci.handle) && !options->nic.take;
  if(foreign || !pci_model_name(&pci)) {
    return look_only(&pci, foreign, options->registers || options->nvm);
  }
  status = session_open(&session, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(!session.resident) {
    status = efi_nic_start(&session.nic);
  }
  if(EFI_ERROR(status)) {
    complain("cannot start the NIC: %s", status_text(status));
  } else {
    /* Without the lock: the heartbeat reads STATUS at the most, and printing takes longer than a ring lasts. */
    if(report_is_json()) {
      report_device(&session.pci, session.netdev, options);
    } else {
      out_device(&session.pci, session.netdev, options);
    }
  }
  EFI_STATUS closed = session_close(&session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"--registers", NULL, OPTION_FLAG, offsetof(struct info_options, registers), 0, 0,
     "dump registers, features and rings"},
    {"--nvm", NULL, OPTION_FLAG, offsetof(struct info_options, nvm), 0, 0, "dump the NVM"},
    NIC_OPTION_ROWS(struct info_options),
    JSON_OPTION_ROW(struct info_options),
    {0},
};

const struct command command_info = {
    .name = "info",
    .summary = "everything about one NIC: PCI, BARs, MAC, link, PHY, NVM, features, registers",
    .arguments = "",
    .details = "A NIC that nobody holds is reset and started for it; one under a resident driver of ours is only "
               "looked at; of one "
               "that another driver holds, what shows without taking it.",
    .examples = {"info -n eth1", "info --registers --json >a info.json"},
    .options = option_rows,
    .values_size = sizeof(struct info_options),
    .run = run,
};
