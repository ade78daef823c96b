/* session.c - the NIC that a sub-command works on: taken, run, and given back. */
#include "session.h"

#include <string.h>

#include "../../driver/efi/binding.h"
#include "../console.h"
#include "../image.h"
#include "lease.h"
#include "mnp_link.h"

#define SPIN_US     50000U  /* how long session_wait polls before it naps                     */
#define NAP_100NS   100000U /* 10 ms                                                          */
#define POLL_BUDGET 256U
#define EVERYTHING                                                                                                     \
  (NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST | NETDEV_FILTER_ALL_MULTICAST | NETDEV_FILTER_PROMISCUOUS)

/* RFC 5227 probes three times, 1 to 2 s apart at random, and waits 2 s for the last answer: up to 7 s, so that
 * thousands of hosts that get power at once do not all ask at once. One person who runs one command does not need that,
 * and a host on the same wire answers within a few milliseconds. Three probes, against loss; what answers later than
 * the 200 ms after the last one is noticed while the command runs. */
#define PROBES   3U
#define PROBE_MS 200U

/* Opening and closing -------------------------------------------------------------------------------------------- */

static void log_line(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  static const char *const names[] = {"error", "warning", "info", "debug"};
  const struct session *session = ctx;
  const char *driver = session->nic.driver->name;
  if(level <= NET_LOG_WARN) {
    out_error("%s: %s: %s (0x%x)\n", driver, names[level], text, value);
  } else if(session->verbose) {
    out("%s: %s: %s (0x%x)\n", driver, names[level], text, value);
  }
}

static void explain(const struct session *session, EFI_STATUS status) {
  if(status == EFI_UNSUPPORTED) {
    complain("this driver does not know %04x:%04x, or its BARs are not what it needs", session->pci.vendor_id,
             session->pci.device_id);
  } else if(status == EFI_INVALID_PARAMETER) {
    complain("--ring: not a power of two");
  } else {
    complain("cannot start the NIC: %s", status_text(status));
  }
}

static EFI_STATUS attach(struct session *session, uint32_t ring, bool low) {
  const struct efi_nic_options nic_options = {
      .tx_descriptors = ring,
      .rx_descriptors = ring,
      .low_memory = low,
      .log = log_line,
      .log_ctx = session,
  };
  EFI_STATUS status = efi_nic_attach(&session->nic, session->pci.handle, image_handle(), &nic_options);
  if(EFI_ERROR(status)) {
    explain(session, status);
    return status;
  }
  session->netdev = session->nic.netdev;
  return EFI_SUCCESS;
}

EFI_STATUS session_attach_again(struct session *session, bool low) {
  session->netdev = NULL;
  efi_nic_detach(&session->nic);
  session->nic.agent = NULL;
  if(!efi_nic_nothing_held(&session->nic)) {
    complain("the NIC could not be let go of");
    return EFI_DEVICE_ERROR;
  }
  return attach(session, session->ring, low);
}

EFI_STATUS session_open(struct session *session, const struct nic_options *options) {
  BS->SetMem(session, sizeof(*session), 0);
  session->verbose = options->verbose;
  session->link_wait = options->link_wait;
  session->ring = options->ring;
  EFI_STATUS status = session_choose(options, &session->pci);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(!options->take && remote_open(session->pci.handle, &session->remote)) {
    session->resident = &session->remote;
    session->netdev = &session->remote.netdev;
  } else if(options->take || !options->allow_foreign || !share_find(&session->pci, &session->foreign)) {
    status = session_take(&session->pci, options->take, &session->holder);
    if(!EFI_ERROR(status)) {
      status = attach(session, options->ring, false);
    }
  }
  if(!EFI_ERROR(status)) {
    status = BS->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL, NULL, &session->nap);
    if(EFI_ERROR(status)) {
      session->nap = NULL;
      complain("no timer event: %s", status_text(status));
    }
  }
  if(EFI_ERROR(status)) {
    (void)session_close(session);
  }
  console_begin();
  return status;
}

EFI_STATUS session_close(struct session *session) {
  EFI_STATUS status = EFI_SUCCESS;
  if(session->nap) {
    BS->CloseEvent(session->nap);
    session->nap = NULL;
  }
  share_tap_close(session->tap);
  session->tap = NULL;
  mnp_link_close(session->link);
  session->link = NULL;
  if(session->nic.agent) {
    efi_nic_detach(&session->nic);
    const struct efi_nic_held *held = &session->nic.held;
    if(!efi_nic_nothing_held(&session->nic)) {
      complain("leak: pool %zu, dma %zu, pages %zu, events %zu, protocols %zu, attributes %zu", held->pool, held->dma,
               held->pages, held->events, held->protocols, held->attributes);
      status = EFI_DEVICE_ERROR;
    } else if(session->verbose) {
      out("%s: info: nothing held: pool 0, dma 0, pages 0, events 0, protocols 0, attributes 0\n",
          pci_driver_name(&session->pci));
    }
    session->nic.agent = NULL;
  }
  EFI_STATUS given = session_give_back(&session->pci, &session->holder);
  return EFI_ERROR(status) ? status : given;
}

/* Addresses ------------------------------------------------------------------------------------------------------ */

EFI_STATUS session_address(const struct nic_options *options, const struct cidr_option *address, uint32_t gateway,
                           struct inet_host *host) {
  struct pci_nic pci;
  memset(host, 0, sizeof(*host));
  EFI_STATUS status = session_choose(options, &pci);
  if(!EFI_ERROR(status) &&
     (options->take || !(remote_find(pci.handle) || (options->allow_foreign && share_possible(&pci))))) {
    status = session_may_take(&pci, options->take);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  if(address->address != 0) {
    host->address = address->address;
    host->mask = address->mask;
    host->gateway = gateway;
    return EFI_SUCCESS;
  }
  status = lease_get(&pci, session_link_wait_us(options), host);
  if(gateway) {
    host->gateway = gateway;
  }
  return status;
}

/* Whether the firmware's stack answers for the address itself. One that was given with --addr, or that a DHCP client
 * held only for a moment, is ours to answer for. */
static bool is_firmwares(const struct session *session, uint32_t address) {
  return address != 0 && address == lease_known(&session->pci).address;
}

/* Running -------------------------------------------------------------------------------------------------------- */

static void swallow(void *ctx, const struct netdev_frame *frame) {
  (void)ctx;
  (void)frame;
}

static void deliver(void *ctx, const struct netdev_frame *frame) {
  struct session *session = ctx;
  struct inet_packet packet;
  if(session->witness) {
    session->witness(session->witness_ctx, false, frame->data, frame->length);
  }
  if(session->deaf) {
    return;
  }
  session->link_received++;
  inet_parse(frame->data, frame->length, &packet);
  (void)station_hear(&session->claim, &packet);
  if(!session->receive || !session->receive(session->receive_ctx, frame, &packet)) {
    (void)responder_handle(&session->responder, frame, &packet);
  }
}

void session_stop_receiving(struct session *session) {
  EFI_TPL tpl = efi_nic_lock();
  session->deaf = true;
  efi_nic_unlock(tpl);
}

/* Everything that `deliver` and what it calls may look at. Reception begins after this, by a client that the netdev or
 * the link to the stack gets only then. */
static struct netdev_client make_talk(struct session *session, const struct session_talker *talker) {
  session->receive = talker->receive;
  session->receive_ctx = talker->ctx;
  session->deaf = false;
  session->responder = (struct responder){
      .send = session_transmit,
      .send_ctx = session,
      .silent = (session->resident || session->foreign.snp) && is_firmwares(session, talker->address),
      .host = {.address = talker->address, .mask = talker->mask, .gateway = talker->gateway},
  };
  memcpy(session->responder.host.mac, session_mac(session), sizeof(session->responder.host.mac));
  session->claim = (struct station_claim){.address = talker->address,
                                          .probing = talker->probe && talker->address && !session->responder.silent};
  memcpy(session->claim.mac, session_mac(session), sizeof(session->claim.mac));
  session->conflict_told = false;
  if(session->claim.probing) {
    session->responder.host.address = 0; /* not ours to answer for yet */
  }
  return (struct netdev_client){.ctx = session, .receive = deliver};
}

/* Frames go beside the stack's. The link is in place before the first of them, for an answer needs it. */
static EFI_STATUS join(struct session *session, const struct netdev_client *client, bool listen) {
  const struct netdev_client nobody = {.receive = swallow};
  char name[PCI_HOLDER_NAME_SIZE];
  pci_holder_name(pci_find_holder(session->pci.handle), name, sizeof(name));
  EFI_STATUS status =
      mnp_link_open(&session->link, session->resident ? session->resident->child : session->foreign.handle, listen);
  if(!EFI_ERROR(status) && listen && session->resident) {
    status = share_tap_open(&session->tap, session->resident->protocol);
  }
  if(!EFI_ERROR(status)) {
    if(session->resident) {
      out("Sharing the NIC with the firmware's network stack.\n");
    } else {
      out("Sharing the NIC with the firmware's network stack, over '%s'.\n", name);
    }
    status = mnp_link_receive(session->link, session->tap ? &nobody : client);
  }
  if(EFI_ERROR(status)) {
    complain("'%s' holds the NIC, but the firmware's stack (MNP) cannot be joined: %s; --take takes the NIC", name,
             status_text(status));
  }
  return status;
}

static EFI_STATUS start(struct session *session, const struct netdev_client *client, bool listen) {
  (void)netdev_set_client(session->netdev, client);
  if(listen) { /* before it receives: some parts are deaf for a second after the filter changes */
    (void)netdev_set_filter(session->netdev, EVERYTHING, NULL, 0);
  }
  EFI_STATUS status = efi_nic_start(&session->nic);
  if(EFI_ERROR(status)) {
    explain(session, status);
  }
  return status;
}

static bool link_is_up(void *ctx) {
  return session_link(ctx).up;
}

static bool is_contested(void *ctx) {
  return ((const struct session *)ctx)->claim.conflicts > 0;
}

static EFI_STATUS probe_address(struct session *session) {
  struct inet_host *host = &session->responder.host;
  uint8_t frame[INET_FRAME_SIZE];
  char address[IPV4_TEXT_SIZE];
  char mac[MAC_TEXT_SIZE];
  enum wait_result result = WAIT_TIMEOUT;
  for(UINTN i = 0; i < PROBES && result == WAIT_TIMEOUT; i++) {
    const size_t length = inet_arp_probe(frame, host, session->claim.address);
    (void)session_transmit(session, frame, length);
    result = session_wait(session, efi_clock_us() + PROBE_MS * 1000ULL, is_contested, session);
  }
  if(result == WAIT_DONE) {
    complain("%s is taken: %s has it; give another --addr", ipv4_text(session->claim.address, address),
             mac_text(session->claim.rival, mac));
    return EFI_ACCESS_DENIED;
  }
  if(result != WAIT_TIMEOUT) {
    return wait_status(result, EFI_SUCCESS);
  }
  EFI_TPL tpl = efi_nic_lock();
  session->claim.probing = false;
  host->address = session->claim.address;
  efi_nic_unlock(tpl);
  /* Announced, so that whoever knew the address under another MAC address learns ours. */
  const size_t length = inet_arp_request(frame, host, host->address);
  (void)session_transmit(session, frame, length);
  return EFI_SUCCESS;
}

static void tell_conflict(struct session *session) {
  char address[IPV4_TEXT_SIZE];
  char mac[MAC_TEXT_SIZE];
  if(session->claim.conflicts > 0 && !session->claim.probing && !session->conflict_told) {
    session->conflict_told = true;
    complain("%s claims our address %s as well: one of the two must change", mac_text(session->claim.rival, mac),
             ipv4_text(session->claim.address, address));
  }
}

UINT64 session_link_wait_us(const struct nic_options *options) {
  return (options->link_wait ? options->link_wait : LINK_WAIT_S) * 1000000ULL;
}

static EFI_STATUS wait_for_link(struct session *session, uint32_t link_wait_ms) {
  UINT64 wait_us = session->link_wait ? session->link_wait * 1000000ULL : link_wait_ms * 1000ULL;
  enum wait_result result = session_wait(session, efi_clock_us() + wait_us, link_is_up, session);
  if(result == WAIT_ABORTED || result == WAIT_GONE) {
    return wait_status(result, EFI_SUCCESS);
  }
  return link_is_up(session) ? EFI_SUCCESS : session_no_link(&session->pci);
}

/* From here on the counters and the link are what the talk, or the look, is about. */
static EFI_STATUS begin_watch(struct session *session, EFI_STATUS status) {
  const struct session_traffic traffic = session_traffic(session);
  session->frames_sent = traffic.sent;
  session->frames_received = traffic.received;
  session->link_up = session_link(session).up;
  session->watching = !EFI_ERROR(status);
  return status;
}

static void tell_link(struct session *session) {
  struct netdev_link link = session_link(session);
  if(!session->watching || link.up == session->link_up) {
    return;
  }
  session->link_up = link.up;
  if(link.up) {
    out("Link up: ");
    out_speed(&link);
    out("\n");
  } else {
    out("Link down: nothing goes out or comes in\n");
  }
}

EFI_STATUS session_start_to_look(struct session *session) {
  const struct netdev_client client = {.ctx = session, .receive = swallow};
  if(session->resident || !session->netdev) {
    return begin_watch(session, EFI_SUCCESS);
  }
  return begin_watch(session, start(session, &client, false));
}

EFI_STATUS session_start(struct session *session, uint32_t link_wait_ms) {
  const struct netdev_client client = {.ctx = session, .receive = swallow};
  if(session->resident || !session->netdev) {
    return begin_watch(session, EFI_SUCCESS); /* the stack starts it when it likes, with or without a link */
  }
  EFI_STATUS status = start(session, &client, false);
  return EFI_ERROR(status) ? status : begin_watch(session, wait_for_link(session, link_wait_ms));
}

EFI_STATUS session_talk(struct session *session, const struct session_talker *talker, uint32_t link_wait_ms) {
  const struct netdev_client client = make_talk(session, talker);
  bool shared = session->resident || !session->netdev;
  EFI_STATUS status = shared ? join(session, &client, talker->listen) : start(session, &client, talker->listen);
  if(!EFI_ERROR(status) && link_wait_ms > 0) {
    status = wait_for_link(session, link_wait_ms);
  }
  if(!EFI_ERROR(status) && session->claim.probing) {
    status = probe_address(session);
  }
  return EFI_ERROR(status) ? status : begin_watch(session, status);
}

enum wait_result session_wait(struct session *session, UINT64 deadline_us, bool (*done)(void *ctx), void *ctx) {
  UINT64 spin_until_us = efi_clock_us() + SPIN_US;
  for(;;) {
    if(session->link) {
      mnp_link_poll(session->link);
    }
    if(session->tap) {
      const struct netdev_client client = {.ctx = session, .receive = deliver};
      share_tap_poll(session->tap, &client);
    }
    EFI_TPL tpl = efi_nic_lock();
    if(session->resident) {
      remote_refresh(session->resident);
    } else if(session->netdev) {
      netdev_poll(session->netdev, POLL_BUDGET);
    }
    bool gone = session->netdev && session->netdev->state == NETDEV_GONE;
    efi_nic_unlock(tpl);

    if(gone) {
      complain("the NIC no longer answers: was it removed?");
      return WAIT_GONE;
    }
    if(session->chore) {
      session->chore(session->chore_ctx);
    }
    tell_conflict(session);
    tell_link(session);
    /* Before `done`, or a peer that answers at once would keep Esc from ever being seen. */
    if(console_aborted()) {
      return WAIT_ABORTED;
    }
    if(done && done(ctx)) {
      return WAIT_DONE;
    }
    UINT64 now_us = efi_clock_us();
    if(now_us >= deadline_us) {
      return WAIT_TIMEOUT;
    }
    if(now_us >= spin_until_us && deadline_us - now_us > NAP_100NS / 10U) {
      EFI_EVENT events[] = {session->nap, ST->ConIn->WaitForKey};
      UINTN index;
      if(!EFI_ERROR(BS->SetTimer(session->nap, TimerRelative, NAP_100NS))) {
        (void)BS->WaitForEvent(2, events, &index);
      }
    }
  }
}

int session_transmit(void *ctx, const void *frame, size_t length) {
  struct session *session = ctx;
  if(session->link) {
    int result = mnp_link_transmit(session->link, frame, length);
    session->link_sent += result == NETDEV_OK;
    if(session->witness && result == NETDEV_OK) {
      session->witness(session->witness_ctx, true, frame, length);
    }
    return result;
  }
  EFI_TPL tpl = efi_nic_lock();
  int result = netdev_transmit(session->netdev, frame, length, NULL, 0);
  efi_nic_unlock(tpl);
  return result;
}
