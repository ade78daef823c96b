/* boot.c - netdiag boot: from a bare NIC to a running kernel: address, files, handoff, start. */
#include "../netdiag.h"
#include "../../driver/lib/dhcp.h"
#include "../capture/capture.h"
#include "../stage/http_boot.h"
#include "../stage/pxe.h"
#include "../stage/start.h"

#include <string.h>

#define PAYLOADS  (1U + TEXT_LIST_MAX)
#define SECOND_US 1000000U

_Static_assert(PAYLOADS <= NET_HANDOFF_PAYLOADS_MAX, "a handoff has no room for as many modules");

struct boot_options {
  struct nic_options nic;
  struct cidr_option address;
  uint32_t gateway;
  const char *sha256;
  bool sha256_file;
  bool live;
  bool quiet;
  const char *command_line;
  const char *capture;
  struct text_list modules;
};

struct boot {
  const struct boot_options *options;
  struct uplink uplink;
  struct pxe pxe; /* when it was asked */
  bool asked;
  char url[URL_TEXT_SIZE];
  UINT8 mac[6];
  struct payload payloads[PAYLOADS];
  UINTN count; /* of payloads that are there */
  struct kind_found found;
  bool armed;
  UINT64 begun_us;
  UINT64 address_us; /* when there was an address */
};

/* Address -------------------------------------------------------------------------------------------------------- */

/* As the firmware's own network boot asks. Its PXE keeps the answers for the program. */
static EFI_STATUS ask_pxe(struct boot *boot, struct net_handoff_lease *lease) {
  EFI_STATUS status = pxe_find(&boot->pxe, boot->uplink.pci.handle);
  if(EFI_ERROR(status)) {
    return EFI_UNSUPPORTED;
  }
  status = pxe_ask(&boot->pxe, boot->url, lease);
  boot->asked = !EFI_ERROR(status);
  return status;
}

static void blame_dhcp(EFI_STATUS pxe, EFI_STATUS http) {
  if(http == EFI_ABORTED) {
    complain("boot: stopped");
  } else if(pxe == EFI_NOT_FOUND || http == EFI_NOT_FOUND) {
    complain("DHCP gave an address, but no boot file: give a URL, or have the server send next-server and filename for "
             "client architecture %u (option 93), or a URL for architecture %u",
             dhcp_arch(DHCP_PXE, DHCP_MACHINE), dhcp_arch(DHCP_HTTP, DHCP_MACHINE));
  } else if(pxe == EFI_UNSUPPORTED && http == EFI_UNSUPPORTED) {
    complain("this firmware has neither PXE nor a DHCP client on the NIC to ask for a boot file: give a URL");
  } else {
    complain("DHCP brought no boot file: %s; give a URL", status_text(EFI_ERROR(http) ? http : pxe));
  }
}

/* What DHCP says: first to a PXE client, and if that gets no boot file, to an HTTP boot client. */
static EFI_STATUS ask_dhcp(struct boot *boot) {
  struct net_handoff_lease lease;
  EFI_STATUS pxe = ask_pxe(boot, &lease);
  EFI_STATUS status = pxe;
  if(EFI_ERROR(pxe) && pxe != EFI_NO_MEDIA && pxe != EFI_ABORTED) {
    out("No boot file for a PXE client: %s\n", status_text(pxe));
    status = http_boot_ask(boot->uplink.pci.handle, boot->mac, boot->url, &lease);
  }
  if(EFI_ERROR(status)) {
    blame_dhcp(pxe, status);
    return status == EFI_ABORTED || status == EFI_NOT_FOUND || pxe == EFI_UNSUPPORTED ? status : pxe;
  }
  out("DHCP names %s\n", boot->url);
  return uplink_leased(&boot->uplink, &lease);
}

static EFI_STATUS get_address(struct boot *boot, const char *given) {
  const struct boot_options *options = boot->options;
  const struct inet_host wanted = {
      .address = options->address.address, .mask = options->address.mask, .gateway = options->gateway};
  if(!given) {
    return ask_dhcp(boot);
  }
  memcpy(boot->url, given, strlen(given) + 1U);
  return payload_address(&boot->uplink, given, &wanted);
}

/* Files ---------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text);
  size_t wanted = strlen(end);
  return length >= wanted && text_same(text + length - wanted, end);
}

/* A RAM disk lies in memory that no operating system takes for its own; what else a kernel is handed, in what it keeps
 * for the firmware (HANDOFF.md, Memory). */
static EFI_MEMORY_TYPE memory_for(const char *text) {
  char name[PAYLOAD_NAME_SIZE] = "";
  struct url url;
  if(!url_parse(text, &url)) {
    url_name(&url, name, sizeof(name));
  }
  bool disk = ends_with(name, ".img") || ends_with(name, ".hdd") || ends_with(name, ".iso");
  return disk ? EfiReservedMemoryType : EfiRuntimeServicesData;
}

static EFI_STATUS get_file(struct boot *boot, const char *url) {
  bool first = boot->count == 0;
  const struct payload_wish wish = {.nic = &boot->uplink.pci,
                                    .url = url,
                                    .sha256 = first ? boot->options->sha256 : NULL,
                                    .sha256_file = boot->options->sha256_file,
                                    .memory = memory_for(url)};
  EFI_STATUS status = payload_fetch(&wish, &boot->payloads[boot->count]);
  boot->count += !EFI_ERROR(status);
  return status;
}

static EFI_STATUS get_files(struct boot *boot) {
  const struct text_list *modules = &boot->options->modules;
  EFI_STATUS status = get_file(boot, boot->url);
  if(!EFI_ERROR(status)) {
    status = start_judge(&boot->payloads[0], &boot->found);
  }
  for(UINT32 i = 0; i < modules->count && !EFI_ERROR(status); i++) {
    status = get_file(boot, modules->at[i]);
    if(!EFI_ERROR(status) && boot->payloads[boot->count - 1U].file.size == 0) {
      complain("%s is empty", boot->payloads[boot->count - 1U].name);
      status = EFI_UNSUPPORTED;
    }
  }
  return status;
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

static NET_RESIDENT_PROTOCOL *resident_of(const struct boot *boot) {
  return remote_find(boot->uplink.pci.handle);
}

static EFI_STATUS stage(const struct boot *boot, NET_RESIDENT_PROTOCOL *resident) {
  NET_RESIDENT_PAYLOAD payloads[PAYLOADS];
  memset(payloads, 0, sizeof(payloads));
  for(UINTN i = 0; i < boot->count; i++) {
    const struct payload *from = &boot->payloads[i];
    memcpy(payloads[i].Name, from->name, sizeof(payloads[i].Name));
    payloads[i].Physical = from->file.address;
    payloads[i].Length = from->file.size;
    memcpy(payloads[i].Sha256, from->sha256, sizeof(payloads[i].Sha256));
  }
  return resident->Stage(resident, (const CHAR8 *)boot->payloads[0].file.url, boot->count, payloads);
}

static EFI_STATUS arm(struct boot *boot) {
  NET_RESIDENT_PROTOCOL *resident = resident_of(boot);
  const NET_RESIDENT_LEASE lease = remote_lease(&boot->uplink.lease);
  if(!resident) {
    complain("the NIC's driver is gone");
    return EFI_NOT_STARTED;
  }
  EFI_STATUS status = resident->ArmHandoff(resident, boot->options->live, &lease);
  boot->armed = !EFI_ERROR(status);
  if(!EFI_ERROR(status)) {
    status = stage(boot, resident);
  }
  if(EFI_ERROR(status)) {
    complain("no handoff: %s%s", status_text(status),
             status == EFI_INCOMPATIBLE_VERSION ? "; what is published was not made by this version" : "");
  }
  return status;
}

static void disarm(struct boot *boot) {
  NET_RESIDENT_PROTOCOL *resident = boot->armed ? resident_of(boot) : NULL;
  if(resident) {
    (void)resident->Stage(resident, NULL, 0, NULL); /* the memory goes */
    (void)resident->DisarmHandoff(resident);
  }
  boot->armed = false;
}

/* A handoff that somebody else armed would be changed, and withdrawn afterwards. */
static EFI_STATUS check_driver(const struct boot *boot) {
  struct remote remote;
  if(!remote_open(boot->uplink.pci.handle, &remote)) {
    complain("the NIC's driver does not answer");
    return EFI_NOT_STARTED;
  }
  if(remote.protocol->Revision < NET_RESIDENT_REVISION_STAGE) {
    complain("%s.efi is resident in a version that knows no payloads: 'unload' it in the Shell, or load this version's",
             remote.driver);
    return EFI_INCOMPATIBLE_VERSION;
  }
  if(remote.handoff != NET_RESIDENT_NO_HANDOFF) {
    complain("the NIC is armed for a handoff already, and boot arms its own: 'netdiag handoff --cancel' withdraws it");
    return EFI_ACCESS_DENIED;
  }
  return EFI_SUCCESS;
}

/* The whole ------------------------------------------------------------------------------------------------------ */

static void out_seconds(const char *what, UINT64 us) {
  out("%s %ju.%02ju s", what, us / SECOND_US, us % SECOND_US / 10000U);
}

static void out_times(const struct boot *boot) {
  UINT64 now_us = efi_clock_us();
  out_seconds("Ready after", now_us - boot->begun_us);
  out_seconds(": address", boot->address_us - boot->begun_us);
  out_seconds(", files", now_us - boot->address_us);
  out("; the NIC will be handed over %s\n", boot->options->live ? "live" : "quiet");
}

static EFI_STATUS prepare(struct boot *boot, const char *given) {
  struct nic_sight sight;
  struct capture *capture = NULL;
  EFI_STATUS status = check_driver(boot);
  if(!EFI_ERROR(status)) {
    status = capture_begin_below(&capture, &boot->uplink.pci, boot->options->capture);
  }
  if(!EFI_ERROR(status)) {
    session_look(&boot->uplink.pci, &sight);
    memcpy(boot->mac, sight.mac, sizeof(boot->mac));
    status = get_address(boot, given);
  }
  boot->address_us = efi_clock_us();
  if(!EFI_ERROR(status)) {
    status = get_files(boot);
  }
  EFI_STATUS captured = capture_end(capture);
  status = EFI_ERROR(status) ? status : captured;
  /* Its policy goes back before anything is started that may not return: it stands in a non-volatile variable. */
  uplink_restore(&boot->uplink);
  return EFI_ERROR(status) ? status : arm(boot);
}

static EFI_STATUS run_it(struct boot *boot) {
  EFI_STATUS result;
  const struct start_plan plan = {.payload = &boot->payloads[0],
                                  .kind = boot->found.kind,
                                  .uplink = &boot->uplink,
                                  .mac = boot->mac,
                                  .command_line = boot->options->command_line ? boot->options->command_line : "",
                                  .asked = boot->asked};
  out_times(boot);
  EFI_STATUS status = start(&plan, &result);
  if(EFI_ERROR(status)) {
    return status;
  }
  out("%s returned: %s\n", boot->payloads[0].name, status_text(result));
  return result;
}

static EFI_STATUS boot_from(const struct boot_options *options, const char *given) {
  static struct boot boot;
  memset(&boot, 0, sizeof(boot));
  boot.options = options;
  boot.begun_us = efi_clock_us();
  EFI_STATUS status = uplink_open(&boot.uplink, &options->nic, true);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = prepare(&boot, given);
  if(!EFI_ERROR(status)) {
    status = run_it(&boot);
  }
  disarm(&boot);
  pxe_end(&boot.pxe);
  uplink_close(&boot.uplink);
  for(UINTN i = 0; i < boot.count; i++) {
    payload_free(&boot.payloads[i]);
  }
  return status;
}

/* Command -------------------------------------------------------------------------------------------------------- */

static bool check_url(const char *text) {
  struct url url;
  const char *problem = url_parse(text, &url);
  if(problem) {
    complain("boot: %s: %s", text, problem);
  }
  return !problem;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct boot_options *options = values;
  bool good = (word_count == 0 || check_url(words[0])) && payload_check_hash(options->sha256);
  for(UINT32 i = 0; i < options->modules.count && good; i++) {
    good = check_url(options->modules.at[i]);
  }
  if(!good) {
    return EFI_INVALID_PARAMETER;
  }
  const char *problem = options->live && options->quiet           ? "--live and --quiet exclude each other"
                        : options->sha256 && options->sha256_file ? "--sha256 and --sha256-file exclude each other"
                        : options->address.address && word_count == 0
                            ? "without a URL DHCP says the address as well: leave --addr out"
                            : NULL;
  if(problem) {
    complain("boot: %s", problem);
    return EFI_INVALID_PARAMETER;
  }
  console_begin();
  return boot_from(options, word_count > 0 ? words[0] : NULL);
}

static const struct option option_rows[] = {
    {"--sha256", "HEX", OPTION_TEXT, offsetof(struct boot_options, sha256), 0, 0, "the hash that the file must have"},
    {"--sha256-file", NULL, OPTION_FLAG, offsetof(struct boot_options, sha256_file), 0, 0,
     "the hashes stand in files beside it and the modules: URL.sha256"},
    {"--live", NULL, OPTION_FLAG, offsetof(struct boot_options, live), 0, 0, "hand the NIC over receiving"},
    {"--quiet", NULL, OPTION_FLAG, offsetof(struct boot_options, quiet), 0, 0,
     "hand it over programmed but off (default)"},
    {"--cmdline", "TEXT", OPTION_TEXT, offsetof(struct boot_options, command_line), 0, 0,
     "what the program is started with"},
    {"--module", "URL", OPTION_TEXTS, offsetof(struct boot_options, modules), 0, 0,
     "a file for the kernel, named in the handoff; up to 7 of them"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct boot_options, address), 0, 0,
     "our address (default: the firmware's, or one by DHCP)"},
    {"--gw", "A.B.C.D", OPTION_IPV4, offsetof(struct boot_options, gateway), 0, 0, "the gateway, with --addr"},
    {"-n", "NIC", OPTION_TEXT, offsetof(struct boot_options, nic.nic), 0, 0,
     "the NIC: eth0, PCI location or MAC (default: first)"},
    {"--take", NULL, OPTION_FLAG, offsetof(struct boot_options, nic.take), 0, 0,
     "take the NIC from the driver that holds it, and give it back if the program returns"},
    CAPTURE_OPTION_ROW(struct boot_options),
    {"--link-wait", "SECONDS", OPTION_U32, offsetof(struct boot_options, nic.link_wait), 1, LINK_WAIT_MAX_S,
     "how long to wait for a link (default 5)"},
    {0},
};

const struct command command_boot = {
    .name = "boot",
    .summary = "starts a kernel, loader or disk image over the network, and hands the NIC over",
    .arguments = "[URL]",
    .details =
        "Gets an address, fetches by TFTP or HTTP, checks the hash, publishes the handoff with lease, source and "
        "files, and starts: an EFI program as PXE or HTTP boot would, a disk image (.img, .hdd, .iso) as RAM "
        "disk. Without a URL DHCP says what. If anything fails, or the program returns, all is as before.",
    .examples = {"boot tftp://10.0.2.2/kernel.efi --live", "boot http://10.0.2.2:8000/menios.img --sha256-file",
                 "boot"},
    .options = option_rows,
    .values_size = sizeof(struct boot_options),
    .words_max = 1,
    .run = run,
};
