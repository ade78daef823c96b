/* exitboot.c - leaves boot services while the network stack uses the NIC, then looks at the NIC's registers as an
 * operating system would find them. Talks to the serial port by itself from then on. */
#include <efi.h>
#include <efilib.h>
#include <string.h>

#define VIRTIO 0x1AF4U /* vendor ID */
#define COM1   0x3F8U
#define RCTL   0x100U
#define TCTL   0x400U
#define IMS    0x0D0U
#define ENABLE 2U /* RCTL.EN and TCTL.EN */

static VOID put(char c) {
  UINT8 status;
  do {
    __asm__ volatile("inb %1, %0" : "=a"(status) : "Nd"((UINT16)(COM1 + 5)));
  } while(!(status & 0x20));
  __asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((UINT16)COM1));
}

static VOID say(const char *text) {
  while(*text) {
    put(*text++);
  }
}

static VOID say_register(const char *name, UINT32 value) {
  say(name);
  for(INTN shift = 28; shift >= 0; shift -= 4) {
    put("0123456789abcdef"[value >> shift & 15]);
  }
}

struct nic {
  volatile UINT32 *registers; /* e1000: BAR 0 */
  volatile UINT8 *virtio;     /* virtio-net: the common configuration (VIRTIO 1.2, 4.1.4.3) */
  EFI_PCI_IO_PROTOCOL *io;
};

#define DEVICE_STATUS 20U

/* The first capability of type 1: BAR at 4, offset at 8. */
static BOOLEAN find_virtio(struct nic *nic) {
  UINT8 config[256];
  if(EFI_ERROR(nic->io->Pci.Read(nic->io, EfiPciIoWidthUint8, 0, sizeof(config), config))) {
    return FALSE;
  }
  for(UINTN at = config[0x34], i = 0; at >= 0x40 && at <= 0xF0 && i < 48; at = config[at + 1], i++) {
    if(config[at] == 9 && config[at + 3] == 1 && config[at + 4] < 5) {
      UINT32 bar[2];
      UINT32 offset;
      memcpy(bar, config + 0x10 + 4 * config[at + 4], sizeof(bar));
      memcpy(&offset, config + at + 8, sizeof(offset));
      UINT64 base = (bar[0] & ~15U) | ((bar[0] & 6U) == 4U ? (UINT64)bar[1] << 32 : 0);
      nic->virtio = (volatile UINT8 *)(UINTN)(base + offset);
      return TRUE;
    }
  }
  return FALSE;
}

static BOOLEAN find(struct nic *nic) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  BOOLEAN found = FALSE;
  if(EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
    return FALSE;
  }
  for(UINTN i = 0; i < count && !found; i++) {
    UINT32 header[5];
    if(!EFI_ERROR(BS->HandleProtocol(handles[i], &guid, (VOID **)&nic->io)) &&
       !EFI_ERROR(nic->io->Pci.Read(nic->io, EfiPciIoWidthUint32, 0, 5, header)) &&
       header[2] >> 24 == PCI_CLASS_NETWORK) {
      nic->registers = (volatile UINT32 *)(UINTN)(header[4] & ~15U);
      found = (header[0] & 0xFFFFU) == VIRTIO ? find_virtio(nic) : TRUE;
    }
  }
  FreePool(handles);
  return found;
}

static EFI_STATUS leave(EFI_HANDLE image) {
  EFI_STATUS status = EFI_ABORTED;
  for(UINTN i = 0; i < 3 && EFI_ERROR(status); i++) {
    UINTN size;
    UINTN key;
    UINTN stride;
    UINT32 version;
    (void)LibMemoryMap(&size, &key, &stride, &version);
    status = BS->ExitBootServices(image, key);
  }
  return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  struct nic nic = {0};
  InitializeLib(image, system_table);
  if(!find(&nic)) {
    Print(L"exitboot: no NIC\n");
    return EFI_NOT_FOUND;
  }
  if(nic.virtio) {
    Print(L"exitboot: status before %02x\n", nic.virtio[DEVICE_STATUS]);
  } else {
    Print(L"exitboot: receiver before %d\n", nic.registers[RCTL / 4] & ENABLE);
  }
  if(EFI_ERROR(leave(image))) {
    Print(L"exitboot: cannot leave boot services\n");
    return EFI_ABORTED;
  }
  if(nic.virtio) {
    say_register("exitboot: after: status ", nic.virtio[DEVICE_STATUS]);
  } else {
    say_register("exitboot: after: RCTL.EN ", nic.registers[RCTL / 4] & ENABLE);
    say_register(" TCTL.EN ", nic.registers[TCTL / 4] & ENABLE);
    say_register(" IMS ", nic.registers[IMS / 4]);
  }
  say("\r\n");
  RT->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
  return EFI_SUCCESS;
}
