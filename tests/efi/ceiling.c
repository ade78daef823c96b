/* ceiling.c - drives an e1000's rings with no driver at all: what the device and the machine can do, for tools/bench.
 *
 * ceiling NIC SAMPLES transmit|hear|receive ...
 *
 * Registers are written where their BAR lies, without PciIo; nothing is checked that would have to be in a driver. A
 * received frame is copied out, which SNP asks of every driver. */
#include "bench.h"

/* SDM 13.4; QEMU's e1000e has them at the same places */
enum {
  CTRL = 0x0000,
  IMC = 0x00D8,
  RCTL = 0x0100,
  TCTL = 0x0400,
  RDBAL = 0x2800,
  TDBAL = 0x3800,
  BASE_HIGH = 4,
  LENGTH = 8,
  HEAD = 0x10,
  TAIL = 0x18,
  RAL0 = 0x5400,
  RAH0 = 0x5404
};

#define CTRL_SLU       (1U << 6)
#define CTRL_RST       (1U << 26)
#define RCTL_EN        (1U << 1)
#define RCTL_BAM       (1U << 15)
#define RCTL_SECRC     (1U << 26)
#define TCTL_EN        (1U << 1)
#define TCTL_PSP       (1U << 3)
#define TXD_EOP_FCS_RS 0x0B000000U
#define DONE           1U
#define RING           256U
#define BUFFER         2048U
#define PAGES          (RING * BUFFER / 4096U + 4U)
#define RESET_US       10000U
#define BURST_MOST     128U
#define ATTRIBUTES                                                                                                     \
  (EFI_PCI_IO_ATTRIBUTE_MEMORY | EFI_PCI_IO_ATTRIBUTE_BUS_MASTER | EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE)

struct descriptor {
  UINT64 address;
  UINT32 first; /* length, flags */
  UINT32 second;
};

struct ceiling {
  EFI_PCI_IO_PROTOCOL *io;
  volatile UINT8 *bar;
  volatile struct descriptor *transmit; /* two rings in the first pages, the buffers behind them */
  volatile struct descriptor *receive;
  UINT8 *buffers;
  VOID *mapping;
  UINT32 transmit_tail;
  UINT32 receive_next;
  UINTN wanted;
  UINTN number;
  UINT8 own[6];
  UINT8 out[FRAME_ROOM];
  UINT8 in[FRAME_ROOM];
  struct samples samples;
};

static VOID put(struct ceiling *nic, UINT32 offset, UINT32 value) {
  *(volatile UINT32 *)(nic->bar + offset) = value;
}

static UINT32 get(struct ceiling *nic, UINT32 offset) {
  return *(volatile UINT32 *)(nic->bar + offset);
}

static VOID set_ring(struct ceiling *nic, UINT32 base, volatile struct descriptor *ring) {
  put(nic, base, (UINT32)(UINTN)ring);
  put(nic, base + BASE_HIGH, (UINT32)((UINT64)(UINTN)ring >> 32));
  put(nic, base + LENGTH, RING * sizeof(*ring));
  put(nic, base + HEAD, 0);
  put(nic, base + TAIL, 0);
}

static EFI_STATUS start(struct ceiling *nic) {
  EFI_PHYSICAL_ADDRESS device = 0;
  UINTN bytes = PAGES * 4096U;
  UINT32 bar;
  VOID *memory = NULL;
  EFI_STATUS status = nic->io->Attributes(nic->io, EfiPciIoAttributeOperationEnable, ATTRIBUTES, NULL);
  if(!EFI_ERROR(status)) {
    status = nic->io->Pci.Read(nic->io, EfiPciIoWidthUint32, 0x10, 1, &bar);
  }
  if(!EFI_ERROR(status)) {
    status = nic->io->AllocateBuffer(nic->io, AllocateAnyPages, EfiBootServicesData, PAGES, &memory, 0);
  }
  if(!EFI_ERROR(status)) {
    status = nic->io->Map(nic->io, EfiPciIoOperationBusMasterCommonBuffer, memory, &bytes, &device, &nic->mapping);
  }
  if(EFI_ERROR(status) || device != (UINTN)memory) { /* behind an IOMMU there is more to do */
    return EFI_UNSUPPORTED;
  }
  memset(memory, 0, bytes);
  nic->bar = (volatile UINT8 *)(UINTN)(bar & ~15U);
  nic->transmit = memory;
  nic->receive = nic->transmit + RING;
  nic->buffers = (UINT8 *)memory + 2U * RING * sizeof(struct descriptor);
  put(nic, IMC, UINT32_MAX);
  put(nic, CTRL, get(nic, CTRL) | CTRL_RST);
  BS->Stall(RESET_US);
  put(nic, IMC, UINT32_MAX);
  put(nic, CTRL, get(nic, CTRL) | CTRL_SLU);
  UINT32 low = get(nic, RAL0);
  UINT32 high = get(nic, RAH0);
  memcpy(nic->own, &low, 4);
  memcpy(nic->own + 4, &high, 2);
  set_ring(nic, TDBAL, nic->transmit);
  set_ring(nic, RDBAL, nic->receive);
  for(UINTN i = 0; i < RING; i++) {
    nic->receive[i].address = (UINTN)(nic->buffers + i * BUFFER);
  }
  put(nic, TCTL, TCTL_EN | TCTL_PSP);
  put(nic, RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
  put(nic, RDBAL + TAIL, RING - 1U);
  return EFI_SUCCESS;
}

static VOID stop(struct ceiling *nic) {
  put(nic, RCTL, 0);
  put(nic, TCTL, 0);
  put(nic, CTRL, get(nic, CTRL) | CTRL_RST);
  BS->Stall(RESET_US);
  (void)nic->io->Unmap(nic->io, nic->mapping);
  (void)nic->io->FreeBuffer(nic->io, PAGES, (VOID *)(UINTN)nic->transmit);
}

static VOID queue(struct ceiling *nic, UINTN size) {
  volatile struct descriptor *descriptor = &nic->transmit[nic->transmit_tail % RING];
  descriptor->address = (UINTN)nic->out;
  descriptor->second = 0;
  descriptor->first = TXD_EOP_FCS_RS | (UINT32)size;
  nic->transmit_tail = (nic->transmit_tail + 1U) % RING;
}

/* Waits until the last frame before the tail is sent. */
static BOOLEAN sent(struct ceiling *nic) {
  volatile struct descriptor *last = &nic->transmit[(nic->transmit_tail + RING - 1U) % RING];
  for(UINTN i = 0; i < PATIENCE; i++) {
    if(last->second & DONE) {
      return TRUE;
    }
  }
  return FALSE;
}

static VOID transmit(struct ceiling *nic, UINTN size, UINTN burst) {
  (void)request(nic->out, nic->own, SWALLOW, 0, 0, 0);
  UINTN bursts = ROUNDS * BURST_MOST / burst;
  for(UINTN i = 0; i < nic->wanted; i++) {
    UINT64 begin = ticks();
    BOOLEAN good = TRUE;
    for(UINTN round = 0; round < bursts && good; round++) {
      for(UINTN frame = 0; frame < burst; frame++) {
        queue(nic, size);
      }
      put(nic, TDBAL + TAIL, nic->transmit_tail);
      good = sent(nic);
    }
    if(good) {
      add(&nic->samples, ticks() - begin);
    }
  }
  report(burst == 1 ? L"transmit" : L"transmit-bursts", size, bursts * burst, &nic->samples);
}

static BOOLEAN take(struct ceiling *nic) {
  volatile struct descriptor *descriptor = &nic->receive[nic->receive_next];
  if(!(descriptor->second & DONE)) {
    return FALSE;
  }
  BS->CopyMem(nic->in, nic->buffers + nic->receive_next * BUFFER, descriptor->first & 0xFFFFU);
  descriptor->second = 0;
  nic->receive_next = (nic->receive_next + 1U) % RING;
  return TRUE;
}

static VOID give_back(struct ceiling *nic) {
  put(nic, RDBAL + TAIL, (nic->receive_next + RING - 1U) % RING);
}

static BOOLEAN ask(struct ceiling *nic, enum operation operation, UINTN count, UINTN size) {
  queue(nic, request(nic->out, nic->own, operation, count, size, ++nic->number & 0xFFFFU));
  put(nic, TDBAL + TAIL, nic->transmit_tail);
  return sent(nic);
}

static VOID drain(struct ceiling *nic) {
  while(take(nic)) {
  }
  give_back(nic);
}

static BOOLEAN hear(struct ceiling *nic) {
  BOOLEAN heard = FALSE;
  for(UINTN i = 0; i < PATIENCE && !heard; i++) {
    if(!ask(nic, ECHO, 0, 0)) {
      return FALSE;
    }
    BS->Stall(WAIT_FIRST_US * WINDOW);
    heard = take(nic);
  }
  BS->Stall(WAIT_FIRST_US * WINDOW);
  drain(nic);
  return heard;
}

static VOID receive(struct ceiling *nic, UINTN size) {
  UINTN wait_us = WAIT_FIRST_US;
  while(nic->samples.count < nic->wanted && wait_us < WAIT_MOST_US) {
    UINT64 sum = 0;
    for(UINTN round = 0; round < ROUNDS && wait_us < WAIT_MOST_US;) {
      UINTN got = 0;
      if(!ask(nic, BURST, WINDOW, size)) {
        break;
      }
      BS->Stall(wait_us);
      UINT64 begin = ticks();
      while(got < WINDOW && take(nic)) {
        got++;
      }
      if(round % 2U) {
        give_back(nic); /* for 16 frames at once */
      }
      UINT64 took = ticks() - begin;
      if(got == WINDOW) {
        sum += took;
        round++;
      } else {
        wait_us += wait_us / 8U;
        BS->Stall(wait_us * 4U);
        drain(nic);
      }
    }
    add(&nic->samples, sum);
  }
  report(L"receive", size, ROUNDS * WINDOW, &nic->samples);
}

static EFI_STATUS run(struct ceiling *nic, const CHAR16 *words) {
  static const UINTN sizes[] = {FRAME_MIN, 512U, FRAME_MAX};
  CHAR16 word[16];
  while(*next_word(&words, word, 16)) {
    for(UINTN i = 0; i < 3 && same(word, L"transmit"); i++) {
      transmit(nic, sizes[i], 1);
      transmit(nic, sizes[i], BURST_MOST);
    }
    for(UINTN i = 0; i < 3 && same(word, L"receive"); i++) {
      receive(nic, sizes[i]);
    }
    if(same(word, L"hear") && !hear(nic)) {
      return EFI_TIMEOUT;
    }
  }
  return EFI_SUCCESS;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_LOADED_IMAGE *loaded;
  EFI_HANDLE *controllers;
  CHAR16 word[16];
  UINTN count;
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
  struct ceiling *nic = AllocateZeroPool(sizeof(*nic));
  if(EFI_ERROR(status) || !nic || EFI_ERROR(find_controllers(&controllers, &count))) {
    return EFI_OUT_OF_RESOURCES;
  }
  const CHAR16 *words = loaded->LoadOptions;
  (void)next_word(&words, word, 16);
  UINTN number = number_in(next_word(&words, word, 16));
  nic->wanted = number_in(next_word(&words, word, 16));
  if(number >= count || nic->wanted == 0) {
    Print(L"bench: NIC %d of %d, %d samples: nothing to do\n", (INT32)number, (INT32)count, (INT32)nic->wanted);
    return EFI_INVALID_PARAMETER;
  }
  Print(L"bench: %ld ticks per second\n", ticks_per_second());
  (void)BS->DisconnectController(controllers[number], NULL, NULL);
  status = BS->HandleProtocol(controllers[number], &guid, (VOID **)&nic->io);
  if(!EFI_ERROR(status)) {
    status = start(nic);
  }
  if(!EFI_ERROR(status)) {
    EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
    status = run(nic, words);
    BS->RestoreTPL(tpl);
    stop(nic);
  }
  Print(L"bench: %r\n", status);
  FreePool(controllers);
  FreePool(nic);
  return status;
}
