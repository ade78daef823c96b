/* pci.h - finding network controllers on the PCI bus and saying who holds them. */
#ifndef EFI_PCI_H
#define EFI_PCI_H

#include <efi.h>
#include <efilib.h>

#include "net/driver.h"

/* One network controller. */
struct pci_nic {
  UINTN index; /* in pci_find_nics' list */
  EFI_HANDLE handle;
  EFI_PCI_IO_PROTOCOL *pci_io;
  UINTN segment;
  UINTN bus;
  UINTN device;
  UINTN function;
  UINT16 vendor_id;
  UINT16 device_id;
  UINT8 revision_id;
  UINT8 subclass;
  UINT16 subsystem_vendor_id;
  UINT16 subsystem_id;
  UINT8 interrupt_line;
  UINT8 interrupt_pin; /* 0 = none, 1 = INTA# */
  UINT16 command;
};

#define PCI_CAPABILITY_MSI  0x05U
#define PCI_CAPABILITY_PCIE 0x10U
#define PCI_CAPABILITY_MSIX 0x11U

/* Offset of a capability in configuration space, 0 when there is none. */
UINT8 pci_find_capability(EFI_PCI_IO_PROTOCOL *pci_io, UINT8 id);

enum pci_bar_type { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEMORY };

struct pci_bar {
  enum pci_bar_type type;
  BOOLEAN is_64bit;
  BOOLEAN prefetchable;
  BOOLEAN translated; /* a bridge on the way changes addresses */
  UINT8 index;        /* what PciIo calls it        */
  UINT64 base;        /* address the processor uses */
  UINT64 bus;         /* on the bus, as the register has it; 0 for ports that PciIo does not know of */
  UINT64 size;        /* bytes                      */
};

#define PCI_BAR_COUNT 6U

/* Every handle with EFI_PCI_IO_PROTOCOL whose class is network controller, in the order of segment, bus, device and
 * function. Reads configuration space only. *list is pool memory of the caller's (FreePool), NULL when *count is 0. */
EFI_STATUS pci_find_nics(struct pci_nic **list, UINTN *count);

/* What GetBarAttributes says of the BAR that PciIo calls `index` (0 to 5), which is not the number of its register;
 * `bus` is not known. PCI_BAR_NONE for one that is not there. */
void pci_get_bar(EFI_PCI_IO_PROTOCOL *pci_io, UINT8 index, struct pci_bar *bar);

/* The BARs by the number of their register, as PCI's capabilities and every other tool count. PCI_BAR_NONE for one that
 * is not there or not known to PciIo, and for the upper half of a 64-bit one. What Pci.Read answered, with none then.
 * TPL_NOTIFY or lower. */
EFI_STATUS pci_get_bars(EFI_PCI_IO_PROTOCOL *pci_io, struct pci_bar bars[PCI_BAR_COUNT]);

/* The family of this image that knows it, and the part in *model (may be NULL); NULL when none does. */
const struct net_driver *pci_find_driver(const struct pci_nic *nic, const struct net_model **model);

/* What that family calls the part ("82574L"), NULL when none knows it. */
const char *pci_model_name(const struct pci_nic *nic);

/* What that family is called, for messages ("e1000"); "no driver" when none knows it. */
const char *pci_driver_name(const struct pci_nic *nic);

/* The BAR to show of several: the largest in memory, else the largest there is, and the first of several as large.
 * Returns the number of its register, or -1 when there is none. */
INTN pci_main_bar(EFI_PCI_IO_PROTOCOL *pci_io, struct pci_bar *bar);

/* The agent that has PciIo of `handle` open BY_DRIVER, or NULL when nobody has. */
EFI_HANDLE pci_find_holder(EFI_HANDLE handle);

#define PCI_HOLDER_NAME_SIZE 64U /* room for what pci_holder_name writes: enough for most names */

/* Writes what the driver with this handle calls itself (ComponentName2, ComponentName, or the file of its image) to
 * `name` of `size` bytes, in ASCII, cut if need be; "unknown driver" for NULL. iPXE's drivers go by the name of their
 * build ("82540em.efidrv"): that becomes "iPXE (82540em.efidrv)". */
void pci_holder_name(EFI_HANDLE agent, char *name, UINTN size);

#endif
