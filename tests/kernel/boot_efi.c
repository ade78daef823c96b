/* boot_efi.c - the reference kernel as a UEFI image: leaves boot services itself. */
#include <efi.h>
#include <efilib.h>
#include <string.h>

#include "../../driver/lib/testframe.h"
#include "arch.h"
#include "kernel.h"
#include "nic.h"

#define BELOW_4G 0xFFFFFFFFULL
#define MAP_SIZE 32768U
#define TCTL     0x400U
#define TCTL_EN  2U

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

/* Behind the driver's back; QEMU sends no frame before the transmitter is on again. */
static VOID stall_transmitter(UINT32 index) {
  struct kernel_nic nic;
  if(nic_find(index, &nic)) {
    *mmio(nic.bar[0] + TCTL) &= ~TCTL_EN;
  }
}

/* Sends numbered frames and asks for none of them back: they are in the ring when the kernel gets it. */
static EFI_STATUS transmit(const struct kernel_options *options) {
  EFI_SIMPLE_NETWORK *snp;
  static UINT8 frames[KERNEL_TRANSMIT_MAX][KERNEL_TRANSMIT_LENGTH]; /* SNP's until it returns them, which is never */
  static const UINT8 everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_STATUS status = BS->LocateProtocol(&guid, NULL, (VOID **)&snp);
  if(!EFI_ERROR(status) && snp->Mode->State == EfiSimpleNetworkStopped) {
    status = snp->Start(snp);
  }
  if(!EFI_ERROR(status) && snp->Mode->State == EfiSimpleNetworkStarted) {
    status = snp->Initialize(snp, 0, 0);
  }
  if(!EFI_ERROR(status) && options->stalled) {
    stall_transmitter(options->nic);
  }
  for(UINT32 i = 1; !EFI_ERROR(status) && i <= options->transmit; i++) {
    const struct testframe what = {TESTFRAME_REQUEST, 1, i, KERNEL_TRANSMIT_LENGTH};
    testframe_build(frames[i - 1], &what, everybody, snp->Mode->CurrentAddress.Addr);
    status = snp->Transmit(snp, 0, KERNEL_TRANSMIT_LENGTH, frames[i - 1], NULL, NULL, NULL);
  }
  return status;
}

/* After an ExitBootServices that failed nothing may be called but GetMemoryMap and the next try (UEFI 2.10, 7.4.6). */
static EFI_STATUS leave(EFI_HANDLE image) {
  static UINT8 map[MAP_SIZE];
  EFI_STATUS status = EFI_ABORTED;
  for(UINTN i = 0; i < 3 && EFI_ERROR(status); i++) {
    UINTN size = sizeof(map);
    UINTN key;
    UINTN stride;
    UINT32 version;
    status = BS->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &stride, &version);
    if(!EFI_ERROR(status)) {
      out8(MARK_PORT, MARK_LEAVING);
      status = BS->ExitBootServices(image, key);
    }
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
  EFI_STATUS status = options.transmit > 0 ? transmit(&options) : EFI_SUCCESS;
  if(!EFI_ERROR(status)) {
    status = BS->AllocatePages(AllocateMaxAddress, EfiLoaderData, KERNEL_HEAP_SIZE / EFI_PAGE_SIZE, &heap);
  }
  if(!EFI_ERROR(status)) {
    memset((VOID *)heap, 0, KERNEL_HEAP_SIZE);
    status = leave(image);
  }
  if(EFI_ERROR(status)) {
    Print(L"kernel: cannot start: %r\n", status);
    return status;
  }
  kernel_main(&options, system_table, (UINT8 *)heap, options.transmit);
}
