/* payload.c - a file that is fetched with a progress bar and compared with its hash. */
#include "payload.h"

#include <string.h>

#include "../../driver/lib/format.h"
#include "../console.h"

#define BAR           20U
#define HASH_PIECE    1048576U
#define HASH_FILE_MAX 4096U
#define SECOND_US     1000000U

/* Numbers -------------------------------------------------------------------------------------------------------- */

const char *amount_text(UINT64 bytes, char text[AMOUNT_SIZE]) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  UINT64 tenths = bytes;
  UINTN unit = 0;
  for(UINT64 whole = bytes; whole >= 1024U && unit + 1U < sizeof(units) / sizeof(units[0]); whole /= 1024U, unit++) {
    tenths = whole * 10U / 1024U;
  }
  if(unit == 0) {
    (void)format_into(text, AMOUNT_SIZE, "%ju %s", bytes, units[0]);
  } else {
    (void)format_into(text, AMOUNT_SIZE, "%ju.%ju %s", tenths / 10U, tenths % 10U, units[unit]);
  }
  return text;
}

const char *rate_text(UINT64 bytes, UINT64 us, char text[AMOUNT_SIZE]) {
  UINT64 ms = us / 1000U ? us / 1000U : 1U;
  char amount[AMOUNT_SIZE];
  (void)format_into(text, AMOUNT_SIZE, "%s/s", amount_text(bytes * 1000U / ms, amount));
  return text;
}

/* Progress ------------------------------------------------------------------------------------------------------- */

struct watched {
  const char *name;
  const struct pci_nic *nic;
};

static bool has_no_link(const struct pci_nic *nic) {
  struct nic_sight sight;
  session_look(nic, &sight);
  return sight.has_link && !sight.link.up;
}

static bool show(void *ctx, const struct fetch_progress *now) {
  const struct watched *watched = ctx;
  const char *name = watched->name;
  char bar[BAR + 1U];
  char done[AMOUNT_SIZE];
  char size[AMOUNT_SIZE];
  char rate[AMOUNT_SIZE];
  UINT64 filled = now->size ? now->done * BAR / now->size : 0;
  for(UINTN i = 0; i < BAR; i++) {
    bar[i] = i < filled ? '#' : '.';
  }
  bar[BAR] = '\0';
  if(now->step < FETCH_DONE && has_no_link(watched->nic)) {
    out_over("%s: %s of %s, and the link is down...", name, amount_text(now->done, done),
             now->size ? amount_text(now->size, size) : "it");
  } else if(now->step == FETCH_TRANSFER) {
    out_over("%s [%s] %s of %s, %s", name, bar, amount_text(now->done, done), amount_text(now->size, size),
             rate_text(now->done, now->time_us, rate));
  } else if(now->step < FETCH_DONE) {
    out_over("%s: %s...", name, fetch_step_name(now->step));
  }
  return !console_aborted();
}

static void out_times(UINT64 us) {
  out("%ju.%02ju s", us / SECOND_US, us % SECOND_US / 10000U);
}

static void out_fetched(const struct payload *payload) {
  const struct fetch_result *file = &payload->file;
  char rate[AMOUNT_SIZE];
  out("%s: %ju bytes in ", payload->name, file->size);
  out_times(file->time_us);
  out(", %s", rate_text(file->size, file->transfer_us, rate));
  if(file->redirects) {
    out(", redirected");
  }
  if(file->timeouts) {
    out(", %u timeouts", file->timeouts);
  }
  if(file->retries) {
    out(", broke off %u %s, went on %u", file->retries, file->retries == 1 ? "time" : "times", file->resumed);
  }
  out("\n");
}

/* Hash ----------------------------------------------------------------------------------------------------------- */

bool payload_check_hash(const char *text) {
  uint8_t hash[SHA256_SIZE];
  if(text && !sha256_parse(text, strlen(text), hash)) {
    complain("--sha256 %s: a hash is 64 hexadecimal digits, as sha256sum prints them", text);
    return false;
  }
  return true;
}

static EFI_STATUS hash(struct payload *payload) {
  struct sha256 sha;
  const UINT8 *bytes = (const UINT8 *)(UINTN)payload->file.address;
  UINT64 size = payload->file.size;
  sha256_begin(&sha);
  for(UINT64 at = 0; at < size; at += HASH_PIECE) {
    sha256_add(&sha, bytes + at, (size_t)(size - at < HASH_PIECE ? size - at : HASH_PIECE));
    out_over("%s: SHA-256, %ju of 100...", payload->name, at * 100U / size);
    if(console_aborted()) {
      out_over("%s", "");
      complain("%s: stopped", payload->name);
      return EFI_ABORTED;
    }
  }
  out_over("%s", "");
  sha256_end(&sha, payload->sha256);
  return EFI_SUCCESS;
}

static void tell(const struct payload_wish *wish, const char *url, const struct fetch_result *file) {
  complain("%s: %s: %s%s", url, fetch_step_name(file->step), file->error,
           file->status != EFI_ABORTED && has_no_link(wish->nic) ? "; the link is down" : "");
}

/* What the file beside it says. */
static EFI_STATUS read_hash(const struct payload_wish *wish, uint8_t wanted[SHA256_SIZE]) {
  struct fetch_result file;
  struct url url;
  struct url beside;
  char text[URL_TEXT_SIZE];
  if(url_parse(wish->url, &url) || !url_beside(&url, ".sha256", &beside) || !url_text(&beside, text, sizeof(text))) {
    complain("%s: no room for .sha256 behind it", wish->url);
    return EFI_INVALID_PARAMETER;
  }
  struct watched watched = {"its .sha256", wish->nic};
  const struct fetch_request request = {.controller = wish->nic->handle,
                                        .url = text,
                                        .memory = EfiLoaderData,
                                        .limit = HASH_FILE_MAX,
                                        .watch = show,
                                        .ctx = &watched};
  EFI_STATUS status = fetch(&request, &file);
  out_over("%s", "");
  if(EFI_ERROR(status)) {
    tell(wish, text, &file);
    return status;
  }
  if(!sha256_parse((const char *)(UINTN)file.address, (size_t)file.size, wanted)) {
    complain("%s does not begin with 64 hexadecimal digits, as sha256sum writes them", text);
    status = EFI_COMPROMISED_DATA;
  }
  fetch_free(&file);
  return status;
}

static EFI_STATUS compare(struct payload *payload, const uint8_t wanted[SHA256_SIZE]) {
  char found[SHA256_TEXT_SIZE];
  char expected[SHA256_TEXT_SIZE];
  payload->verified = memcmp(wanted, payload->sha256, SHA256_SIZE) == 0;
  if(!payload->verified) {
    complain("%s is not what it should be: its SHA-256 is %s, and should be %s", payload->name,
             sha256_text(payload->sha256, found), sha256_text(wanted, expected));
    return EFI_COMPROMISED_DATA;
  }
  return EFI_SUCCESS;
}

/* Address -------------------------------------------------------------------------------------------------------- */

static bool is_link_local(const struct url *url) {
  return url->ipv6[0] == 0xFE && (url->ipv6[1] & 0xC0U) == 0x80;
}

EFI_STATUS payload_address(struct uplink *uplink, const char *url, const struct inet_host *wanted) {
  struct url parsed;
  EFI_STATUS status = EFI_SUCCESS;
  if(url_parse(url, &parsed)) {
    return EFI_INVALID_PARAMETER;
  }
  if(parsed.host_kind != URL_HOST_IPV6 || wanted->address) {
    status = uplink_address(uplink, wanted);
  }
  if(status == EFI_TIMEOUT && parsed.host_kind == URL_HOST_NAME && !wanted->address) {
    out("Going on by IPv6 alone.\n");
    return uplink_address6(uplink);
  }
  if(!EFI_ERROR(status) && parsed.host_kind == URL_HOST_IPV6 && !is_link_local(&parsed)) {
    status = uplink_address6(uplink);
  }
  return status;
}

/* Fetching ------------------------------------------------------------------------------------------------------- */

static void take_name(const char *url_as_text, struct payload *payload) {
  struct url url;
  UINTN length = 0;
  if(!url_parse(url_as_text, &url)) {
    url_name(&url, payload->name, sizeof(payload->name));
  }
  for(; payload->name[length]; length++) {
    if(payload->name[length] < ' ' || payload->name[length] > '~') {
      payload->name[length] = '?';
    }
  }
  if(length == 0) {
    memcpy(payload->name, "file", sizeof("file"));
  }
}

static EFI_STATUS verify(const struct payload_wish *wish, const uint8_t wanted[SHA256_SIZE], struct payload *payload) {
  char text[SHA256_TEXT_SIZE];
  EFI_STATUS status = hash(payload);
  if(!EFI_ERROR(status) && (wish->sha256 || wish->sha256_file)) {
    status = compare(payload, wanted);
  }
  if(!EFI_ERROR(status)) {
    out("SHA-256 %s%s\n", sha256_text(payload->sha256, text), payload->verified ? ", as it should be" : "");
  }
  return status;
}

EFI_STATUS payload_fetch(const struct payload_wish *wish, struct payload *payload) {
  uint8_t wanted[SHA256_SIZE] = {0};
  EFI_STATUS status = EFI_SUCCESS;
  memset(payload, 0, sizeof(*payload));
  if(!payload_check_hash(wish->sha256)) {
    return EFI_INVALID_PARAMETER;
  }
  take_name(wish->url, payload);
  if(wish->sha256_file) {
    status = read_hash(wish, wanted);
  } else if(wish->sha256) {
    (void)sha256_parse(wish->sha256, strlen(wish->sha256), wanted);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  struct watched watched = {payload->name, wish->nic};
  const struct fetch_request request = {
      .controller = wish->nic->handle, .url = wish->url, .memory = wish->memory, .watch = show, .ctx = &watched};
  status = fetch(&request, &payload->file);
  out_over("%s", "");
  if(EFI_ERROR(status)) {
    tell(wish, wish->url, &payload->file);
    return status;
  }
  out_fetched(payload);
  status = verify(wish, wanted, payload);
  if(EFI_ERROR(status)) {
    payload_free(payload);
  }
  return status;
}

void payload_free(struct payload *payload) {
  fetch_free(&payload->file);
}
