/* transfer.c - what fetching by TFTP and by HTTP share: a child of the firmware's protocol, waiting, memory, words. */
#include "transfer.h"

#include <string.h>

#include "../../driver/efi/clock.h"
#include "../../driver/lib/format.h"
#include "efi/net_status.h"

#define WATCH_US 200000U

/* Words ---------------------------------------------------------------------------------------------------------- */

EFI_STATUS transfer_fail(struct transfer *transfer, EFI_STATUS status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)format_text(transfer->result->error, sizeof(transfer->result->error), format, arguments);
  va_end(arguments);
  return status;
}

const char *transfer_reason(EFI_STATUS status) {
  static const struct {
    EFI_STATUS status;
    const char *text;
  } rows[] = {
      {EFI_TIMEOUT, "no answer came"},
      {EFI_NO_MAPPING, "the NIC has no address that reaches the server"},
      {EFI_NO_MEDIA, "there is no link"},
      {EFI_OUT_OF_RESOURCES, "the firmware has no memory for it"},
      {EFI_PROTOCOL_ERROR, "the answer does not follow the protocol"},
      {EFI_ICMP_ERROR, "a router or the server answered with an ICMP error"},
      {EFI_NET_NETWORK_UNREACHABLE, "the server's network cannot be reached"},
      {EFI_NET_HOST_UNREACHABLE, "the server cannot be reached"},
      {EFI_NET_PROTOCOL_UNREACHABLE, "the server does not speak this protocol"},
      {EFI_NET_PORT_UNREACHABLE, "nobody listens at the server's port"},
      {EFI_NET_CONNECTION_FIN, "the server closed the connection"},
      {EFI_NET_CONNECTION_RESET, "the server broke the connection off"},
      {EFI_NET_CONNECTION_REFUSED, "the server refuses the connection: nobody listens at this port"},
      {EFI_DEVICE_ERROR, "the firmware reports a device error"},
      {EFI_ABORTED, "stopped"},
      {EFI_SECURITY_VIOLATION, "the server's certificate is not trusted"},
      {EFI_ACCESS_DENIED, "the firmware does not allow it: https needs the server's certificate among its own"},
      {EFI_UNSUPPORTED, "this firmware cannot do it"},
  };
  for(UINTN i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if(rows[i].status == status) {
      return rows[i].text;
    }
  }
  return "the firmware could not do it";
}

/* Waiting -------------------------------------------------------------------------------------------------------- */

VOID EFIAPI transfer_signal(EFI_EVENT event, VOID *context) {
  (void)event;
  *(volatile BOOLEAN *)context = TRUE;
}

void transfer_window(struct transfer *transfer) {
  transfer->window_us = efi_clock_us();
  transfer->window_done = transfer->done;
}

static bool show(struct transfer *transfer, UINT64 now_us) {
  const struct fetch_request *request = transfer->request;
  const struct fetch_progress progress = {.step = transfer->result->step,
                                          .size = transfer->size,
                                          .done = transfer->done,
                                          .time_us = now_us - transfer->begun_us,
                                          .retries = transfer->result->retries};
  transfer->watched_us = now_us;
  return !request->watch || request->watch(request->ctx, &progress);
}

void transfer_show(struct transfer *transfer) {
  (void)show(transfer, efi_clock_us());
}

EFI_STATUS transfer_wait(struct transfer *transfer, const volatile BOOLEAN *finished, EFI_STATUS (*poll)(void *ctx),
                         void *ctx) {
  while(!*finished) {
    UINT64 now_us = efi_clock_us();
    (void)poll(ctx);
    if(now_us - transfer->watched_us >= WATCH_US && !show(transfer, now_us)) {
      return EFI_ABORTED;
    }
    if(now_us - transfer->window_us < FETCH_WINDOW_S * 1000000ULL) {
      continue;
    }
    UINT64 came = transfer->done - transfer->window_done;
    if(came < FETCH_WINDOW_BYTES && !*finished) {
      return EFI_TIMEOUT;
    }
    transfer_window(transfer);
  }
  return EFI_SUCCESS;
}

/* Memory --------------------------------------------------------------------------------------------------------- */

EFI_STATUS transfer_sized(struct transfer *transfer, UINT64 size) {
  transfer->size = size;
  transfer->sized = true;
  if(size > transfer->limit) {
    return transfer_fail(transfer, EFI_BAD_BUFFER_SIZE,
                         transfer->request->limit ? "the file has %ju bytes, and at most %ju are taken"
                                                  : "the file has %ju bytes, and the largest free block of memory %ju",
                         size, transfer->limit);
  }
  return EFI_SUCCESS;
}

EFI_STATUS transfer_room(struct transfer *transfer) {
  UINTN pages = (UINTN)EFI_SIZE_TO_PAGES(transfer->size);
  EFI_PHYSICAL_ADDRESS address = 0;
  EFI_STATUS status = BS->AllocatePages(AllocateAnyPages, transfer->request->memory, pages ? pages : 1U, &address);
  if(EFI_ERROR(status)) {
    return transfer_fail(transfer, EFI_OUT_OF_RESOURCES, "there is no block of %ju bytes of free memory",
                         transfer->size);
  }
  transfer->result->address = address;
  transfer->result->size = transfer->size;
  transfer->moving_us = efi_clock_us();
  return EFI_SUCCESS;
}
