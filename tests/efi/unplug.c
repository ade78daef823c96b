/* unplug.c - a driver that lets QEMU take a device away: it answers device_del, as an operating system's ACPI would and
 * OVMF does not (QEMU's docs/specs/acpi_pci_hotplug). It does so at TPL_NOTIFY, so in the middle of whatever a network
 * driver is doing. */
#include <efi.h>
#include <efilib.h>

#define CONFIG_ADDRESS 0xCF8U
#define CONFIG_DATA    0xCFCU
#define I440FX_ID      0x12378086U
#define BASE_I440FX    0xAE00U
#define BASE_Q35       0x0CC0U
#define REMOVE_REQUEST 0x04U /* slots that are to be given up, a bit each  */
#define EJECT          0x08U
#define BUS_SELECT     0x10U
#define BUSES          4U
#define PERIOD_100NS   100000U

static UINT16 base;

static VOID out32(UINT16 port, UINT32 value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static UINT32 in32(UINT16 port) {
  UINT32 value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static VOID EFIAPI answer(EFI_EVENT event, VOID *context) {
  (void)event;
  (void)context;
  for(UINT32 bus = 0; bus < BUSES; bus++) {
    out32((UINT16)(base + BUS_SELECT), bus);
    UINT32 slots = in32((UINT16)(base + REMOVE_REQUEST));
    if(slots != 0 && slots != UINT32_MAX) {
      out32((UINT16)(base + EJECT), slots);
    }
  }
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_EVENT event;
  InitializeLib(image, system_table);
  out32(CONFIG_ADDRESS, 0x80000000U);
  base = in32(CONFIG_DATA) == I440FX_ID ? BASE_I440FX : BASE_Q35;
  EFI_STATUS status = BS->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_NOTIFY, answer, NULL, &event);
  if(!EFI_ERROR(status)) {
    status = BS->SetTimer(event, TimerPeriodic, PERIOD_100NS);
  }
  return status;
}
