/* removal.c - sends through SNP until the NIC is unplugged, then asks every function what it says of that, lets the
 * driver go, and compares memory and handles. With one NIC. Needs unplug.c, and the driver loaded but not connected. */
#include "efi/network_statistics.h"
#include "expect.h"
#include "firmware.h"

#define BUFFERS 64U
#define LENGTH  600U
#define BURSTS  20U  /* before it may be unplugged                               */
#define PAUSE   200U /* microseconds between two bursts: the peer keeps what it gets */
#define WARM_UP 5U

static EFI_SIMPLE_NETWORK_PROTOCOL *snp;
static UINT8 frames[BUFFERS][LENGTH];
static BOOLEAN busy[BUFFERS];

/* Takes back every buffer that there is, each once; returns what GetStatus said to end it. */
static EFI_STATUS recycle(VOID) {
  VOID *buffer = NULL;
  EFI_STATUS status;
  while((status = snp->GetStatus(snp, NULL, &buffer)) == EFI_SUCCESS && buffer) {
    UINTN index = (UINTN)((UINT8 *)buffer - frames[0]) / LENGTH;
    expect_true(L"a buffer that was out", index < BUFFERS && buffer == frames[index] && busy[index]);
    busy[index % BUFFERS] = FALSE;
  }
  return status;
}

static EFI_STATUS transmit(UINTN index) {
  UINT16 type = 0x88B6; /* local experimental 2: nobody answers */
  EFI_STATUS status = snp->Transmit(snp, 14, LENGTH, frames[index], NULL, &snp->Mode->BroadcastAddress, &type);
  busy[index] = status == EFI_SUCCESS;
  return status;
}

/* Sends without end; returns the first error. */
static EFI_STATUS send_until_removed(VOID) {
  for(UINTN burst = 0;; burst++) {
    if(burst == BURSTS) {
      Print(L"removal: unplug it\n");
    }
    for(UINTN i = 0; i < BUFFERS; i++) {
      EFI_STATUS status = busy[i] ? EFI_NOT_READY : transmit(i);
      if(EFI_ERROR(status) && status != EFI_NOT_READY) {
        return status;
      }
    }
    (void)recycle();
    BS->Stall(PAUSE);
  }
}

static VOID check_functions(VOID) {
  UINT8 frame[1600];
  UINT32 causes;
  UINTN size = sizeof(frame);
  UINTN out = 0;
  EFI_MAC_ADDRESS mac = snp->Mode->PermanentAddress;
  EFI_NETWORK_STATISTICS_2 table;
  mac.Addr[5] ^= 1;
  expect(L"GetStatus after the last buffer", recycle(), EFI_DEVICE_ERROR);
  for(UINTN i = 0; i < BUFFERS; i++) {
    out += busy[i];
  }
  expect_true(L"every buffer is back", out == 0);
  expect_true(L"no media", !snp->Mode->MediaPresent && snp->Mode->State == EfiSimpleNetworkInitialized);
  expect(L"GetStatus", snp->GetStatus(snp, &causes, NULL), EFI_DEVICE_ERROR);
  expect(L"Transmit", transmit(0), EFI_DEVICE_ERROR);
  expect(L"Receive", snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_DEVICE_ERROR);
  expect(L"WaitForPacket", BS->CheckEvent(snp->WaitForPacket), EFI_NOT_READY);
  expect(L"ReceiveFilters", snp->ReceiveFilters(snp, 0, 5, TRUE, 0, NULL), EFI_SUCCESS);
  expect(L"StationAddress", snp->StationAddress(snp, FALSE, &mac), EFI_DEVICE_ERROR);
  expect(L"NvData", snp->NvData(snp, TRUE, 0, 2, frame), snp->Mode->NvRamSize ? EFI_DEVICE_ERROR : EFI_UNSUPPORTED);
  size = sizeof(table);
  expect(L"Statistics", snp->Statistics(snp, FALSE, &size, &table.First), EFI_SUCCESS);
  expect(L"Reset", snp->Reset(snp, FALSE), EFI_DEVICE_ERROR);
  expect_true(L"not Initialized any more", snp->Mode->State == EfiSimpleNetworkStarted);
  expect(L"Initialize", snp->Initialize(snp, 0, 0), EFI_DEVICE_ERROR);
  expect(L"Stop", snp->Stop(snp), EFI_SUCCESS);
}

/* Whatever the firmware has on it, its own driver too, which does not stop while its SNP is started. */
static VOID free_devices(VOID) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  if(!EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
    for(UINTN i = 0; i < count; i++) {
      (void)BS->DisconnectController(handles[i], NULL, NULL);
    }
    FreePool(handles);
  }
  expect(L"disconnect", each_device(FALSE, FALSE), EFI_SUCCESS);
}

static VOID start(VOID) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  expect(L"connect", each_device(TRUE, FALSE), EFI_SUCCESS);
  expect(L"find SNP", BS->LocateProtocol(&guid, NULL, (VOID **)&snp), EFI_SUCCESS);
  if(snp) {
    expect(L"Start", snp->Start(snp), EFI_SUCCESS);
    expect(L"Initialize", snp->Initialize(snp, 0, 0), EFI_SUCCESS);
    expect(L"ReceiveFilters", snp->ReceiveFilters(snp, 5, 0, FALSE, 0, NULL), EFI_SUCCESS);
  }
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  struct census before;
  struct census after;
  EFI_HANDLE *controllers;
  UINTN count;
  InitializeLib(image, system_table);
  expect(L"find the NIC", find_controllers(&controllers, &count), EFI_SUCCESS);
  expect_true(L"one NIC", count == 1);
  free_devices();
  for(UINTN i = 0; i < WARM_UP; i++) {
    expect(L"connect", each_device(TRUE, FALSE), EFI_SUCCESS);
    expect(L"disconnect", each_device(FALSE, FALSE), EFI_SUCCESS);
  }
  expect(L"census", take_census(&before), EFI_SUCCESS);
  start();
  if(!failed) {
    expect(L"the first error", send_until_removed(), EFI_DEVICE_ERROR);
    check_functions();
  }
  expect(L"disconnect", BS->DisconnectController(controllers[0], NULL, NULL), EFI_SUCCESS);
  expect(L"census", take_census(&after), EFI_SUCCESS);
  expect_true(L"nothing is held", compare_census(L"removal", &before, &after) == 0);
  Print(L"removal: %d passed, %d failed\n", (INT32)passed, (INT32)failed);
  return failed ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}
