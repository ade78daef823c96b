/* kernel.c - the reference kernel: leaves boot services, takes over the NIC that the firmware left, and counts numbered
 * frames by interrupts.
 *
 * usage: kernel.efi poll|intx|msi|msix FRAMES [INTERRUPTS_PER_SECOND]
 * It ends when frame number FRAMES has come, or after ten seconds without one, prints what it saw on the serial port, and
 * switches the machine off. Page tables are the firmware's, which map everything to itself. */
#include <efi.h>
#include <efilib.h>

#include "../../app/args.h"
#include "../../app/responder.h"
#include "../../app/testframe.h"
#include "../../driver/kernel/consumer.h"
#include "arch.h"

#define HEAP_PAGES      1024U /* for the driver's records, and for rings of its own when there is no handoff */
#define POLL_BUDGET     64U
#define IDLE_US         10000000U
#define TICK_US         10000U
#define CALIBRATE_US    10000U
#define OWN_ADDRESS     0x0A090902U /* 10.9.9.2 */
#define PCI_MSI_ENABLE  (1U << 16)
#define PCI_MSIX_ENABLE (1U << 31)
#define MSI_ADDRESS     0xFEE00000U

static struct {
  UINT8 *heap;
  UINTN heap_used;
  UINT64 ticks_per_us;
  struct kernel_nic nic;
  volatile UINT32 *registers;
  struct netdev *dev;
  struct responder responder;
  volatile bool work; /* the interrupt handler has found some */
  uint64_t firmware_frames;
  uint32_t expected; /* frames that the peer sends */
  uint32_t first;
  uint32_t newest;
  uint32_t received;
  uint32_t lost;
  uint32_t duplicated;
  uint32_t reordered;
  uint32_t damaged;
  uint64_t last_us;
} kernel;

/* Platform ------------------------------------------------------------------------------------------------------- */

static uint64_t now_us(void *ctx) {
  (void)ctx;
  return read_tsc() / kernel.ticks_per_us;
}

static uint32_t mmio_read32(void *ctx, uint32_t offset) {
  (void)ctx;
  return kernel.registers[offset / 4U];
}

static void mmio_write32(void *ctx, uint32_t offset, uint32_t value) {
  (void)ctx;
  __asm__ volatile("" : : : "memory");
  kernel.registers[offset / 4U] = value;
}

static void *take_pages(size_t size, size_t align) {
  UINTN start = (kernel.heap_used + align - 1U) & ~(align - 1U);
  if(start + size > HEAP_PAGES * EFI_PAGE_SIZE) {
    return NULL;
  }
  kernel.heap_used = start + size;
  return kernel.heap + start;
}

static void *heap_alloc(void *ctx, size_t size) {
  (void)ctx;
  return take_pages(size, 64);
}

static void heap_free(void *ctx, void *memory, size_t size) {
  (void)ctx;
  (void)memory;
  (void)size;
}

static int dma_alloc(void *ctx, size_t size, size_t align, struct net_dma *out) {
  (void)ctx;
  void *memory = take_pages(size, align < EFI_PAGE_SIZE ? EFI_PAGE_SIZE : align);
  if(!memory) {
    return NETDEV_E_NO_MEMORY;
  }
  *out = (struct net_dma){memory, (uint64_t)(UINTN)memory, size, NULL};
  return NETDEV_OK;
}

static void dma_free(void *ctx, struct net_dma *dma) {
  (void)ctx;
  (void)dma;
}

static void delay_us(void *ctx, uint32_t us) {
  uint64_t end = now_us(ctx) + us;
  while(now_us(ctx) < end) {
  }
}

static void log_line(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  (void)ctx;
  if(level <= NET_LOG_INFO) {
    serial_text("kernel: ");
    serial_text(text);
    serial_text(" ");
    serial_number(value);
    serial_text("\r\n");
  }
}

static const struct net_platform platform = {
    .version = NET_PLATFORM_VERSION,
    .size = sizeof(struct net_platform),
    .mmio_read32 = mmio_read32,
    .mmio_write32 = mmio_write32,
    .alloc = heap_alloc,
    .free = heap_free,
    .dma_alloc = dma_alloc,
    .dma_free = dma_free,
    .delay_us = delay_us,
    .now_us = now_us,
    .log = log_line,
};

static void *map(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)size;
  return (void *)(UINTN)physical;
}

/* Frames --------------------------------------------------------------------------------------------------------- */

static int send(void *ctx, const void *frame, size_t length) {
  return netdev_transmit(ctx, frame, length, NULL, 0);
}

static void count(const struct testframe *what, bool intact) {
  if(!intact) {
    kernel.damaged++;
    return;
  }
  if(kernel.received == 0) {
    kernel.first = what->sequence;
    kernel.newest = what->sequence - 1U;
  }
  if(what->sequence == kernel.newest + 1U) {
    kernel.received++;
  } else if(what->sequence > kernel.newest) {
    kernel.lost += what->sequence - kernel.newest - 1U;
    kernel.received++;
  } else if(what->sequence == kernel.newest) {
    kernel.duplicated++;
    return;
  } else {
    kernel.reordered++;
    return;
  }
  kernel.newest = what->sequence;
}

static void on_frame(void *ctx, const struct netdev_frame *frame) {
  struct testframe what;
  struct inet_packet packet;
  bool intact;
  (void)ctx;
  kernel.last_us = now_us(NULL);
  if(testframe_parse(frame->data, frame->length, &what, &intact)) {
    count(&what, intact);
    return;
  }
  inet_parse(frame->data, frame->length, &packet);
  (void)responder_handle(&kernel.responder, frame, &packet);
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

static void on_interrupt(void) {
  if(e1000_irq_handle(kernel.dev)) {
    kernel.work = true;
  }
}

static UINT8 capability(UINT8 id) {
  UINT8 at = (UINT8)pci_read(kernel.nic.bus, kernel.nic.device, kernel.nic.function, 0x34);
  while(at) {
    UINT32 header = pci_read(kernel.nic.bus, kernel.nic.device, kernel.nic.function, at);
    if((UINT8)header == id) {
      return at;
    }
    at = (UINT8)(header >> 8);
  }
  return 0;
}

static void config_write(UINT8 offset, UINT32 value) {
  pci_write(kernel.nic.bus, kernel.nic.device, kernel.nic.function, offset, value);
}

static UINT32 config_read(UINT8 offset) {
  return pci_read(kernel.nic.bus, kernel.nic.device, kernel.nic.function, offset);
}

/* Both of QEMU's machines: on q35 the devices of bus 0 are spread over inputs 20 to 23, on pc the Interrupt Line holds the
 * input. Either may be unused, so both are routed. */
static void route_intx(void) {
  UINT32 interrupt = config_read(0x3C);
  ioapic_route(20U + ((kernel.nic.device + ((interrupt >> 8) & 0xFFU) - 1U) & 3U));
  ioapic_route(interrupt & 0xFU);
}

static bool route_msi(void) {
  UINT8 at = capability(0x05);
  if(!at) {
    return false;
  }
  config_write((UINT8)(at + 4U), MSI_ADDRESS);
  config_write((UINT8)(at + 8U), 0);
  config_write((UINT8)(at + 12U), NIC_VECTOR);
  config_write(at, config_read(at) | PCI_MSI_ENABLE);
  return true;
}

static bool route_msix(void) {
  UINT8 at = capability(0x11);
  if(!at) {
    return false;
  }
  UINT32 place = config_read((UINT8)(at + 4U));
  volatile UINT32 *entry =
      (volatile UINT32 *)(UINTN)((config_read((UINT8)(0x10U + 4U * (place & 7U))) & ~15U) + (place & ~7U));
  config_write(at, config_read(at) | PCI_MSIX_ENABLE);
  entry[0] = MSI_ADDRESS;
  entry[1] = 0;
  entry[2] = NIC_VECTOR;
  entry[3] = 0;
  return true;
}

static bool set_up_interrupts(const char *mode, uint32_t per_second) {
  enum e1000_irq_mode irq = E1000_IRQ_INTX;
  bool routed = true;
  arch_nic_interrupt = on_interrupt;
  if(text_equal(mode, "intx")) {
    route_intx();
  } else if(text_equal(mode, "msi")) {
    irq = E1000_IRQ_MSI;
    routed = route_msi();
  } else if(text_equal(mode, "msix")) {
    irq = E1000_IRQ_MSIX;
    routed = route_msix();
  } else {
    return true;
  }
  if(!routed || e1000_irq_enable(kernel.dev, irq, per_second) != NETDEV_OK) {
    serial_text("kernel: this NIC has no such interrupts\r\n");
    return false;
  }
  interrupts_on();
  return true;
}

/* The interrupt handler only says that there is work; it is done here, a budget at a time, with interrupts masked in the
 * NIC until nothing is left. */
static void work_by_interrupts(void) {
  interrupts_off();
  bool work = kernel.work;
  kernel.work = false;
  interrupts_on();
  if(work) {
    while(netdev_poll(kernel.dev, POLL_BUDGET) == POLL_BUDGET) {
    }
    e1000_irq_rearm(kernel.dev);
  }
}

static void run(bool polling) {
  uint64_t tick_us = now_us(NULL);
  kernel.last_us = tick_us;
  serial_text("kernel: running\r\n");
  while(kernel.newest < kernel.expected && now_us(NULL) - kernel.last_us < IDLE_US) {
    if(polling) {
      netdev_poll(kernel.dev, POLL_BUDGET);
    } else {
      work_by_interrupts();
    }
    if(now_us(NULL) - tick_us >= TICK_US) {
      tick_us = now_us(NULL);
      (void)netdev_tick(kernel.dev);
    }
  }
}

static void report(enum kernel_nic_origin origin) {
  const struct {
    const char *name;
    uint64_t value;
  } numbers[] = {
      {" firmware ", kernel.firmware_frames},
      {" kernel ", kernel.received},
      {" first ", kernel.first},
      {" last ", kernel.newest},
      {" lost ", kernel.lost},
      {" duplicated ", kernel.duplicated},
      {" reordered ", kernel.reordered},
      {" damaged ", kernel.damaged},
      {" interrupts ", arch_interrupts},
      {" pings ", kernel.responder.echo_replies},
  };
  serial_text("\r\nkernel:");
  serial_text(origin == KERNEL_NIC_ADOPTED ? " adopted" : " fresh");
  for(UINTN i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    serial_text(numbers[i].name);
    serial_number(numbers[i].value);
  }
  serial_text(" end\r\n");
}

/* Boot services -------------------------------------------------------------------------------------------------- */

static BOOLEAN find_nic(VOID) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN count_of_handles;
  BOOLEAN found = FALSE;
  if(EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count_of_handles, &handles))) {
    return FALSE;
  }
  for(UINTN i = 0; i < count_of_handles && !found; i++) {
    EFI_PCI_IO_PROTOCOL *io;
    UINT32 header[5];
    UINTN segment;
    UINTN bus;
    UINTN device;
    UINTN function;
    if(!EFI_ERROR(BS->HandleProtocol(handles[i], &guid, (VOID **)&io)) &&
       !EFI_ERROR(io->Pci.Read(io, EfiPciIoWidthUint32, 0, 5, header)) &&
       e1000_model_name((UINT16)header[0], (UINT16)(header[0] >> 16)) &&
       !EFI_ERROR(io->GetLocation(io, &segment, &bus, &device, &function))) {
      kernel.nic = (struct kernel_nic){(UINT16)segment,           (UINT8)bus,       (UINT8)device,
                                       (UINT8)function,           (UINT8)header[2], (UINT16)header[0],
                                       (UINT16)(header[0] >> 16), header[4] & ~15U};
      kernel.registers = (volatile UINT32 *)(UINTN)kernel.nic.bar0;
      found = TRUE;
    }
  }
  FreePool(handles);
  return found;
}

static EFI_STATUS prepare(VOID) {
  EFI_PHYSICAL_ADDRESS heap = 0xFFFFFFFFULL;
  if(!find_nic()) {
    Print(L"kernel: no NIC\n");
    return EFI_NOT_FOUND;
  }
  EFI_STATUS status = BS->AllocatePages(AllocateMaxAddress, EfiLoaderData, HEAP_PAGES, &heap);
  if(EFI_ERROR(status)) {
    return status;
  }
  kernel.heap = (UINT8 *)(UINTN)heap;
  SetMem(kernel.heap, HEAP_PAGES * EFI_PAGE_SIZE, 0);
  UINT64 start = read_tsc();
  BS->Stall(CALIBRATE_US);
  kernel.ticks_per_us = (read_tsc() - start) / CALIBRATE_US + 1U;
  return EFI_SUCCESS;
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

static int words_of(EFI_HANDLE image, char *line, UINTN size, char *words[], int max) {
  EFI_LOADED_IMAGE *loaded;
  if(EFI_ERROR(BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded)) || !loaded->LoadOptions) {
    return 0;
  }
  const CHAR16 *from = loaded->LoadOptions;
  UINTN i = 0;
  for(; i + 1 < size && i < loaded->LoadOptionsSize / sizeof(CHAR16) && from[i]; i++) {
    line[i] = (char)from[i];
  }
  line[i] = '\0';
  /* The Shell puts the image's name first, a boot option and netdiag do not. */
  int count_of_words = args_split(line, words, max);
  UINTN length = count_of_words > 0 ? strlena((const CHAR8 *)words[0]) : 0;
  if(length >= 4 && text_equal(words[0] + length - 4, ".efi")) {
    for(int word = 1; word < count_of_words; word++) {
      words[word - 1] = words[word];
    }
    count_of_words--;
  }
  return count_of_words;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  static char line[256];
  char *words[4] = {0};
  uint32_t per_second = 0;
  InitializeLib(image, system_table);
  int word_count = words_of(image, line, sizeof(line), words, 4);
  if(word_count < 2 || !args_u32(words[1], &kernel.expected) || (word_count > 2 && !args_u32(words[2], &per_second))) {
    Print(L"usage: kernel.efi poll|intx|msi|msix FRAMES [INTERRUPTS_PER_SECOND]\n");
    return EFI_INVALID_PARAMETER;
  }
  if(EFI_ERROR(prepare()) || EFI_ERROR(leave(image))) {
    Print(L"kernel: cannot leave boot services\n");
    return EFI_ABORTED;
  }
  arch_init();
  serial_text("\r\nkernel: boot services left\r\n");

  uint64_t table =
      kernel_handoff_locate((const struct kernel_efi_entry *)ST->ConfigurationTable, ST->NumberOfTableEntries, 0);
  const struct netdev_client client = {.receive = on_frame};
  enum kernel_nic_origin origin;
  int result = kernel_nic_start(&platform, &kernel.nic, (const void *)(UINTN)table, NET_HANDOFF_MAX_SIZE, table, map,
                                &client, &kernel.dev, &origin);
  if(result != NETDEV_OK) {
    serial_text("kernel: the NIC does not start: ");
    serial_text(netdev_strerror(result));
    serial_text("\r\n");
  } else {
    kernel.firmware_frames = kernel.dev->stats.rx_frames;
    kernel.responder = (struct responder){.send = send, .send_ctx = kernel.dev};
    CopyMem(kernel.responder.host.mac, kernel.dev->mac, NETDEV_MAC_LENGTH);
    kernel.responder.host.address = OWN_ADDRESS;
    if(set_up_interrupts(words[0], per_second)) {
      run(text_equal(words[0], "poll"));
    }
    interrupts_off();
    report(origin);
  }
  RT->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
  return EFI_SUCCESS;
}
