/* cmd_dhcp.h - a DHCP server at the other end of a NIC's wire. It reads and writes messages with code of its own. */
#ifndef CMD_DHCP_H
#define CMD_DHCP_H

#include "cmd_machine.h"

struct dhcp_peer {
  struct firmware_nic *nic;
  uint8_t mac[6];
  uint32_t server;
  uint32_t address;
  uint32_t mask;
  uint32_t gateway; /* 0: none is named                                             */
  uint32_t dns;     /* the same */
  uint32_t lease_s;
  const char *pxe_file;  /* for a client that says PXEClient; NULL: none                 */
  const char *http_file; /* for one that says HTTPClient                                 */
  bool silent;           /* answers nothing                                              */
  bool nameless;         /* without option 54                                            */
  bool proxy;            /* offers a boot file and no address, and only to boot clients  */
  bool no_ack;           /* does not answer a request                                    */
  bool nak;              /* refuses it                                                   */
  int tag;               /* of its answers: -1 none, 0 a priority, else the VLAN         */
  uint32_t discovers;    /* that came, of PXE and HTTP clients                           */
  uint32_t requests;
  uint32_t releases; /* to this server, of the address that it gives                 */
  uint8_t uuid[16];  /* option 97 of the last DISCOVER                               */
};

/* At the wire of this NIC: 10.0.0.2 gives 10.0.0.15/24 with gateway 10.0.0.1, and to PXE clients BOOTX64.EFI. */
void dhcp_peer_begin(struct dhcp_peer *peer, struct firmware_nic *nic);

#endif
