/* paths.c - walks the paths of the datapath over a simulated device, for tools/instructions to count what the driver
 * executes on each. Under valgrind counting is switched on by entering a function path_NAME, and off and on again by
 * those that stand for firmware and device, apart_NAME. Usage: paths e1000|virtio-net */
#include "unit_efi.h"
#include "net/virtio_net.h"

#include <stdio.h>
#include <stdlib.h>

#include <valgrind/callgrind.h>

#define FRAMES  64U
#define WAITING 8U /* frames in the ring, as a caller finds them that looks now and then, and buffers to collect */
#define SHORT   60U
#define LONG    1514U

static UINT8 frame[LONG] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x52, 0x54, 0, 1, 2, 3, 0x88, 0xB5};
static UINT8 buffer[2048];
static UINTN failures;

static void check(BOOLEAN good, const char *what) {
  if(!good) {
    fprintf(stderr, "paths: %s\n", what);
    exit(1);
  }
}

/* A path, and what counts it: from zero, into a part of the output with its name. */
#define PATH(name, type, argument, call)                                                                               \
  static __attribute__((noinline)) void path_##name(type argument) call static void walk_##name(type argument) {       \
    CALLGRIND_ZERO_STATS;                                                                                              \
    path_##name(argument);                                                                                             \
    CALLGRIND_DUMP_STATS_AT(#name);                                                                                    \
  }

/* Firmware and device, apart ------------------------------------------------------------------------------------- */

static EFI_BOOT_SERVICES services;
static EFI_PCI_IO_PROTOCOL pci_io;

static EFI_TPL EFIAPI apart_raise(EFI_TPL tpl) {
  return services.RaiseTPL(tpl);
}

static VOID EFIAPI apart_restore(EFI_TPL tpl) {
  services.RestoreTPL(tpl);
}

static EFI_STATUS EFIAPI apart_read(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar,
                                    UINT64 offset, UINTN count, VOID *value) {
  return pci_io.Mem.Read(this, width, bar, offset, count, value);
}

static EFI_STATUS EFIAPI apart_write(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar,
                                     UINT64 offset, UINTN count, VOID *value) {
  return pci_io.Mem.Write(this, width, bar, offset, count, value);
}

static void set_apart(struct firmware_nic *nic) {
  services = *BS;
  BS->RaiseTPL = apart_raise;
  BS->RestoreTPL = apart_restore;
  pci_io = nic->pci_io;
  nic->pci_io.Mem.Read = apart_read;
  nic->pci_io.Mem.Write = apart_write;
}

/* The UEFI home -------------------------------------------------------------------------------------------------- */

static inline void transmit(EFI_SIMPLE_NETWORK_PROTOCOL *snp, UINTN length) {
  UINT32 causes;
  VOID *done;
  for(UINT32 i = 0; i < FRAMES; i++) {
    failures += snp->Transmit(snp, 0, length, frame, NULL, NULL, NULL) != EFI_SUCCESS;
    failures += snp->GetStatus(snp, &causes, &done) != EFI_SUCCESS || !done;
  }
}

/* As edk2's MNP: buffers are collected when some have been used up, and nobody asks for causes. */
static inline void transmit_then_collect(EFI_SIMPLE_NETWORK_PROTOCOL *snp, UINTN length) {
  VOID *done;
  for(UINT32 window = 0; window < FRAMES / WAITING; window++) {
    for(UINT32 i = 0; i < WAITING; i++) {
      failures += snp->Transmit(snp, 0, length, frame, NULL, NULL, NULL) != EFI_SUCCESS;
    }
    for(UINT32 i = 0; i < WAITING; i++) {
      failures += snp->GetStatus(snp, NULL, &done) != EFI_SUCCESS || !done;
    }
  }
}

static inline void receive(EFI_SIMPLE_NETWORK_PROTOCOL *snp, UINT32 count, EFI_STATUS status) {
  for(UINT32 i = 0; i < count; i++) {
    UINTN size = sizeof(buffer);
    failures += snp->Receive(snp, NULL, &size, buffer, NULL, NULL, NULL) != status;
  }
}

static inline void get_status(EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  UINT32 causes;
  VOID *done;
  for(UINT32 i = 0; i < FRAMES; i++) {
    failures += snp->GetStatus(snp, &causes, &done) != EFI_SUCCESS || done;
  }
}

#define SNP EFI_SIMPLE_NETWORK_PROTOCOL *
PATH(snp_transmit_60, SNP, snp, { transmit(snp, SHORT); })
PATH(snp_transmit_1514, SNP, snp, { transmit(snp, LONG); })
PATH(snp_transmit_8_60, SNP, snp, { transmit_then_collect(snp, SHORT); })
PATH(snp_transmit_8_1514, SNP, snp, { transmit_then_collect(snp, LONG); })
PATH(snp_receive_60, SNP, snp, { receive(snp, WAITING, EFI_SUCCESS); })
PATH(snp_receive_1514, SNP, snp, { receive(snp, WAITING, EFI_SUCCESS); })
PATH(snp_receive_empty, SNP, snp, { receive(snp, FRAMES, EFI_NOT_READY); })
PATH(snp_status_empty, SNP, snp, { get_status(snp); })

static void arrive(const struct firmware_nic *nic, UINTN length) {
  for(UINT32 i = 0; i < WAITING; i++) {
    check(firmware_inject(nic, frame, length) == SIM_DELIVERED, "SNP: the device takes no frame");
  }
}

static void walk_snp(BOOLEAN virtio) {
  const struct sim_config e1000 = unit_config(SIM_82540EM);
  const struct virtio_sim_config other = {.device_id = VIRTIO_SIM_MODERN, .mac = {0x52, 0x54, 0, 1, 2, 3}};
  EFI_HANDLE image;
  firmware_begin();
  struct firmware_nic *nic = virtio ? firmware_add_virtio(&other) : firmware_add_nic(&e1000);
  check(firmware_start_image(efi_main, &image) == EFI_SUCCESS, "the driver does not start");
  set_apart(nic);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(nic);
  walk_snp_transmit_60(snp);
  walk_snp_transmit_1514(snp);
  walk_snp_transmit_8_60(snp);
  walk_snp_transmit_8_1514(snp);
  walk_snp_receive_empty(snp);
  walk_snp_status_empty(snp);
  for(UINT32 i = 0; i < FRAMES / WAITING; i++) {
    arrive(nic, SHORT);
    walk_snp_receive_60(snp);
  }
  for(UINT32 i = 0; i < FRAMES / WAITING; i++) {
    arrive(nic, LONG);
    walk_snp_receive_1514(snp);
  }
  check(firmware_frames(nic) == 4U * FRAMES, "SNP: a frame was not sent");
  check(firmware_unload_image(image) == EFI_SUCCESS, "the driver does not leave");
  firmware_end();
}

/* The kernel home: registers only are the host's here ------------------------------------------------------------- */

static const struct net_platform *device; /* the simulator's */
static UINT32 received;

static void apart_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  device->write32(ctx, bar, offset, value);
}

static void apart_write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  device->write16(ctx, bar, offset, value);
}

static void apart_receive(void *ctx, const struct netdev_frame *taken) {
  (void)ctx;
  received += taken->length > 0;
}

static inline void send(struct netdev *dev, UINT32 length) {
  for(UINT32 i = 0; i < FRAMES; i++) {
    failures += netdev_transmit(dev, frame, length, frame, 0) != NETDEV_OK;
    failures += netdev_poll(dev, WAITING) != 0;
  }
}

static inline void poll_empty(struct netdev *dev) {
  for(UINT32 i = 0; i < FRAMES; i++) {
    failures += netdev_poll(dev, WAITING) != 0;
  }
}

#define NET struct netdev *
PATH(net_transmit_60, NET, dev, { send(dev, SHORT); })
PATH(net_transmit_1514, NET, dev, { send(dev, LONG); })
PATH(net_receive_60, NET, dev, { failures += netdev_poll(dev, WAITING) != WAITING; })
PATH(net_receive_1514, NET, dev, { failures += netdev_poll(dev, WAITING) != WAITING; })
PATH(net_poll_empty, NET, dev, { poll_empty(dev); })

struct kernel {
  struct sim *sim;
  struct virtio_sim *virtio;
  struct netdev *dev;
};

static void come_in(const struct kernel *kernel, UINT32 length) {
  for(UINT32 i = 0; i < WAITING; i++) {
    check((kernel->sim ? sim_inject(kernel->sim, frame, length) : virtio_sim_inject(kernel->virtio, frame, length)) ==
              SIM_DELIVERED,
          "the device takes no frame");
  }
}

static void walk_kernel(BOOLEAN virtio) {
  const struct sim_config e1000 = unit_config(SIM_82540EM);
  const struct virtio_sim_config other = {.device_id = VIRTIO_SIM_MODERN, .mac = {0x52, 0x54, 0, 1, 2, 3}};
  const struct net_config config = {
      .id = {.vendor_id = virtio ? 0x1AF4 : E1000_VENDOR_ID, .device_id = virtio ? VIRTIO_SIM_MODERN : SIM_82540EM}};
  const struct netdev_client client = {.receive = apart_receive};
  struct kernel kernel = {.sim = virtio ? NULL : sim_create(&e1000),
                          .virtio = virtio ? virtio_sim_create(&other) : NULL};
  device = virtio ? virtio_sim_platform(kernel.virtio) : sim_platform(kernel.sim);
  struct net_platform platform = *device;
  platform.write32 = apart_write32;
  platform.write16 = apart_write16;
  check((virtio ? virtio_net_create : e1000_create)(&platform, &config, &kernel.dev) == NETDEV_OK, "no device");
  check(netdev_set_client(kernel.dev, &client) == NETDEV_OK && netdev_open(kernel.dev) == NETDEV_OK, "does not open");
  walk_net_transmit_60(kernel.dev);
  walk_net_transmit_1514(kernel.dev);
  walk_net_poll_empty(kernel.dev);
  for(UINT32 i = 0; i < FRAMES / WAITING; i++) {
    come_in(&kernel, SHORT);
    walk_net_receive_60(kernel.dev);
  }
  for(UINT32 i = 0; i < FRAMES / WAITING; i++) {
    come_in(&kernel, LONG);
    walk_net_receive_1514(kernel.dev);
  }
  check(received == 2U * FRAMES && kernel.dev->stats.tx_frames == 2U * FRAMES, "a frame was lost");
  netdev_destroy(kernel.dev);
  if(virtio) {
    virtio_sim_destroy(kernel.virtio);
  } else {
    sim_destroy(kernel.sim);
  }
}

int main(int argc, char **argv) {
  BOOLEAN virtio = argc == 2 && strcmp(argv[1], "virtio-net") == 0;
  check(virtio || (argc == 2 && strcmp(argv[1], "e1000") == 0), "which family: e1000 or virtio-net?");
  walk_kernel(virtio);
  walk_snp(virtio);
  check(failures == 0, "a call did not answer what it should");
  printf("%u frames each\n", FRAMES);
  return 0;
}
