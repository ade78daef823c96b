/* fetch_tftp.h - a file by EFI_MTFTP4_PROTOCOL or EFI_MTFTP6_PROTOCOL. */
#ifndef APP_FETCH_TFTP_H
#define APP_FETCH_TFTP_H

#include "transfer.h"

/* Fetches transfer->url; what goes wrong is told. */
EFI_STATUS fetch_tftp(struct transfer *transfer);

#endif
