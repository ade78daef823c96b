/* firmware.h - a small UEFI firmware on the host: the boot services and PciIo that driver/efi uses, over the simulator,
 * with failures on demand and a watch on its caller. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <efi.h>
#include <efilib.h>

#include "../sim/sim.h"
#include "../sim/virtio_sim.h"

/*
 * There is one firmware at a time, since UEFI's functions have no context. A mistake of the caller ends the program
 * with a line that names it: an unknown or stale handle, event, mapping or block of memory, a wrong TPL, a register
 * access with decoding off, any service but the allowed few inside ExitBootServices. A service that is not modelled is
 * NULL.
 */

/* What is allocated or installed at the moment. */
struct firmware_counts {
  UINTN handles;
  UINTN protocols;
  UINTN opens; /* agents in the protocol database                 */
  UINTN events;
  UINTN pool;     /* blocks                                          */
  UINTN pages;    /* AllocatePages calls not undone                  */
  UINTN buffers;  /* the same for PciIo.AllocateBuffer               */
  UINTN mappings; /* the same for PciIo.Map                          */
  UINTN tables;   /* entries of the configuration table              */
};

/* Life ----------------------------------------------------------------------------------------------------------- */

/* Powers the firmware on: BS, RT and ST are set. */
void firmware_begin(void);

/* Ends it, and the program as well unless everything but the test's own handles has been given back, TPL is
 * TPL_APPLICATION, and no simulator has a complaint. */
void firmware_end(void);

/* Ends it whatever is left: after ExitBootServices, or a failure that may leave something behind. */
void firmware_power_off(void);

void firmware_count(struct firmware_counts *counts);

/* A handle with a loaded image, as LoadImage makes it; it belongs to the firmware. */
EFI_HANDLE firmware_load_image(void);

/* Loads an image and calls its entry point; one that returns an error is gone again. */
EFI_STATUS firmware_start_image(EFI_STATUS (*entry)(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table),
                                EFI_HANDLE *image);

/* Calls the image's Unload, and takes the image's handle away when that succeeds. */
EFI_STATUS firmware_unload_image(EFI_HANDLE image);

/* What ConnectController and DisconnectController do, without being counted for a failure. */
EFI_STATUS firmware_connect(EFI_HANDLE controller);
EFI_STATUS firmware_connect_all(EFI_HANDLE controller); /* and the children, recursively */
EFI_STATUS firmware_disconnect(EFI_HANDLE controller, EFI_HANDLE agent);

/* The interface that a handle carries, or NULL. */
void *firmware_interface(EFI_HANDLE handle, EFI_GUID guid);

/* The handle with this protocol after `previous` (NULL: the first), or NULL. */
EFI_HANDLE firmware_next(EFI_GUID guid, EFI_HANDLE previous);

/* What the Shell's drvdiag does: asks the driver on `agent` for its diagnosis of `controller` (English), and gives back
 * with FreePool whatever it got, the error type too. The report goes to `text`, `size` bytes, cut if need be. */
EFI_STATUS firmware_diagnose(EFI_HANDLE agent, EFI_HANDLE controller, UINTN type, char *text, UINTN size);

/* What GetVariable finds from now on, whatever the name; NULL for nothing. */
void firmware_set_variable(const void *data, UINTN size);

/* Time and events ------------------------------------------------------------------------------------------------ */

#define FIRMWARE_TICK_US 10000U

/* Lets `count` timer ticks pass: time goes on by FIRMWARE_TICK_US each, and what is due is notified. */
void firmware_tick(UINTN count);

/* Goes on from one firmware to the next, as the processor's counter does: 1000 ticks per microsecond. */
UINT64 firmware_now_us(void);

/* Every Stall with this number takes four times what was asked for; 0 none, 1 all of them. After firmware_begin it is
 * every third. */
void firmware_late_stalls(UINTN every);

/* What the processor says of its counter's frequency in Hz; 0, as after firmware_begin, for nothing. */
void firmware_state_tsc(UINT64 hz);

EFI_TPL firmware_tpl(void);

/* What an event was made as. */
struct firmware_event {
  UINT32 type;
  EFI_TPL tpl;
  UINT64 period_us; /* 0 unless it is a periodic timer that runs */
};
void firmware_event(EFI_EVENT event, struct firmware_event *info);

/* Leaves boot services: the event group is notified, with every other service forbidden. firmware_power_off is next. */
void firmware_exit_boot_services(void);

/* After firmware_exit_boot_services: it failed after all, for want of the right map key, once everybody was notified.
 * Services answer again. */
void firmware_exit_failed(void);

/* Failures ------------------------------------------------------------------------------------------------------- */

/* Of the calls that the specification lets fail, the one with this number from now on (from 1; 0 none) fails, once.
 * With `shorten` a Map succeeds there, but for less than it was asked for; other calls then do not fail. */
void firmware_fail_at(UINTN call, BOOLEAN shorten);

/* The same for the nth call (from 1) of the service with this name, from now on; NULL for none. */
void firmware_fail_call(const char *name, UINTN nth);

/* The same for it and those that follow, `count` in all. */
void firmware_fail_calls(const char *name, UINTN nth, UINTN count);

/* The name of the call that failed, NULL as long as none has. */
const char *firmware_failed_call(void);

/* Network controllers -------------------------------------------------------------------------------------------- */

struct firmware_bar {
  UINT8 type; /* ACPI_ADDRESS_SPACE_TYPE_ */
  UINT64 base;
  UINT64 size;  /* 0 for one that is not there */
  UINT8 number; /* of its register: behind one of 64 bits another than PciIo's index */
  BOOLEAN wide; /* of 64 bits */
};

struct firmware_path {
  ACPI_HID_DEVICE_PATH root;
  PCI_DEVICE_PATH pci;
  EFI_DEVICE_PATH end;
};

/* A device that is none of the simulator's: what PciIo does is asked of these. */
struct firmware_device {
  UINT16 vendor_id;
  UINT16 device_id;
  UINT8 bar; /* number of its one BAR, memory of 32 bits */
  UINT64 bar_size;
  uint32_t (*read)(void *device, uint32_t bar, uint32_t offset, uint32_t width);
  void (*write)(void *device, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value);
  void (*map)(void *device, void *cpu, uint64_t at, size_t size); /* it reaches memory under this address... */
  void (*unmap)(void *device, uint64_t at);                       /* ... and no longer                       */
  const char *(*complaint)(void *device);                         /* what its driver did wrong, "" = nothing */

  /* Those that follow may be NULL: a device without has the firmware's configuration space and no clock, and stays the
   * caller's. */
  uint32_t (*config_read)(void *device, uint32_t offset, uint32_t width);
  void (*config_write)(void *device, uint32_t offset, uint32_t width, uint32_t value);
  void (*advance)(void *device, uint64_t us);
  void (*destroy)(void *device);
};

struct firmware_nic {
  struct firmware_nic *next;
  EFI_HANDLE handle; /* carries pci_io and a device path                    */
  EFI_PCI_IO_PROTOCOL pci_io;
  struct firmware_path path;          /* of its own, by bus_device                           */
  struct sim *sim;                    /* or NULL: */
  const struct firmware_device *kind; /* of `device` */
  void *device;
  UINTN bus;        /* 0 at first                                         */
  UINTN bus_device; /* 0000:BUS:NN.FUNCTION                               */
  UINTN bus_function;
  UINT8 config[256];          /* unless the device has its own                      */
  struct firmware_bar bar[6]; /* as PciIo counts them */
  UINT32 io_address;          /* what IOADDR selects                                  */
  UINT64 attributes;          /* in force: all off at first                          */
  UINT64 supported_attributes;
  BOOLEAN translated;   /* a bridge before it changes addresses, so that PciIo alone reaches its registers */
  UINT64 translation;   /* bus address less processor's, with `translated`: firmware_translate's, or any other */
  UINT64 accesses;      /* through PciIo.Mem so far                           */
  UINT64 reads;         /* of registers so far, by Mem.Read or at their address */
  UINT64 read_fails_at; /* the one with this number returns an error, or all ones; 0 never */
};

/* The bridge before the NIC adds this to its memory's addresses, for the processor; its BARs keep what they hold. */
void firmware_translate(struct firmware_nic *nic, UINT64 shift);

/* Where a device reaches what the processor has at this address; 0 when nothing maps it. */
UINT64 firmware_device_address(const void *cpu);

/* Puts a NIC into the machine. It belongs to the firmware. */
struct firmware_nic *firmware_add_nic(const struct sim_config *config);

/* The same with a device of another kind; `device` stays the caller's. */
struct firmware_nic *firmware_add_device(const struct firmware_device *kind, void *device);

/* The same with a simulated virtio-net device, which belongs to the firmware: firmware_virtio's. Its BARs of 64 bits
 * are above 4 GiB, as OVMF places them. */
struct firmware_nic *firmware_add_virtio(const struct virtio_sim_config *config);
struct virtio_sim *firmware_virtio(const struct firmware_nic *nic);

/* Of a NIC with either simulator: the frames that it has sent, in order; a frame that arrives; removal from
 * this access on, counted from 1 (0 never); accesses so far. */
size_t firmware_frames(const struct firmware_nic *nic);
const uint8_t *firmware_frame(const struct firmware_nic *nic, size_t index, size_t *length);
void firmware_forget_frames(const struct firmware_nic *nic);
enum sim_delivery firmware_inject(const struct firmware_nic *nic, const void *frame, size_t length);
void firmware_pull_at(const struct firmware_nic *nic, uint64_t access);
uint64_t firmware_accesses(const struct firmware_nic *nic);

/* What the NIC's driver did wrong first, "" for nothing. */
const char *firmware_complaint(const struct firmware_nic *nic);

#endif
