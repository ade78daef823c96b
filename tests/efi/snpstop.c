/* snpstop.c - shuts down and stops the first SNP, whoever has it running. */
#include <efi.h>
#include <efilib.h>

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_SIMPLE_NETWORK_PROTOCOL *snp;
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->LocateProtocol(&guid, NULL, (VOID **)&snp);
  if(!EFI_ERROR(status)) {
    /* Either fails where there is nothing to end */
    (void)snp->Shutdown(snp);
    (void)snp->Stop(snp);
    Print(L"snpstop: state %d\n", (INT32)snp->Mode->State);
    status = snp->Mode->State == EfiSimpleNetworkStopped ? EFI_SUCCESS : EFI_DEVICE_ERROR;
  }
  return status;
}
