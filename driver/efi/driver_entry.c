/* driver_entry.c - entry point of the UEFI drivers, e1000.efi and virtio-net.efi. */
#include "binding.h"

static EFI_STATUS EFIAPI unload(EFI_HANDLE image) {
  return binding_uninstall(image);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* Called by gnu-efi's start-up code, in the System V calling convention. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *loaded;
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->HandleProtocol(image, &guid, (VOID **)&loaded);
  if(!EFI_ERROR(status)) {
    status = binding_install(image);
  }
  if(!EFI_ERROR(status)) {
    loaded->Unload = (EFI_IMAGE_UNLOAD)unload;
    binding_report_held();
  }
  return status;
}
