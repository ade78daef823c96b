/* services.h - the fake firmware's TFTP, HTTP, DNS, DHCP, PXE and RAM disks, and the server behind them. */
#ifndef FIRMWARE_SERVICES_H
#define FIRMWARE_SERVICES_H

#include "programs.h"

/* A file on the server. */
struct served_file {
  const char *name; /* "kernel.efi": the path without its first '/' */
  const void *content;
  UINTN size;
};

/* What the server does, right or wrong. Everything takes `step_us` at a time: one packet, or one piece of a body. */
struct server {
  struct served_file files[8]; /* up to the first without a name                                    */
  UINT64 step_us;
  UINTN piece; /* bytes of a body at a time; 0: as many as are asked for             */

  /* TFTP */
  BOOLEAN no_tsize;        /* options are not answered                                           */
  BOOLEAN refuses_options; /* error 8 for a request with any                                    */
  INTN tsize_lie;          /* added to what tsize says                                           */
  UINTN silent_after;      /* data packets of a transfer, then nothing; 0: it goes on            */
  UINTN silent_times;      /* transfers that this happens to                                     */

  /* HTTP */
  UINT32 status;   /* the answer to everything, an EFI_HTTP_STATUS_CODE; 0: as it should be */
  BOOLEAN no_head; /* 405                                                                   */
  BOOLEAN chunked; /* no length                                                             */
  BOOLEAN bare;    /* neither length nor chunks                                             */
  BOOLEAN no_ranges;
  BOOLEAN wrong_range;  /* another part than was asked for                                       */
  const char *location; /* a redirect; "" leads to the same again                               */
  UINTN redirects;      /* so many times                                                         */
  UINTN cut_after;      /* bytes of a body, then the connection is closed; 0: it is not          */
  UINTN cut_times;
  UINTN stall_after; /* the same, and silence                                                 */
  UINTN stall_times;
  INTN length_lie; /* added to Content-Length of GET                                        */
  BOOLEAN endless; /* chunks without end                                                    */
  BOOLEAN coded;   /* Content-Encoding: gzip                                                */
  BOOLEAN refuses; /* no connection                                                         */

  /* DNS: what names have; 0 and NULL: nobody knows them. silent: no answer */
  UINT32 name_address;
  const UINT8 *name_ipv6; /* 16 bytes */
  BOOLEAN dns_silent;

  /* IPv6: what routers give who asks them, 16 bytes; NULL: there are none */
  const UINT8 *ipv6_address;

  /* DHCP: of the lease in force */
  UINT32 lease_server;
  UINT32 lease_seconds;

  /* PXE: what Dhcp brings */
  EFI_STATUS dhcp_status;
  UINT32 pxe_address;
  UINT32 pxe_next;
  const char *pxe_file;

  /* DHCP, asked by a client of HTTP boot; address 0: nobody offers one */
  BOOLEAN http_silent; /* it is asked for ever */
  UINT32 http_address;
  const char *http_class; /* "HTTPClient"; NULL: without */
  const char *http_url;

  /* What was seen */
  UINTN gets;
  UINTN heads;
  UINTN reads;       /* TFTP requests                 */
  UINT64 last_range; /* first byte asked for          */
  char last_host[64];
  char last_url[512];
  UINTN lookups;
  UINTN name_servers; /* that DNS was given      */
};

/* From now on the firmware's stack has these protocols on every NIC that it runs on; `server` must stay. */
void services_add(struct server *server);

/* Without one of them: "Mtftp4", "Http", "Dns4", "Dns6", "Dhcp4", "PxeBc", "RamDisk", "Ip6Config". Before
 * services_add. */
void services_without(const char *name);

/* Children that exist, RAM disks, and whether PXE runs: all 0 when nothing is left. */
UINTN services_left(void);

/* Of PXE, as a started program sees it: the next server and file of the answer that it keeps; FALSE when there is
 * none. */
BOOLEAN services_pxe_ack(UINT32 *server, char file[128]);

/* RAM disks registered so far; the memory type that the last lay in. */
UINTN services_ram_disks(EFI_MEMORY_TYPE *type);

/* The policy of IPv6 is automatic; gateways and name servers of it that were set by hand, as often as that. */
BOOLEAN services_ip6_automatic(void);
UINTN services_ip6_servers_set(void);

/* stack.c's calls */
void services_start(EFI_HANDLE handle);
void services_stop(EFI_HANDLE handle);
void services_end(void);

#endif
