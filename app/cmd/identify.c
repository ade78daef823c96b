/* identify.c - netdiag identify: the NIC's lights blink, so that a person finds it. */
#include "../netdiag.h"

#define DEFAULT_SECONDS 10U

struct identify_options {
  struct nic_options nic;
  uint32_t seconds;
  bool json;
};

static EFI_STATUS set_blinking(struct session *session, bool on) {
  EFI_TPL tpl = efi_nic_lock();
  int result = netdev_identify(session->netdev, on);
  efi_nic_unlock(tpl);
  if(result == NETDEV_E_UNSUPPORTED) {
    complain("the %s has no lights that a driver can switch: find it by its MAC address or its cable",
             session->netdev->model);
  } else if(result != NETDEV_OK) {
    complain("the lights cannot be switched: %s", netdev_strerror(result));
  }
  return efi_status_of(result);
}

static EFI_STATUS blink(struct session *session, uint32_t seconds) {
  char name[NIC_NAME_SIZE];
  char mac[MAC_TEXT_SIZE];
  EFI_STATUS status = set_blinking(session, true);
  if(EFI_ERROR(status)) {
    return status;
  }
  report_which(&session->pci);
  report_text("model", session->netdev->model);
  report_mac("mac", session->netdev->permanent_mac);
  out("The lights of %s (%s, %s) blink for %u s; Esc stops.\n", nic_name(&session->pci, name), session->netdev->model,
      mac_text(session->netdev->permanent_mac, mac), seconds);
  enum wait_result result = session_wait(session, efi_clock_us() + seconds * 1000000ULL, NULL, NULL);
  if(result == WAIT_GONE) {
    return EFI_DEVICE_ERROR;
  }
  status = set_blinking(session, false);
  if(!EFI_ERROR(status)) {
    out("They are as they were.\n");
  }
  return status;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct identify_options *options = values;
  struct session session;
  (void)words;
  (void)word_count;
  EFI_STATUS status = session_open(&session, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(session.resident) {
    complain("%s.efi drives the NIC for the firmware's stack, and does not let the lights blink: add --take",
             session.remote.driver);
    status = EFI_ACCESS_DENIED;
  } else {
    status = session_start_to_look(&session);
  }
  if(!EFI_ERROR(status)) {
    status = blink(&session, options->seconds ? options->seconds : DEFAULT_SECONDS);
  }
  EFI_STATUS closed = session_close(&session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"-t", "SECONDS", OPTION_U32, offsetof(struct identify_options, seconds), 1, 86400, "how long (default 10)"},
    JSON_OPTION_ROW(struct identify_options),
    NIC_OPTION_ROWS(struct identify_options),
    {0},
};

const struct command command_identify = {
    .name = "identify",
    .summary = "the NIC's lights blink, so that you find the port",
    .arguments = "",
    .details = "Needs no cable. Afterwards, also after Esc, the lights show what they did.",
    .examples = {"identify -n eth1", "identify -n 52:54:00:12:34:56 -t 60"},
    .options = option_rows,
    .values_size = sizeof(struct identify_options),
    .run = run,
};
