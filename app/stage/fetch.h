/* fetch.h - a file from a TFTP or HTTP server into memory, by the firmware's own protocols. */
#ifndef APP_FETCH_H
#define APP_FETCH_H

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>

#include "url.h"

/* Where it is, or where it failed. */
enum fetch_step {
  FETCH_URL,      /* the URL is read                                              */
  FETCH_STACK,    /* the firmware's protocol for it is looked for, and set up     */
  FETCH_NAME,     /* the server's name is looked up                               */
  FETCH_SIZE,     /* the server is asked how large the file is                    */
  FETCH_MEMORY,   /* memory is allocated, once, for the whole of it               */
  FETCH_TRANSFER, /* it is read, straight into that memory                        */
  FETCH_DONE,
};

struct fetch_progress {
  enum fetch_step step;
  UINT64 size; /* bytes; 0 while it is not known                        */
  UINT64 done; /* bytes that are there; in FETCH_SIZE: that were counted */
  UINT64 time_us;
  UINT32 retries;
};

/* Called about five times a second while a fetch waits, at TPL_APPLICATION; false ends it with EFI_ABORTED. */
typedef bool (*fetch_watch)(void *ctx, const struct fetch_progress *progress);

struct fetch_request {
  EFI_HANDLE
  controller;      /* the NIC's handle with PciIo; the firmware's stack runs on it and, for IPv4, has an address */
  const char *url; /* tftp://, http:// or https://                                              */
  EFI_MEMORY_TYPE memory; /* of the pages that it is put into                                          */
  UINT64 limit;           /* bytes at most; 0: as much as the largest free block of memory holds       */
  fetch_watch watch;      /* may be NULL                                                               */
  void *ctx;
};

#define FETCH_ERROR_SIZE 256U

struct fetch_result {
  EFI_STATUS status;
  enum fetch_step step;         /* FETCH_DONE, or the one that failed                                  */
  char error[FETCH_ERROR_SIZE]; /* a sentence without a full stop; "" when all went well               */
  EFI_PHYSICAL_ADDRESS address; /* of the file, page by page, in memory of the type asked for; 0: none */
  UINT64 size;                  /* bytes                                                               */
  UINT64 time_us;               /* of the whole, from the call to its end                              */
  UINT64 transfer_us;           /* of the transfer alone                                               */
  UINT32 server;                /* the server's IPv4 address in host order; 0 when it is none          */
  bool ipv6;                    /* it was reached by IPv6, at `server6`, network order                 */
  UINT8 server6[16];
  UINT32 timeouts; /* requests that TFTP sent again because no answer came                */
  UINT32 retries;  /* transfers that broke off and were begun again...                    */
  UINT32 resumed;  /* ... of which so many went on where they had stopped (HTTP)          */
  UINT32 redirects;
  UINT32 http_status;      /* the last answer's: 404; 0 for none                                  */
  UINT32 tftp_error;       /* the code of the server's error packet and 1, 0 for none             */
  char url[URL_TEXT_SIZE]; /* where it came from in the end: after redirects                      */
};

/*
 * Fetches. On success the file is in memory that fetch_free gives back, and `error` is empty. On failure nothing is
 * left: no memory, no child of a protocol, no event. Prints nothing. Bounded on every path: at most FETCH_RETRIES new
 * beginnings, FETCH_REDIRECTS redirects, and a transfer that makes less than FETCH_WINDOW_BYTES in FETCH_WINDOW_S
 * seconds counts as broken off. TPL_APPLICATION.
 *
 * EFI_INVALID_PARAMETER: the URL. EFI_UNSUPPORTED: this firmware has not what it takes. EFI_NOT_FOUND: the server has
 * no such file, or nobody knows the name. EFI_ACCESS_DENIED: the server refuses. EFI_TIMEOUT: no answer, or too slow.
 * EFI_BAD_BUFFER_SIZE: larger than the limit, or more or less came than the server had said. EFI_OUT_OF_RESOURCES:
 * memory. EFI_ABORTED. EFI_DEVICE_ERROR and others: as the firmware says.
 */
#define FETCH_RETRIES      4U
#define FETCH_REDIRECTS    5U
#define FETCH_WINDOW_S     15U
#define FETCH_WINDOW_BYTES 1024U
EFI_STATUS fetch(const struct fetch_request *request, struct fetch_result *result);

/* Gives the memory back; harmless when there is none. */
void fetch_free(struct fetch_result *result);

/* "reading the URL", "asking for the size": what a complaint begins with. */
const char *fetch_step_name(enum fetch_step step);

/* Bytes of free memory, and of its largest block; zeroes when the firmware does not say. */
void fetch_free_memory(UINT64 *all, UINT64 *largest);

#endif
