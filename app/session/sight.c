/* sight.c - what a session knows of its NIC, whoever drives it: address, model, link, what went over it, and how a wait
 * ended. */
#include "../console.h"
#include "session.h"

const uint8_t *session_mac(const struct session *session) {
  return session->netdev ? session->netdev->mac : session->foreign.snp->Mode->CurrentAddress.Addr;
}

const char *session_model(const struct session *session) {
  const char *model = session->netdev ? session->netdev->model : pci_model_name(&session->pci);
  return model ? model : "NIC";
}

struct netdev_link session_link(const struct session *session) {
  const struct netdev_link link = {.up = !session->netdev && share_link_up(&session->foreign)};
  return session->netdev ? session->netdev->link : link;
}

struct session_traffic session_traffic(const struct session *session) {
  struct session_traffic traffic = {session->link_sent, session->link_received};
  if(session->netdev) {
    EFI_TPL tpl = efi_nic_lock();
    const struct netdev_stats *stats = netdev_get_stats(session->netdev);
    traffic = (struct session_traffic){stats->tx_frames, stats->rx_frames};
    efi_nic_unlock(tpl);
  }
  return traffic;
}

void session_out_conflicts(const struct session *session) {
  char address[IPV4_TEXT_SIZE];
  if(session->claim.conflicts > 0) {
    out("address conflict: others claimed %s %d times\n", ipv4_text(session->claim.address, address),
        session->claim.conflicts);
  }
}

void session_out_traffic(const struct session *session) {
  const struct session_traffic now = session_traffic(session);
  uint64_t sent = now.sent - session->frames_sent;
  uint64_t received = now.received - session->frames_received;
  if(!session_link(session).up) {
    complain("the link is down: check the cable and the switch port");
  } else if(received == 0) {
    complain("the link is up, but nothing at all came in: %ju frames sent, 0 received", sent);
  } else {
    complain("the link is up, but nothing that came in was an answer: %ju frames sent, %ju received", sent, received);
  }
}

EFI_STATUS wait_status(enum wait_result result, EFI_STATUS timeout) {
  switch(result) {
  case WAIT_DONE:
    return EFI_SUCCESS;
  case WAIT_ABORTED:
    return EFI_ABORTED;
  case WAIT_GONE:
    return EFI_DEVICE_ERROR;
  case WAIT_TIMEOUT:
    break;
  }
  return timeout;
}
