/* target.c - whom a command talks to, from which address, and through whom: judged before anything is sent. */
#include "target.h"

#include "../../driver/lib/station.h"
#include "../args.h"
#include "../console.h"

/* With the network's prefix, which is only known once there is an address of ours. */
static EFI_STATUS check_addresses(const struct target *target, const char *command, const char *word,
                                  uint32_t gateway) {
  const struct inet_host *host = &target->host;
  char text[IPV4_TEXT_SIZE];
  const char *fault = station_ipv4_fault(host->address, host->mask);
  if(fault) {
    complain("%s: our address %s is %s: give --addr ADDRESS/LENGTH", command, ipv4_text(host->address, text), fault);
    return EFI_INVALID_PARAMETER;
  }
  fault = station_peer_fault(host, target->address);
  if(fault) {
    complain("%s: %s is %s: give the address of another station", command, word, fault);
    return EFI_INVALID_PARAMETER;
  }
  if(target->hop == 0) {
    complain("%s: %s is not on our network: add --gw ADDRESS", command, word);
    return EFI_INVALID_PARAMETER;
  }
  if(target->hop == target->address) {
    return EFI_SUCCESS; /* no gateway is needed */
  }
  fault = station_peer_fault(host, target->hop);
  /* One host alone on its network (/32) has a gateway elsewhere; others would not reach theirs. */
  if(!fault && host->mask != UINT32_MAX && ((target->hop ^ host->address) & host->mask) != 0) {
    fault = "not on our network";
  }
  if(fault) {
    complain("%s: the gateway %s is %s: %s", command, ipv4_text(target->hop, text), fault,
             gateway ? "give another --gw" : "give --gw ADDRESS");
    return EFI_INVALID_PARAMETER;
  }
  return EFI_SUCCESS;
}

EFI_STATUS target_read(const char *command, const char *word, uint32_t *address) {
  if(!args_ipv4(word, address)) {
    complain("%s: '%s' is not an IPv4 address like 10.0.2.2 (there is no name resolution here)", command, word);
    return EFI_INVALID_PARAMETER;
  }
  const char *fault = station_ipv4_fault(*address, 0);
  if(fault) { /* on any network, so that no address needs to be asked for */
    complain("%s: %s is %s: give the address of another station", command, word, fault);
    return EFI_INVALID_PARAMETER;
  }
  return EFI_SUCCESS;
}

EFI_STATUS target_find(struct target *target, const char *command, const char *word, const struct nic_options *options,
                       const struct cidr_option *address, uint32_t gateway) {
  EFI_STATUS status = target_read(command, word, &target->address);
  if(!EFI_ERROR(status)) {
    status = session_address(options, address, gateway, &target->host);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  target->hop = inet_next_hop(&target->host, target->address);
  return check_addresses(target, command, word, gateway);
}
