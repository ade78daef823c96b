/* fetch.c - a file from a TFTP or HTTP server into memory, by the firmware's own protocols. */
#include "fetch.h"

#include <string.h>

#include "../../driver/efi/clock.h"
#include "fetch_http.h"
#include "fetch_tftp.h"
#include "transfer.h"

#define MAP_ENTRIES_MORE 16U /* that allocating the map itself may add */

static const struct {
  const char *name;
} steps[] = {
    [FETCH_URL] = {"reading the URL"},
    [FETCH_STACK] = {"setting up the firmware's network stack"},
    [FETCH_NAME] = {"looking up the server"},
    [FETCH_SIZE] = {"asking for the file's size"},
    [FETCH_MEMORY] = {"finding memory for it"},
    [FETCH_TRANSFER] = {"fetching"},
    [FETCH_DONE] = {"done"},
};

const char *fetch_step_name(enum fetch_step step) {
  return steps[step].name;
}

void fetch_free_memory(UINT64 *all, UINT64 *largest) {
  UINTN size = 0;
  UINTN key;
  UINTN each = 0;
  UINT32 version;
  VOID *map = NULL;
  *all = 0;
  *largest = 0;
  EFI_STATUS status = BS->GetMemoryMap(&size, NULL, &key, &each, &version);
  if(status != EFI_BUFFER_TOO_SMALL || each < sizeof(EFI_MEMORY_DESCRIPTOR)) {
    return;
  }
  size += MAP_ENTRIES_MORE * each;
  if(EFI_ERROR(BS->AllocatePool(EfiLoaderData, size, &map))) {
    return;
  }
  status = BS->GetMemoryMap(&size, map, &key, &each, &version);
  for(UINTN at = 0; !EFI_ERROR(status) && at + each <= size; at += each) {
    const EFI_MEMORY_DESCRIPTOR *block = (const EFI_MEMORY_DESCRIPTOR *)((const UINT8 *)map + at);
    UINT64 bytes = block->Type == EfiConventionalMemory ? block->NumberOfPages * EFI_PAGE_SIZE : 0;
    *all += bytes;
    *largest = bytes > *largest ? bytes : *largest;
  }
  BS->FreePool(map);
}

static UINT64 largest_block(void) {
  UINT64 all;
  UINT64 largest;
  fetch_free_memory(&all, &largest);
  return largest;
}

static EFI_STATUS run(struct transfer *transfer) {
  const char *problem = url_parse(transfer->request->url, &transfer->url);
  transfer->result->step = FETCH_URL;
  if(problem) {
    return transfer_fail(transfer, EFI_INVALID_PARAMETER, "%s", problem);
  }
  transfer->limit = transfer->request->limit ? transfer->request->limit : largest_block();
  if(transfer->limit == 0) {
    transfer->limit = UINT64_MAX; /* not known: the allocation will tell */
  }
  transfer->result->step = FETCH_STACK;
  return transfer->url.scheme == URL_TFTP ? fetch_tftp(transfer) : fetch_http(transfer);
}

EFI_STATUS fetch(const struct fetch_request *request, struct fetch_result *result) {
  struct transfer transfer;
  memset(result, 0, sizeof(*result));
  memset(&transfer, 0, sizeof(transfer));
  transfer.request = request;
  transfer.result = result;
  transfer.begun_us = efi_clock_us();
  transfer.watched_us = transfer.begun_us;
  result->status = run(&transfer);
  UINT64 ended_us = efi_clock_us();
  result->time_us = ended_us - transfer.begun_us;
  result->transfer_us = transfer.moving_us ? ended_us - transfer.moving_us : 0;
  (void)url_text(&transfer.url, result->url, sizeof(result->url));
  if(EFI_ERROR(result->status)) {
    fetch_free(result);
  } else {
    transfer_show(&transfer);
    result->step = FETCH_DONE;
    result->size = transfer.size;
  }
  return result->status;
}

void fetch_free(struct fetch_result *result) {
  if(result->address) {
    UINTN pages = (UINTN)EFI_SIZE_TO_PAGES(result->size);
    (void)BS->FreePages(result->address, pages ? pages : 1U);
  }
  result->address = 0;
  result->size = 0;
}
