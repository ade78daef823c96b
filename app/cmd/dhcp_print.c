/* dhcp_print.c - a DHCP answer as lines of text, or as members of the JSON object that is open. */
#include "dhcp_print.h"

#include "../../driver/lib/bytes.h"

#define LABEL_HANG 18U
#define DUMP_BYTES 16U /* of an option that are shown in a line */

/* One fact: a line of text with its label, or a member. */
static void put_text(const char *label, const char *key, const char *text) {
  if(report_is_json()) {
    report_text(key, text);
  } else {
    out_hanging(LABEL_HANG, "  %-15s %s\n", label, text);
  }
}

static void put_present_text(const char *label, const char *key, const char *text) {
  if(text[0]) {
    put_text(label, key, text);
  }
}

static void put_ipv4(const char *label, const char *key, uint32_t address) {
  char text[IPV4_TEXT_SIZE];
  if(report_is_json()) {
    report_ipv4(key, address);
  } else if(address) {
    out("  %-15s %s\n", label, ipv4_text(address, text));
  }
}

static void put_list(const char *label, const char *key, const struct dhcp_addresses *list) {
  char text[IPV4_TEXT_SIZE];
  if(report_is_json()) {
    report_list(key);
    for(uint32_t i = 0; i < list->count; i++) {
      report_ipv4(NULL, list->at[i]);
    }
    report_end();
    return;
  }
  if(list->count > 0) {
    out("  %-15s ", label);
    for(uint32_t i = 0; i < list->count; i++) {
      out("%s%s", i > 0 ? ", " : "", ipv4_text(list->at[i], text));
    }
    out("\n");
  }
}

static void put_address(const struct dhcp_offer *offer) {
  char address[IPV4_TEXT_SIZE];
  char mask[IPV4_TEXT_SIZE];
  if(report_is_json()) {
    report_ipv4("address", offer->address);
    report_ipv4("mask", offer->mask);
  } else if(offer->address) {
    out("  %-15s %s, %s%s\n", "address", ipv4_text(offer->address, address), offer->mask ? "mask " : "no mask",
        offer->mask ? ipv4_text(offer->mask, mask) : "");
  } else {
    out("  %-15s none\n", "address");
  }
}

static void put_lease(const struct dhcp_offer *offer) {
  if(report_is_json()) {
    if(offer->has_lease) {
      report_u64("lease_s", offer->lease_s);
    } else {
      report_null("lease_s");
    }
    report_u64("renew_s", offer->renew_s);
    report_u64("rebind_s", offer->rebind_s);
  } else if(offer->has_lease && offer->lease_s == UINT32_MAX) {
    out("  %-15s for ever\n", "lease");
  } else if(offer->has_lease) {
    out("  %-15s %u s", "lease", offer->lease_s);
    if(offer->renew_s) {
      out(", renewed after %u s", offer->renew_s);
    }
    if(offer->rebind_s) {
      out(", of any server after %u s", offer->rebind_s);
    }
    out("\n");
  }
}

static void put_boot(const struct dhcp_offer *offer) {
  put_ipv4("next server", "next_server", offer->siaddr);
  put_present_text("server name", "server_name", offer->server_name);
  if(report_is_json()) {
    report_text("boot_file", offer->boot_file);
    report_bool("boot_file_in_option", offer->file_in_option);
  } else if(offer->boot_file[0]) {
    out_hanging(LABEL_HANG, "  %-15s %s (%s)\n", "boot file", offer->boot_file,
                offer->file_in_option ? "option 67" : "field 'file'");
  } else {
    out("  %-15s none\n", "boot file");
  }
  if(offer->has_file_size) {
    if(report_is_json()) {
      report_u64("boot_file_blocks", offer->file_blocks);
    } else {
      out("  %-15s %u blocks of 512 bytes\n", "file size", offer->file_blocks);
    }
  }
}

static void put_arch(const struct dhcp_offer *offer) {
  const char *text = dhcp_arch_text(offer->arch);
  if(!offer->has_arch) {
    return;
  }
  if(report_is_json()) {
    report_u64("architecture", offer->arch);
  } else {
    out("  %-15s %u%s%s%s\n", "architecture", offer->arch, text ? " (" : "", text ? text : "", text ? ")" : "");
  }
}

static void put_pxe_servers(const struct dhcp_pxe *pxe) {
  char text[IPV4_TEXT_SIZE];
  report_array("servers");
  for(uint32_t i = 0; i < pxe->server_count; i++) {
    if(report_is_json()) {
      report_row(NULL);
      report_u64("type", pxe->servers[i].type);
      put_list("", "addresses", &pxe->servers[i].addresses);
      report_end();
      continue;
    }
    out("  %-15s type %u:", "boot server", pxe->servers[i].type);
    for(uint32_t n = 0; n < pxe->servers[i].addresses.count; n++) {
      out(" %s", ipv4_text(pxe->servers[i].addresses.at[n], text));
    }
    out("\n");
  }
  report_end();
}

static void put_pxe_menu(const struct dhcp_pxe *pxe) {
  report_array("menu");
  for(uint32_t i = 0; i < pxe->menu_count; i++) {
    if(report_is_json()) {
      report_row(NULL);
      report_u64("type", pxe->menu[i].type);
      report_text("text", pxe->menu[i].text);
      report_end();
    } else {
      out_hanging(LABEL_HANG, "  %-15s type %u: %s\n", "menu", pxe->menu[i].type, pxe->menu[i].text);
    }
  }
  report_end();
}

static void put_pxe_control(const struct dhcp_pxe *pxe) {
  const struct {
    bool set;
    const char *key;
    const char *text;
  } rows[] = {
      {pxe->no_broadcast, "no_broadcast", "no broadcast"},
      {pxe->no_multicast, "no_multicast", "no multicast"},
      {pxe->listed_only, "listed_servers_only", "the listed servers only"},
      {pxe->no_discover, "no_discovery", "none, the boot file is started at once"},
  };
  const char *before = " ";
  if(!report_is_json()) {
    out("  %-15s", "PXE discovery");
  }
  for(UINTN i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if(report_is_json()) {
      report_bool(rows[i].key, rows[i].set);
    } else if(rows[i].set) {
      out("%s%s", before, rows[i].text);
      before = ", ";
    }
  }
  if(!report_is_json()) {
    out("%s\n", before[0] == ' ' ? " any" : "");
  }
}

static void put_pxe(const struct dhcp_pxe *pxe) {
  if(!pxe->there) {
    return;
  }
  report_object("pxe");
  if(pxe->has_control) {
    put_pxe_control(pxe);
  }
  put_ipv4("PXE multicast", "multicast", pxe->multicast);
  put_pxe_servers(pxe);
  put_pxe_menu(pxe);
  if(pxe->has_prompt && report_is_json()) {
    report_text("prompt", pxe->prompt);
    report_u64("prompt_s", pxe->prompt_seconds);
  } else if(pxe->has_prompt) {
    out_hanging(LABEL_HANG, "  %-15s '%s' for %u s\n", "prompt", pxe->prompt, pxe->prompt_seconds);
  }
  report_end();
}

static void put_faults(const struct dhcp_offer *offer) {
  uint32_t faults = offer->faults;
  report_list("faults");
  for(const char *text = dhcp_next_fault(&faults); text; text = dhcp_next_fault(&faults)) {
    if(report_is_json()) {
      report_text(NULL, text);
    } else {
      out_toned(TONE_WARN, "  %-15s %s\n", "wrong", text);
    }
  }
  report_end();
}

void dhcp_print(const struct dhcp_offer *offer) {
  report_bool("proxy", dhcp_is_proxy(offer));
  report_bool("http", dhcp_is_http(offer));
  if(!report_is_json() && dhcp_is_proxy(offer)) {
    out_hanging(LABEL_HANG, "  %-15s proxyDHCP: a boot server, which offers no address\n", "kind");
  }
  put_address(offer);
  put_ipv4("server", "server", offer->server);
  put_ipv4("relay", "relay", offer->relay);
  put_list("gateway", "gateways", &offer->routers);
  put_list("DNS", "dns", &offer->dns);
  put_present_text("host name", "host", offer->host);
  put_present_text("domain", "domain", offer->domain);
  put_lease(offer);
  put_present_text("vendor class", "vendor_class", offer->vendor_class);
  put_boot(offer);
  if(dhcp_wants_boot_request(offer)) {
    put_text("boot request", "boot_request", "the boot file is for the asking at its port 4011 (--request asks)");
  }
  put_arch(offer);
  put_pxe(&offer->pxe);
  put_present_text("message", "message", offer->message);
  put_faults(offer);
}

/* Options as they stand there ------------------------------------------------------------------------------------ */

static void put_value(const struct dhcp_option *option) {
  char text[4U * DUMP_BYTES + 8U];
  const uint8_t *data = option->data;
  size_t at = 0;
  size_t count = option->length < DUMP_BYTES ? option->length : DUMP_BYTES;
  static const char digits[] = "0123456789abcdef";
  for(size_t i = 0; i < count; i++) {
    text[at++] = digits[data[i] >> 4];
    text[at++] = digits[data[i] & 15U];
    text[at++] = ' ';
  }
  text[at] = '\0';
  out("%s%s", text, option->length > count ? "..." : "");
}

void dhcp_print_options(const void *message, size_t length) {
  struct dhcp_option option;
  size_t at = 0;
  report_array("options");
  while(dhcp_next_option(message, length, &at, &option)) {
    const char *name = dhcp_option_name(option.code);
    if(report_is_json()) {
      char text[2U * UINT8_MAX + 1U];
      report_row(NULL);
      report_u64("code", option.code);
      report_text("field", option.field);
      report_text("bytes", hex_text(option.data, option.length, text));
      report_end();
    } else {
      out("  %-8s %-3u %-19s %-3u ", option.field, option.code, name ? name : "", option.length);
      put_value(&option);
      out("\n");
    }
  }
  report_end();
}
