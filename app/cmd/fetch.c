/* fetch.c - netdiag fetch: a file from a TFTP or HTTP server, to a volume or only to be looked at. */
#include "../capture/capture.h"
#include "../netdiag.h"
#include "../stage/payload.h"
#include "../stage/save.h"

struct fetch_options {
  struct nic_options nic;
  struct cidr_option address;
  uint32_t gateway;
  const char *sha256;
  bool sha256_file;
  const char *capture;
  bool json;
};

static void report_file(const struct payload *payload, const char *file) {
  char hash[SHA256_TEXT_SIZE];
  report_text("url", payload->file.url);
  report_text("name", payload->name);
  report_u64("bytes", payload->file.size);
  report_u64("time_us", payload->file.time_us);
  report_u64("transfer_us", payload->file.transfer_us);
  report_u64("timeouts", payload->file.timeouts);
  report_u64("retries", payload->file.retries);
  report_text("sha256", sha256_text(payload->sha256, hash));
  report_bool("verified", payload->verified);
  report_text("file", file);
}

static EFI_STATUS get(const struct fetch_options *options, const char *url, const char *file) {
  struct uplink uplink;
  struct payload payload = {0};
  struct capture *capture = NULL;
  const struct inet_host wanted = {
      .address = options->address.address, .mask = options->address.mask, .gateway = options->gateway};
  EFI_STATUS status = uplink_open(&uplink, &options->nic, false);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = capture_begin_below(&capture, &uplink.pci, options->capture);
  if(!EFI_ERROR(status)) {
    status = payload_address(&uplink, url, &wanted);
  }
  if(!EFI_ERROR(status)) {
    const struct payload_wish wish = {.nic = &uplink.pci,
                                      .url = url,
                                      .sha256 = options->sha256,
                                      .sha256_file = options->sha256_file,
                                      .memory = EfiLoaderData};
    status = payload_fetch(&wish, &payload);
  }
  EFI_STATUS captured = capture_end(capture);
  uplink_close(&uplink);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(file) {
    status = save(file, (const void *)(UINTN)payload.file.address, payload.file.size);
  }
  report_file(&payload, file);
  if(!EFI_ERROR(status) && file) {
    out("Written to %s\n", file);
  }
  payload_free(&payload);
  return EFI_ERROR(status) ? status : captured;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct fetch_options *options = values;
  struct url url;
  const char *problem = url_parse(words[0], &url);
  if(problem) {
    complain("fetch: %s: %s", words[0], problem);
    return EFI_INVALID_PARAMETER;
  }
  if(options->sha256 && options->sha256_file) {
    complain("fetch: --sha256 and --sha256-file exclude each other");
    return EFI_INVALID_PARAMETER;
  }
  if(!payload_check_hash(options->sha256)) {
    return EFI_INVALID_PARAMETER;
  }
  console_begin();
  return get(options, words[0], word_count > 1 ? words[1] : NULL);
}

static const struct option option_rows[] = {
    {"--sha256", "HEX", OPTION_TEXT, offsetof(struct fetch_options, sha256), 0, 0, "the hash that the file must have"},
    {"--sha256-file", NULL, OPTION_FLAG, offsetof(struct fetch_options, sha256_file), 0, 0,
     "the hash stands in a file beside it: URL.sha256, as sha256sum writes it"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct fetch_options, address), 0, 0,
     "our address (default: the firmware's, or one by DHCP)"},
    {"--gw", "A.B.C.D", OPTION_IPV4, offsetof(struct fetch_options, gateway), 0, 0, "the gateway, with --addr"},
    {"-n", "NIC", OPTION_TEXT, offsetof(struct fetch_options, nic.nic), 0, 0,
     "the NIC: eth0, PCI location or MAC (default: first)"},
    {"--take", NULL, OPTION_FLAG, offsetof(struct fetch_options, nic.take), 0, 0,
     "take the NIC from the driver that holds it, and give it back afterwards"},
    {"--link-wait", "SECONDS", OPTION_U32, offsetof(struct fetch_options, nic.link_wait), 1, LINK_WAIT_MAX_S,
     "how long to wait for a link (default 5)"},
    CAPTURE_OPTION_ROW(struct fetch_options),
    JSON_OPTION_ROW(struct fetch_options),
    {0},
};

const struct command command_fetch = {
    .name = "fetch",
    .summary = "gets a file by TFTP or HTTP, to a volume or only to check it",
    .arguments = "URL [FILE]",
    .details =
        "By the firmware's own protocols: tftp://, http://, and https:// where it has TLS. FILE is a path as the "
        "Shell knows it; without one, size, rate and hash are shown.",
    .examples = {"fetch tftp://10.0.2.2/kernel.efi fs0:\\kernel.efi",
                 "fetch --sha256-file http://10.0.2.2:8000/menios.img"},
    .options = option_rows,
    .values_size = sizeof(struct fetch_options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
