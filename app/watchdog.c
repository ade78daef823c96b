/* watchdog.c - the firmware's watchdog timer, which would reset the machine in the middle of a command. */
#include "watchdog.h"

#define BOOT_OPTION_SECONDS 300U

static BOOLEAN by_boot_manager;

static EFI_LOADED_IMAGE *loaded_image(EFI_HANDLE image) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *loaded;
  return image && !EFI_ERROR(BS->HandleProtocol(image, &guid, (VOID **)&loaded)) ? loaded : NULL;
}

/* The boot manager is part of the firmware: a driver, not an application. */
static BOOLEAN boot_manager_started(EFI_HANDLE image) {
  const EFI_LOADED_IMAGE *own = loaded_image(image);
  const EFI_LOADED_IMAGE *parent = own ? loaded_image(own->ParentHandle) : NULL;
  return parent && parent->ImageCodeType != EfiLoaderCode;
}

void watchdog_init(EFI_HANDLE image) {
  by_boot_manager = boot_manager_started(image);
  watchdog_stop();
}

void watchdog_stop(void) {
  (void)BS->SetWatchdogTimer(0, 0, 0, NULL);
}

BOOLEAN watchdog_give_back(void) {
  if(by_boot_manager) {
    (void)BS->SetWatchdogTimer(BOOT_OPTION_SECONDS, 0, 0, NULL);
  }
  return by_boot_manager;
}
