/* boot_efi.c - the reference kernel as a UEFI image: leaves boot services itself. */
#include <efi.h>
#include <efilib.h>

#include "../../app/testframe.h"
#include "arch.h"
#include "kernel.h"

#define BELOW_4G        0xFFFFFFFFULL
#define TRANSMIT_LENGTH 200U

static VOID read_line(EFI_HANDLE image, char *line, UINTN size) {
  EFI_LOADED_IMAGE *loaded;
  UINTN i = 0;
  if(!EFI_ERROR(BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded)) && loaded->LoadOptions) {
    const CHAR16 *from = loaded->LoadOptions;
    for(; i + 1 < size && i < loaded->LoadOptionsSize / sizeof(CHAR16) && from[i]; i++) {
      line[i] = (char)from[i];
    }
  }
  line[i] = '\0';
}

/* Sends numbered frames and asks for none of them back: they are in the ring when the kernel gets it. */
static EFI_STATUS transmit(UINT32 count) {
  EFI_SIMPLE_NETWORK *snp;
  static UINT8 frame[TRANSMIT_LENGTH];
  static const UINT8 everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_STATUS status = BS->LocateProtocol(&guid, NULL, (VOID **)&snp);
  if(!EFI_ERROR(status) && snp->Mode->State == EfiSimpleNetworkStopped) {
    status = snp->Start(snp);
  }
  if(!EFI_ERROR(status) && snp->Mode->State == EfiSimpleNetworkStarted) {
    status = snp->Initialize(snp, 0, 0);
  }
  for(UINT32 i = 1; !EFI_ERROR(status) && i <= count; i++) {
    const struct testframe what = {TESTFRAME_REQUEST, 1, i, sizeof(frame)};
    testframe_build(frame, &what, everybody, snp->Mode->CurrentAddress.Addr);
    status = snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL);
  }
  return status;
}

static EFI_STATUS leave(EFI_HANDLE image) {
  EFI_STATUS status = EFI_ABORTED;
  for(UINTN i = 0; i < 3 && EFI_ERROR(status); i++) {
    UINTN size;
    UINTN key;
    UINTN stride;
    UINT32 version;
    (void)LibMemoryMap(&size, &key, &stride, &version);
    out8(MARK_PORT, MARK_LEAVING);
    status = BS->ExitBootServices(image, key);
  }
  return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  static char line[KERNEL_LINE_SIZE];
  static struct kernel_options options;
  EFI_PHYSICAL_ADDRESS heap = BELOW_4G;
  InitializeLib(image, system_table);
  read_line(image, line, sizeof(line));
  const char *problem = kernel_parse(line, &options);
  if(problem) {
    Print(L"kernel: %a\n", problem);
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = options.transmit > 0 ? transmit(options.transmit) : EFI_SUCCESS;
  if(!EFI_ERROR(status)) {
    status = BS->AllocatePages(AllocateMaxAddress, EfiLoaderData, KERNEL_HEAP_SIZE / EFI_PAGE_SIZE, &heap);
  }
  if(!EFI_ERROR(status)) {
    SetMem((VOID *)heap, KERNEL_HEAP_SIZE, 0);
    status = leave(image);
  }
  if(EFI_ERROR(status)) {
    Print(L"kernel: cannot start: %r\n", status);
    return status;
  }
  kernel_main(&options, system_table, (UINT8 *)heap, options.transmit);
}
