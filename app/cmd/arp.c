/* arp.c - netdiag arp: who has an address, or whether anybody does. */
#include <string.h>

#include "../capture/capture.h"
#include "../netdiag.h"
#include "../session/lease.h"
#include "../session/target.h"

#define STATIONS_MAX       8U
#define DEFAULT_COUNT      3U
#define DEFAULT_TIMEOUT_MS 1000U

struct arp_options {
  struct nic_options nic;
  const char *capture;
  uint32_t count;
  uint32_t timeout_ms;
  struct cidr_option address;
  bool probe;
  bool json;
};

/* One who says that it has the address. */
struct station {
  uint8_t mac[6];
  uint32_t answers;
  uint64_t first_us; /* after the request before it */
  uint64_t least_us;
  bool tagged;
  uint16_t vlan;     /* 0: on our network */
  const char *fault; /* what is wrong with its MAC address, or NULL */
};

/* Shared with on_frame: only under efi_nic_lock, or after session_stop_receiving. */
struct arp {
  struct session session;
  const struct arp_options *options;
  uint32_t target;
  uint32_t asked;
  uint64_t asked_us;
  uint32_t answers;
  uint32_t others; /* that probe for it at this moment, as we do (RFC 5227 2.1.1) */
  uint32_t count;
  uint32_t lost; /* stations that there was no room for */
  struct station stations[STATIONS_MAX];
};

/* Answers -------------------------------------------------------------------------------------------------------- */

static struct station *station_of(struct arp *arp, const struct inet_packet *packet) {
  for(uint32_t i = 0; i < arp->count; i++) {
    if(memcmp(arp->stations[i].mac, packet->source_mac, 6) == 0 && arp->stations[i].vlan == packet->vlan) {
      return &arp->stations[i];
    }
  }
  if(arp->count == STATIONS_MAX) {
    arp->lost++;
    return NULL;
  }
  struct station *station = &arp->stations[arp->count++];
  *station = (struct station){.tagged = packet->tagged,
                              .vlan = packet->vlan,
                              .fault = station_mac_fault(packet->source_mac),
                              .first_us = efi_clock_us() - arp->asked_us,
                              .least_us = UINT64_MAX};
  memcpy(station->mac, packet->source_mac, sizeof(station->mac));
  return station;
}

static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct arp *arp = ctx;
  (void)frame;
  enum inet_kind kind = packet->kind == INET_UNUSABLE ? packet->would_be : packet->kind;
  if((kind != INET_ARP_REPLY && kind != INET_ARP_REQUEST) || arp->asked == 0 ||
     memcmp(packet->source_mac, session_mac(&arp->session), 6) == 0) {
    return false;
  }
  if(packet->source == arp->target) {
    struct station *station = station_of(arp, packet);
    arp->answers++;
    if(station) {
      uint64_t after_us = efi_clock_us() - arp->asked_us;
      station->answers++;
      station->least_us = after_us < station->least_us ? after_us : station->least_us;
    }
    return kind == INET_ARP_REPLY;
  }
  arp->others += kind == INET_ARP_REQUEST && packet->source == 0 && packet->destination == arp->target;
  return false;
}

static EFI_STATUS ask(struct arp *arp) {
  const struct arp_options *options = arp->options;
  const struct inet_host *host = &arp->session.responder.host;
  uint8_t frame[INET_FRAME_SIZE];
  enum wait_result result = WAIT_TIMEOUT;
  /* From nobody when we have no address: that is answered as well, and claims nothing. */
  size_t length = options->probe || host->address == 0 ? inet_arp_probe(frame, host, arp->target)
                                                       : inet_arp_request(frame, host, arp->target);
  for(uint32_t i = 0; i < options->count && result == WAIT_TIMEOUT; i++) {
    EFI_TPL tpl = efi_nic_lock();
    arp->asked++;
    arp->asked_us = efi_clock_us();
    efi_nic_unlock(tpl);
    int sent = session_transmit(&arp->session, frame, length);
    if(sent != NETDEV_OK) {
      complain("request %u not sent: %s", i + 1U, netdev_strerror(sent));
    }
    result = session_wait(&arp->session, efi_clock_us() + options->timeout_ms * 1000ULL, NULL, NULL);
  }
  session_stop_receiving(&arp->session);
  return wait_status(result, EFI_SUCCESS);
}

/* Telling -------------------------------------------------------------------------------------------------------- */

static void out_station(const struct arp *arp, const struct station *station) {
  char address[IPV4_TEXT_SIZE];
  char mac[MAC_TEXT_SIZE];
  if(report_is_json()) {
    report_row(NULL);
    report_mac("mac", station->mac);
    report_u64("answers", station->answers);
    report_thousandths("first_ms", station->first_us);
    report_thousandths("least_ms", station->least_us);
    report_bool("tagged", station->tagged);
    report_u64("vlan", station->vlan);
    report_end();
    return;
  }
  out("%s is at %s: %u answer%s, the first after %ju.%03ju ms", ipv4_text(arp->target, address),
      mac_text(station->mac, mac), station->answers, station->answers == 1U ? "" : "s", station->first_us / 1000U,
      station->first_us % 1000U);
  if(station->tagged && station->vlan) {
    out(", tagged with VLAN %u", station->vlan);
  } else if(station->tagged) {
    out(", with a priority tag");
  }
  out("\n");
}

static void out_stations(const struct arp *arp) {
  report_array("stations");
  for(uint32_t i = 0; i < arp->count; i++) {
    out_station(arp, &arp->stations[i]);
  }
  if(report_is_json()) {
    report_end();
    report_u64("requests", arp->asked);
    report_u64("answers", arp->answers);
    report_u64("others_probing", arp->others);
    return;
  }
  out("%u request%s, %u answer%s from %u station%s\n", arp->asked, arp->asked == 1U ? "" : "s", arp->answers,
      arp->answers == 1U ? "" : "s", arp->count + arp->lost, arp->count + arp->lost == 1U ? "" : "s");
}

/* Those on our own network. */
static uint32_t near(const struct arp *arp) {
  uint32_t count = arp->lost;
  for(uint32_t i = 0; i < arp->count; i++) {
    count += arp->stations[i].vlan == 0;
  }
  return count;
}

static void complain_of_stations(const struct arp *arp, const char *word) {
  char mac[MAC_TEXT_SIZE];
  for(uint32_t i = 0; i < arp->count; i++) {
    const struct station *station = &arp->stations[i];
    if(station->vlan) {
      complain("%s answers, but tagged with VLAN %u: this port is not in its VLAN", word, station->vlan);
    }
    if(station->fault) {
      complain("%s is %s, which no station can have: look at that host", mac_text(station->mac, mac), station->fault);
    }
  }
}

static EFI_STATUS judge_probe(const struct arp *arp, const char *word) {
  if(near(arp) > 0 || arp->others > 0) {
    complain(near(arp) > 0 ? "%s is taken" : "%s is about to be taken: another station probes for it too", word);
    return EFI_ACCESS_DENIED;
  }
  if(report_is_json()) {
    report_bool("free", true);
  } else {
    out_toned(TONE_OK, "%s is free: nobody claims it\n", word);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS judge(const struct arp *arp, const char *word) {
  complain_of_stations(arp, word);
  if(arp->options->probe) {
    return judge_probe(arp, word);
  }
  if(near(arp) == 0) {
    complain("%s does not answer ARP (%u tries): nobody there, or it is not on this network", word, arp->asked);
    session_out_traffic(&arp->session);
    return EFI_TIMEOUT;
  }
  if(near(arp) > 1U) {
    complain("%u stations have %s: all but one of them must change", near(arp), word);
    return EFI_ACCESS_DENIED;
  }
  return EFI_SUCCESS;
}

/* Command -------------------------------------------------------------------------------------------------------- */

/* --addr's, else what the firmware has; it is not asked to get one. */
static void own_address(struct arp *arp, struct session_talker *talker) {
  const struct cidr_option *given = &arp->options->address;
  talker->address = given->address;
  talker->mask = given->mask;
  talker->probe = given->address != 0;
  if(given->address == 0 && !arp->options->probe) {
    const struct inet_host known = lease_known(&arp->session.pci);
    talker->address = known.address;
    talker->mask = known.mask;
  }
}

static void out_begin(const struct arp *arp, const char *word) {
  const struct inet_host *host = &arp->session.responder.host;
  char name[NIC_NAME_SIZE];
  char mac[MAC_TEXT_SIZE];
  char address[IPV4_TEXT_SIZE];
  (void)nic_name(&arp->session.pci, name);
  if(report_is_json()) {
    report_text("nic", name);
    report_text("target", word);
    report_ipv4("from", host->address);
    report_mac("from_mac", host->mac);
    report_bool("probe", arp->options->probe);
  } else {
    out("%s %s from %s %s (%s, %s)\n", arp->options->probe ? "PROBE" : "ARP", word,
        host->address ? ipv4_text(host->address, address) : "no address", name, session_model(&arp->session),
        mac_text(host->mac, mac));
  }
}

static EFI_STATUS talk(struct arp *arp, const struct session_talker *talker, const char *word) {
  EFI_STATUS status = session_talk(&arp->session, talker, LINK_WAIT_MS);
  if(EFI_ERROR(status)) {
    return status;
  }
  out_begin(arp, word);
  status = ask(arp);
  out_stations(arp);
  return EFI_ERROR(status) ? status : judge(arp, word);
}

static EFI_STATUS run_with(struct arp *arp, const char *word) {
  EFI_STATUS status = session_open(&arp->session, &arp->options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  struct session_talker talker = {.ctx = arp, .receive = on_frame};
  struct capture *capture;
  own_address(arp, &talker);
  if(talker.address == arp->target) {
    complain("arp: %s is our own address: 'arp --probe' asks whether others claim it too", word);
    status = EFI_INVALID_PARAMETER;
  } else {
    status = capture_begin(&capture, &arp->session, arp->options->capture);
  }
  if(!EFI_ERROR(status)) {
    status = talk(arp, &talker, word);
    EFI_STATUS captured = capture_end(capture);
    status = EFI_ERROR(status) ? status : captured;
  }
  EFI_STATUS closed = session_close(&arp->session);
  return EFI_ERROR(status) ? status : closed;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct arp_options options = *(const struct arp_options *)values;
  (void)word_count;
  options.count = options.count ? options.count : DEFAULT_COUNT;
  options.timeout_ms = options.timeout_ms ? options.timeout_ms : DEFAULT_TIMEOUT_MS;
  options.nic.allow_foreign = true;
  struct arp *arp = AllocateZeroPool(sizeof(*arp));
  if(!arp) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  arp->options = &options;
  EFI_STATUS status = target_read("arp", words[0], &arp->target);
  if(!EFI_ERROR(status)) {
    status = run_with(arp, words[0]);
  }
  FreePool(arp);
  return status;
}

static const struct option option_rows[] = {
    {"-c", "N", OPTION_U32, offsetof(struct arp_options, count), 1, 10000, "how many requests (default 3)"},
    {"-W", "MS", OPTION_U32, offsetof(struct arp_options, timeout_ms), 1, 60000,
     "to wait for answers after each (default 1000)"},
    {"--probe", NULL, OPTION_FLAG, offsetof(struct arp_options, probe), 0, 0,
     "ask whether the address is free, claiming nothing (RFC 5227)"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct arp_options, address), 0, 0,
     "our own address (default: the firmware's, or none)"},
    CAPTURE_OPTION_ROW(struct arp_options),
    JSON_OPTION_ROW(struct arp_options),
    NIC_OPTION_ROWS(struct arp_options),
    {0},
};

const struct command command_arp = {
    .name = "arp",
    .summary = "who has an address, or whether it is free",
    .arguments = "TARGET",
    .details = "Waits for every answer, so that two stations with one address both show. Needs no address of its own. "
               "Exits with EFI_TIMEOUT when nobody answers, EFI_ACCESS_DENIED when several do, or with --probe when "
               "anybody does.",
    .examples = {"arp 10.0.2.2", "arp --probe 192.168.1.77"},
    .options = option_rows,
    .values_size = sizeof(struct arp_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
