/* handoff_show.c - netdiag handoff --show: the table that is published, decoded. */
#include "handoff_show.h"

#include "../../driver/efi/handoff_producer.h"
#include "../../driver/lib/bytes.h"
#include "../../driver/lib/sha256.h"
#include "../../driver/net/handoff.h"
#include "../netdiag.h"

/* Text ----------------------------------------------------------------------------------------------------------- */

static void out_block_row(void *ctx, const struct netdev_row *row) {
  (void)ctx;
  if(row->unit >= NETDEV_UNIT_HEX8 && row->unit <= NETDEV_UNIT_HEX64) {
    out("    %-14s 0x%jx %s\n", row->name, row->value, row->text);
  } else {
    out("    %-14s %ju %s\n", row->name, row->value, row->text);
  }
}

static void out_block(const struct net_handoff_nic *nic, const void *block) {
  const struct net_driver *family = net_handoff_family(nic->block_kind);
  out("  %s, %u bytes\n", family ? family->name : "of a family that is not known here", nic->block_size);
  if(family && family->handoff_show && nic->block_size >= family->handoff_size_min) {
    family->handoff_show(block, out_block_row, NULL);
  }
}

static void out_ip(const char *name, const UINT8 address[4]) {
  if(address[0] | address[1] | address[2] | address[3]) {
    out(" %s %u.%u.%u.%u", name, address[0], address[1], address[2], address[3]);
  }
}

static void out_lease(const struct net_handoff_lease *lease) {
  static const char *const origins[] = {"no address", "by DHCP:", "set by hand:", ""};
  out("  %s", origins[lease->origin <= NET_HANDOFF_LEASE_OTHER ? lease->origin : NET_HANDOFF_LEASE_OTHER]);
  out_ip("address", lease->address);
  out_ip("mask", lease->mask);
  out_ip("gateway", lease->gateway);
  out_ip("server", lease->server);
  out("\n");
  if(lease->dns[0][0] || lease->seconds) {
    out(" ");
    for(UINT32 i = 0; i < NET_HANDOFF_DNS_MAX; i++) {
      out_ip("DNS", lease->dns[i]);
    }
    if(lease->seconds) {
      out(" for %u s from %ju on", lease->seconds, lease->obtained);
    }
    out("\n");
  }
}

static void out_place(const struct net_handoff_nic *nic) {
  static const char *const states[] = {"?",      "armed, will be quiet", "armed, will be live", "quiet", "live", "lost",
                                       "adopted"};
  char mac[MAC_TEXT_SIZE];
  out("%04x:%02x:%02x.%x  %04x:%04x rev %02x (%04x:%04x)  %s\n", nic->pci_segment, nic->pci_bus, nic->pci_device,
      nic->pci_function, nic->vendor_id, nic->device_id, nic->revision_id, nic->subsystem_vendor_id, nic->subsystem_id,
      mac_text(nic->current_mac, mac));
  out("  %s; INT%c# line %u, MSI at 0x%02x, MSI-X at 0x%02x\n", states[nic->state],
      nic->interrupt_pin ? 'A' + nic->interrupt_pin - 1 : '-', nic->interrupt_line, nic->msi_capability,
      nic->msix_capability);
  out("  path");
  for(UINT32 i = 0; i < nic->path_count; i++) {
    out(" %02x:%02x.%x", nic->path[i].bus, nic->path[i].device, nic->path[i].function);
  }
  out("%s%s%s%s%s\n",
      nic->path_count > 0                   ? ""
      : nic->flags & NET_HANDOFF_PATH_KNOWN ? " on the root bus"
                                            : " not known",
      nic->flags & NET_HANDOFF_COHERENT ? ", coherent" : "", nic->flags & NET_HANDOFF_REMAPPED ? ", DMA remapped" : "",
      nic->flags & NET_HANDOFF_IDENTITY ? ", identity" : "", nic->flags & NET_HANDOFF_ASPM_OFF ? ", ASPM off" : "");
}

static void out_nic(const struct net_handoff_nic *nic, const void *block) {
  char mac[MAC_TEXT_SIZE];
  const struct net_handoff_statistics *statistics = &nic->statistics;
  const struct netdev_link link = {nic->link_up, nic->full_duplex, (uint16_t)nic->speed_mbps};
  out_place(nic);
  for(UINT32 i = 0; i < NET_HANDOFF_BARS; i++) {
    const struct net_handoff_bar *bar = &nic->bar[i];
    if(bar->size > 0) {
      out("  BAR %u at 0x%jx (bus 0x%jx), %ju bytes, %s\n", i, bar->processor, bar->bus, bar->size,
          bar->flags & NET_HANDOFF_BAR_IO ? "I/O" : "memory");
    }
  }
  out("  permanent MAC %s, link ", mac_text(nic->permanent_mac, mac));
  out_link(&link);
  out("\n  filter 0x%02x, %u multicast addresses\n", nic->filter, nic->multicast_count);
  out_block(nic, block);
  out_lease(&nic->lease);
  out("  received %ju frames, %ju bytes, %ju errors, %ju missed\n", statistics->rx_frames, statistics->rx_bytes,
      statistics->rx_errors, statistics->rx_missed);
  out("  sent %ju frames, %ju bytes, %ju errors\n", statistics->tx_frames, statistics->tx_bytes, statistics->tx_errors);
}

/* Document ------------------------------------------------------------------------------------------------------- */

static const char *const state_names[] = {"unknown", "armed_quiet", "armed_live", "quiet", "live", "lost", "adopted"};

static void report_block_row(void *ctx, const struct netdev_row *row) {
  (void)ctx;
  report_inspected(row);
}

static void report_block(const struct net_handoff_nic *nic, const void *block) {
  const struct net_driver *family = net_handoff_family(nic->block_kind);
  report_object("block");
  report_text("family", family ? family->name : NULL);
  report_u64("size", nic->block_size);
  report_array("rows");
  if(family && family->handoff_show && nic->block_size >= family->handoff_size_min) {
    family->handoff_show(block, report_block_row, NULL);
  }
  report_end();
  report_end();
}

static void report_ip(const char *key, const UINT8 *address) {
  if(address[0] | address[1] | address[2] | address[3]) {
    report_ipv4(key, get32(address));
  }
}

static void report_handed_lease(const struct net_handoff_lease *lease) {
  static const char *const origins[] = {"none", "dhcp", "static", "other"};
  report_row("lease");
  report_text("origin", origins[lease->origin <= NET_HANDOFF_LEASE_OTHER ? lease->origin : NET_HANDOFF_LEASE_OTHER]);
  report_ip("address", lease->address);
  report_ip("mask", lease->mask);
  report_ip("gateway", lease->gateway);
  report_ip("server", lease->server);
  report_list("dns");
  for(UINT32 i = 0; i < NET_HANDOFF_DNS_MAX; i++) {
    report_ip(NULL, lease->dns[i]);
  }
  report_end();
  report_u64("seconds", lease->seconds);
  report_u64("obtained", lease->obtained);
  report_end();
}

static void report_bars(const struct net_handoff_nic *nic) {
  report_array("bars");
  for(UINT32 i = 0; i < NET_HANDOFF_BARS; i++) {
    const struct net_handoff_bar *bar = &nic->bar[i];
    if(bar->size > 0) {
      report_row(NULL);
      report_u64("index", i);
      report_hex("processor", bar->processor, 8);
      report_hex("bus", bar->bus, 8);
      report_u64("size", bar->size);
      report_text("space", bar->flags & NET_HANDOFF_BAR_IO ? "io" : "memory");
      report_end();
    }
  }
  report_end();
}

static void report_location(const char *key, uint32_t segment, uint32_t bus, uint32_t device, uint32_t function) {
  char text[LOCATION_TEXT_SIZE];
  const struct pci_nic pci = {.segment = segment, .bus = bus, .device = device, .function = function};
  report_text(key, location_text(&pci, text));
}

static void report_handed(const struct net_handoff_nic *nic, const void *block) {
  const struct net_handoff_statistics *statistics = &nic->statistics;
  const struct netdev_link link = {nic->link_up, nic->full_duplex, (uint16_t)nic->speed_mbps};
  report_object(NULL);
  report_location("location", nic->pci_segment, nic->pci_bus, nic->pci_device, nic->pci_function);
  report_hex("vendor_id", nic->vendor_id, 4);
  report_hex("device_id", nic->device_id, 4);
  report_text("state", state_names[nic->state]);
  report_mac("mac", nic->current_mac);
  report_mac("permanent_mac", nic->permanent_mac);
  report_link("link", &link);
  report_hex("flags", nic->flags, 8);
  report_hex("filter", nic->filter, 2);
  report_u64("multicast_addresses", nic->multicast_count);
  report_array("path");
  for(UINT32 i = 0; i < nic->path_count; i++) {
    report_location(NULL, nic->pci_segment, nic->path[i].bus, nic->path[i].device, nic->path[i].function);
  }
  report_end();
  report_bars(nic);
  report_handed_lease(&nic->lease);
  report_row("statistics");
  report_u64("rx_frames", statistics->rx_frames);
  report_u64("rx_bytes", statistics->rx_bytes);
  report_u64("rx_errors", statistics->rx_errors);
  report_u64("rx_missed", statistics->rx_missed);
  report_u64("tx_frames", statistics->tx_frames);
  report_u64("tx_bytes", statistics->tx_bytes);
  report_u64("tx_errors", statistics->tx_errors);
  report_end();
  report_block(nic, block);
  report_end();
}

static void report_table(const struct net_handoff_copy *copy) {
  report_u64("version_major", copy->head.version_major);
  report_u64("version_minor", copy->head.version_minor);
  report_u64("size", copy->head.size);
  report_hex("crc32", copy->head.crc32, 8);
  report_array("nics");
  for(UINT32 i = 0; i < copy->head.nic_count; i++) {
    report_handed(&copy->nic[i], copy->block[i]);
  }
  report_end();
  report_array("payloads");
  for(UINT32 i = 0; i < copy->head.payload_count; i++) {
    char hash[SHA256_TEXT_SIZE];
    report_row(NULL);
    report_text("name", copy->payload[i].name);
    report_hex("physical", copy->payload[i].physical, 8);
    report_u64("size", copy->payload[i].size);
    report_text("sha256", sha256_text(copy->payload[i].sha256, hash));
    report_end();
  }
  report_end();
  report_text("source", copy->head.source_size > 0 ? copy->source : NULL);
}

/* Command -------------------------------------------------------------------------------------------------------- */

static void out_table(const void *table, const struct net_handoff_copy *copy) {
  out("Handoff table at 0x%jx, version %u.%u, %u bytes, crc 0x%08x: valid\n", (UINT64)(UINTN)table,
      copy->head.version_major, copy->head.version_minor, copy->head.size, copy->head.crc32);
  for(UINT32 i = 0; i < copy->head.nic_count; i++) {
    out_nic(&copy->nic[i], copy->block[i]);
    if(copy->nic[i].state == NET_HANDOFF_ARMED_QUIET || copy->nic[i].state == NET_HANDOFF_ARMED_LIVE) {
      out("  (as of when it was asked for; at ExitBootServices rings, link and counts are filled in anew)\n");
    }
  }
  for(UINT32 i = 0; i < copy->head.payload_count; i++) {
    char hash[SHA256_TEXT_SIZE];
    out("payload %s at 0x%jx, %ju bytes\n", copy->payload[i].name, copy->payload[i].physical, copy->payload[i].size);
    out("  SHA-256 %s\n", sha256_text(copy->payload[i].sha256, hash));
  }
  if(copy->head.source_size > 0) {
    out("booted from %s\n", copy->source);
  }
}

/* Nothing of a table is used before all of it was judged: it may be anybody's. */
EFI_STATUS handoff_show(void) {
  static struct net_handoff_copy copy;
  const void *table = handoff_find();
  if(!table) {
    if(report_is_json()) {
      complain("no handoff is published");
    } else {
      out("No handoff is published.\n");
    }
    return EFI_NOT_FOUND;
  }
  const char *problem = net_handoff_validate(table, NET_HANDOFF_MAX_SIZE, (UINT64)(UINTN)table, &copy);
  if(problem) {
    if(report_is_json()) {
      complain("handoff table at 0x%jx: %s", (UINT64)(UINTN)table, problem);
    } else {
      out("Handoff table at 0x%jx: %s\n", (UINT64)(UINTN)table, problem);
    }
    return EFI_COMPROMISED_DATA;
  }
  if(report_is_json()) {
    report_hex("table", (UINT64)(UINTN)table, 8);
    report_table(&copy);
  } else {
    out_table(table, &copy);
  }
  return EFI_SUCCESS;
}
