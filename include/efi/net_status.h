/* net_status.h - status codes of the network protocols, UEFI 2.10 appendix D, that not every gnu-efi has. */
#ifndef EFI_NET_STATUS_H
#define EFI_NET_STATUS_H

#include <efi.h>

#define EFI_NET_NETWORK_UNREACHABLE  EFIERR(100)
#define EFI_NET_HOST_UNREACHABLE     EFIERR(101)
#define EFI_NET_PROTOCOL_UNREACHABLE EFIERR(102)
#define EFI_NET_PORT_UNREACHABLE     EFIERR(103)
#define EFI_NET_CONNECTION_FIN       EFIERR(104)
#define EFI_NET_CONNECTION_RESET     EFIERR(105)
#define EFI_NET_CONNECTION_REFUSED   EFIERR(106)
#define EFI_NET_HTTP_ERROR           EFIERR(35)

#endif
