/* efi_nic.h - one controller under UEFI: PciIo opened, DMA mapped, netdev created, heartbeat running. */
#ifndef EFI_NIC_H
#define EFI_NIC_H

#include <efi.h>
#include <efilib.h>

#include "clock.h"
#include "net/driver.h"

/* What is allocated or held at the moment. All zero again after efi_nic_detach: tests assert it. */
struct efi_nic_held {
  UINTN pool;       /* pool allocations              */
  UINTN dma;        /* AllocateBuffer + Map pairs    */
  UINTN pages;      /* pages behind them             */
  UINTN events;     /* events created                */
  UINTN protocols;  /* PciIo opened BY_DRIVER        */
  UINTN attributes; /* PCI attributes changed        */
};

typedef void (*efi_nic_log)(void *ctx, enum net_log_level level, const char *text, uint32_t value);

struct efi_nic {
  EFI_HANDLE controller; /* the PCI handle                                                        */
  EFI_HANDLE agent;      /* image or driver binding handle that PciIo is opened with              */
  EFI_PCI_IO_PROTOCOL *pci_io;
  struct net_device_id id;
  const struct net_driver *driver; /* the family that knows it, and what it says of the part                     */
  const struct net_model *model;
  UINT64 saved_attributes;
  BOOLEAN decodes_io;               /* I/O space can be enabled                                       */
  BOOLEAN low_memory;               /* from the options                                               */
  UINT8 bar_index[NET_BAR_COUNT];   /* what PciIo calls the BAR of each register                          */
  UINTN bar_address[NET_BAR_COUNT]; /* where the processor reaches it; 0: by PciIo only                 */
  struct net_platform platform;
  struct netdev *netdev;
  EFI_EVENT heartbeat;
  EFI_EVENT exit_boot_services;
  BOOLEAN exited;                    /* boot services are left: the NIC is the next stage's                   */
  UINT64 beats;                      /* how often the heartbeat ran                                           */
  struct net_handoff_image *handoff; /* the published table, when a handoff was asked for */
  struct net_handoff_nic *handoff_entry;
  struct efi_nic_held held;
  efi_nic_log log;
  void *log_ctx;
};

#define EFI_NIC_HEARTBEAT_MS 10U /* firmware with a coarser tick fires the event that much less often */

struct efi_nic_options {
  UINT32 tx_descriptors; /* 0 = net_driver.ring_default      */
  UINT32 rx_descriptors;
  BOOLEAN low_memory; /* rings and buffers below 4 GiB, also of a part that reaches further */
  efi_nic_log log;    /* may be NULL                 */
  void *log_ctx;
};

/*
 * Takes a controller: opens PciIo BY_DRIVER, saves the PCI attributes and enables IO, MEMORY, BUS_MASTER and, where
 * the part can take it, DUAL_ADDRESS_CYCLE, which is off otherwise; creates the
 * netdev (closed) and its rings, and makes sure that the NIC is quiet after ExitBootServices: receiver, transmitter
 * and interrupts off, by register writes alone. Zeroes *nic first; *nic must stay where it is until efi_nic_detach.
 * TPL_CALLBACK or lower, boot services only.
 *
 * EFI_ACCESS_DENIED when another driver holds the controller, EFI_UNSUPPORTED when no family of this image knows it,
 * its BARs are not what the family needs, or it cannot decode memory or be bus master, EFI_OUT_OF_RESOURCES,
 * EFI_TIMEOUT when it does not come out of its reset, EFI_DEVICE_ERROR; nothing is then left behind.
 */
EFI_STATUS efi_nic_attach(struct efi_nic *nic, EFI_HANDLE controller, EFI_HANDLE agent,
                          const struct efi_nic_options *options);

/* Undoes efi_nic_attach line by line. Whatever cannot be undone stays counted in nic->held. TPL_CALLBACK or lower. */
void efi_nic_detach(struct efi_nic *nic);

/* Opens the netdev and starts the heartbeat: a periodic timer event at TPL_CALLBACK that calls netdev_poll and
 * netdev_tick. From here on every netdev call needs TPL_CALLBACK: use efi_nic_lock. */
EFI_STATUS efi_nic_start(struct efi_nic *nic);

/* Stops the heartbeat and closes the netdev. Harmless when not started. */
void efi_nic_stop(struct efi_nic *nic);

/* Keeps the heartbeat out: raises to TPL_CALLBACK (from TPL_CALLBACK or lower); give the result to efi_nic_unlock. */
static inline EFI_TPL efi_nic_lock(void) {
  return BS->RaiseTPL(TPL_CALLBACK);
}

static inline void efi_nic_unlock(EFI_TPL tpl) {
  BS->RestoreTPL(tpl);
}

/* True when nothing is held any more. */
BOOLEAN efi_nic_nothing_held(const struct efi_nic *nic);

/* What can be seen of a controller without taking it: its station address and link. Two or three register reads that
 * disturb nobody, and memory decoding for as long where it is off; FALSE when this driver does not know the device.
 * TPL_NOTIFY or lower. */
BOOLEAN efi_nic_glance(EFI_PCI_IO_PROTOCOL *pci_io, UINT8 mac[NETDEV_MAC_LENGTH], struct netdev_link *link);

/* What configuration space says the controller is; all ones where it does not answer. */
EFI_STATUS efi_nic_read_id(EFI_PCI_IO_PROTOCOL *pci_io, struct net_device_id *id);

/* NETDEV_ results as EFI_STATUS. */
EFI_STATUS efi_status_of(int result);

/* Fills nic->platform: registers, DMA and time over PciIo. Part of efi_nic_attach; separate for the tests. */
void efi_platform_init(struct efi_nic *nic);

#endif
