/* info.c - netdiag info: everything about one NIC. */
#include "../netdiag.h"

#define PHY_REGISTERS 11U /* control to the gigabit status; the rest is vendor-specific */

struct info_options {
  struct nic_options nic;
  bool registers;
  bool nvm;
};

static const char *const phy_names[PHY_REGISTERS] = {
    "control",   "status",    "identifier 1",      "identifier 2",       "advertisement",     "partner ability",
    "expansion", "next page", "partner next page", "1000BASE-T control", "1000BASE-T status",
};

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
  for(UINT8 i = 0; i < PCI_BAR_COUNT; i++) {
    struct pci_bar bar;
    pci_get_bar(pci->pci_io, i, &bar);
    if(bar.type != PCI_BAR_NONE) {
      out("BAR %d         0x%lx, %ld bytes, %s%s%s\n", i, bar.base, bar.size, bar.type == PCI_BAR_IO ? "I/O" : "memory",
          bar.is_64bit             ? " 64-bit"
          : bar.type == PCI_BAR_IO ? ""
                                   : " 32-bit",
          bar.prefetchable ? " prefetchable" : "");
    }
  }
}

static void out_nvm(struct netdev *dev, bool all) {
  uint16_t sum;
  int result = e1000_nvm_checksum(dev, &sum);
  if(result != NETDEV_OK) {
    out("NVM           %s\n", netdev_strerror(result));
    return;
  }
  out("NVM           checksum 0x%04x: %s\n", sum, sum == E1000_NVM_CHECKSUM_SUM ? "good" : "BAD, should be 0xbaba");
  for(uint16_t word = 0; all && word < E1000_NVM_WORDS; word++) {
    uint16_t value = 0;
    (void)e1000_nvm_read(dev, word, &value);
    if(word % 8U == 0) {
      out("  %02x:", word);
    }
    out(" %04x%s", value, word % 8U == 7U ? "\n" : "");
  }
}

static void out_phy(struct netdev *dev, bool all) {
  uint16_t value[PHY_REGISTERS] = {0};
  for(uint32_t i = 0; i < PHY_REGISTERS; i++) {
    int result = e1000_phy_read(dev, i, &value[i]);
    if(result != NETDEV_OK && i < 4) {
      out("PHY           %s\n", netdev_strerror(result));
      return;
    }
  }
  out("PHY           id %04x:%04x, link %s, autonegotiation %s\n", value[2], value[3],
      value[1] & (1U << 2) ? "up" : "down",
      value[1] & (1U << 5) ? "complete" : "not run since power-on (QEMU starts so)");
  for(uint32_t i = 0; all && i < PHY_REGISTERS; i++) {
    out("  %02x: %04x  %s\n", i, value[i], phy_names[i]);
  }
}

static void out_registers(struct netdev *dev) {
  out("Registers (those that reading would change are left out; of arrays, what is not zero):\n");
  for(size_t i = 0; i < e1000_register_count; i++) {
    const struct e1000_register *reg = &e1000_registers[i];
    if(!e1000_has_register(dev, reg) || (reg->access != E1000_RW && reg->access != E1000_RO)) {
      continue;
    }
    for(uint32_t index = 0; index < reg->count; index++) {
      uint32_t value = e1000_register_read(dev, reg, index);
      uint32_t offset = reg->offset + index * reg->stride;
      if(reg->count == 1) {
        out("  %05x %-12s %08x  %s\n", offset, reg->name, value, reg->text);
      } else if(value != 0) {
        out("  %05x %s[%d] %08x\n", offset, reg->name, index, value);
      }
    }
  }
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct info_options *options = values;
  struct session session;
  char text[MAC_TEXT_SIZE];
  (void)words;
  (void)word_count;

  EFI_STATUS status = session_open(&session, &options->nic);
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
    struct netdev *dev = session.netdev;
    out("Name          %s (%s)\n", dev->model, dev->name);
    out_pci(&session.pci);
    out("MAC           %s\n", mac_text(dev->permanent_mac, text));
    out("Link          ");
    out_link(&dev->link);
    out("\n");
    out_phy(dev, options->registers);
    out_nvm(dev, options->nvm);
    if(options->registers) {
      out_registers(dev);
    }
  }
  EFI_STATUS closed = session_close(&session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"--registers", NULL, OPTION_FLAG, offsetof(struct info_options, registers), 0, 0,
     "dump the device's and the PHY's registers"},
    {"--nvm", NULL, OPTION_FLAG, offsetof(struct info_options, nvm), 0, 0, "dump the NVM"},
    NIC_OPTION_ROWS(struct info_options),
    {0},
};

const struct command command_info = {
    .name = "info",
    .summary = "everything about one NIC: PCI, BARs, MAC, link, PHY, NVM, registers",
    .arguments = "",
    .details = "A NIC that nobody holds is reset and started for it; one that e1000.efi drives is only looked at.",
    .options = option_rows,
    .values_size = sizeof(struct info_options),
    .run = run,
};
