/* fetch_http.h - a file by EFI_HTTP_PROTOCOL. */
#ifndef APP_FETCH_HTTP_H
#define APP_FETCH_HTTP_H

#include "transfer.h"

/* Fetches transfer->url; what goes wrong is told. */
EFI_STATUS fetch_http(struct transfer *transfer);

#endif
