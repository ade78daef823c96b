/* ip4_policy.h - how the firmware gives a NIC its IPv4 address: remembered, changed for a while, and put back. */
#ifndef APP_IP4_POLICY_H
#define APP_IP4_POLICY_H

#include "efi/ip4_config2.h"

#define IP4_POLICY_SERVERS 8U /* gateways, and name servers, that are put back */

/* What the firmware keeps in a non-volatile variable, and forgets when the policy changes. */
struct ip4_policy {
  EFI_IP4_CONFIG2_POLICY policy;
  BOOLEAN has_address; /* one set by hand */
  EFI_IP4_CONFIG2_MANUAL_ADDRESS address;
  UINTN gateways;
  EFI_IPv4_ADDRESS gateway[IP4_POLICY_SERVERS];
  UINTN servers;
  EFI_IPv4_ADDRESS server[IP4_POLICY_SERVERS];
};

/* Remembers what is in force. */
EFI_STATUS ip4_policy_save(EFI_IP4_CONFIG2_PROTOCOL *config, struct ip4_policy *saved);

/* From now on by DHCP. Also when it is so already: that starts a client again that has given up. */
EFI_STATUS ip4_policy_dhcp(EFI_IP4_CONFIG2_PROTOCOL *config);

/* Sets an address by hand (host order; gateway 0: none). It is in force some time after this returns. */
EFI_STATUS ip4_policy_static(EFI_IP4_CONFIG2_PROTOCOL *config, UINT32 address, UINT32 mask, UINT32 gateway);

/* No DHCP any more, and no address unless there is one by hand. */
EFI_STATUS ip4_policy_no_dhcp(EFI_IP4_CONFIG2_PROTOCOL *config);

/* Sets name servers (network order), where the policy is static. None are fine. */
EFI_STATUS ip4_policy_name_servers(EFI_IP4_CONFIG2_PROTOCOL *config, const UINT8 (*servers)[4], UINTN count);

/* Puts back what was remembered, when it has changed. The first error; what can be put back is. */
EFI_STATUS ip4_policy_restore(EFI_IP4_CONFIG2_PROTOCOL *config, struct ip4_policy *saved);

#endif
