/* count.c - moves frames through SNP in sections marked by writes to port 0x80, for tools/count-accesses.
 *
 * The whole run is at TPL_CALLBACK: the heartbeat, whose price is per second and not per frame, stays out. */
#include <efi.h>
#include <efilib.h>

#define FRAMES   1000U
#define ROUND    100U /* frames sent before their buffers are collected */
#define PATIENCE 200000000000U

enum section { OTHER, TRANSMIT, TRANSMIT_COMPLETION, RECEIVE, EMPTY_RECEIVE, GET_STATUS, GET_STATUS_INTERRUPT };

static VOID mark(enum section section) {
  __asm__ volatile("outb %0, $0x80" : : "a"((UINT8)section));
}

static EFI_STATUS transmit_all(EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  static UINT8 frames[ROUND][60];
  UINT16 type = 0x88B6; /* local experimental 2: nobody answers */
  UINTN returned = 0;
  for(UINTN round = 0; round < FRAMES / ROUND; round++) {
    mark(TRANSMIT);
    for(UINTN i = 0; i < ROUND; i++) {
      EFI_STATUS status =
          snp->Transmit(snp, 14, sizeof(frames[i]), frames[i], NULL, &snp->Mode->BroadcastAddress, &type);
      if(EFI_ERROR(status)) {
        return status;
      }
    }
    mark(TRANSMIT_COMPLETION);
    /* Some models send within the register write, others a little later. */
    for(UINTN i = 0; i < ROUND || (returned < (round + 1) * ROUND && i < PATIENCE); i++) {
      VOID *buffer = NULL;
      returned += snp->GetStatus(snp, NULL, &buffer) == EFI_SUCCESS && buffer;
    }
  }
  mark(OTHER);
  return returned == FRAMES ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static EFI_STATUS receive_all(EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  UINT8 frame[1600];
  UINTN received = 0;
  mark(RECEIVE);
  Print(L"count: send now\n");
  for(UINTN i = 0; i < PATIENCE && received < FRAMES; i++) {
    UINTN size = sizeof(frame);
    received += snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL) == EFI_SUCCESS;
  }
  mark(EMPTY_RECEIVE);
  for(UINTN i = 0; i < FRAMES; i++) {
    UINTN size = sizeof(frame);
    (void)snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL);
  }
  mark(OTHER);
  return received == FRAMES ? EFI_SUCCESS : EFI_TIMEOUT;
}

static VOID ask_status(EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  UINT32 causes;
  mark(GET_STATUS);
  for(UINTN i = 0; i < FRAMES; i++) {
    (void)snp->GetStatus(snp, NULL, NULL);
  }
  mark(GET_STATUS_INTERRUPT);
  for(UINTN i = 0; i < FRAMES; i++) {
    (void)snp->GetStatus(snp, &causes, NULL);
  }
  mark(OTHER);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_SIMPLE_NETWORK_PROTOCOL *snp;
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->LocateProtocol(&guid, NULL, (VOID **)&snp);
  if(!EFI_ERROR(status)) {
    status = snp->Start(snp);
  }
  if(!EFI_ERROR(status)) {
    status = snp->Initialize(snp, 0, 0);
  }
  if(!EFI_ERROR(status)) {
    status = snp->ReceiveFilters(snp, 5, 0, FALSE, 0, NULL);
  }
  if(!EFI_ERROR(status)) {
    EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
    status = transmit_all(snp);
    if(!EFI_ERROR(status)) {
      status = receive_all(snp);
    }
    ask_status(snp);
    BS->RestoreTPL(tpl);
    (void)snp->Shutdown(snp);
    (void)snp->Stop(snp);
  }
  Print(L"count: %r\n", status);
  return status;
}
