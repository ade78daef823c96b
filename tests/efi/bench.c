/* bench.c - the guest's half of tools/bench: works with the SNP of whatever driver holds a NIC, and says how many ticks
 * it took.
 *
 * bench NIC SAMPLES WORK [WORK ...]
 *
 * NIC is the number of the network controller, from 0, in the firmware's order. The stack is off: the controller is
 * connected to its driver alone, and SNP is opened exclusively. What is timed runs at TPL_CALLBACK, so that no driver's
 * timers are in it. */
#include "bench.h"

#define FIRST_TRIES    20000U
#define FIRST_PAUSE_US 500U
#define FIRST_REPEATS  9U
#define EMPTY_CALLS    200U
#define WARM_UP        2U
#define FILTERS        5U /* unicast and broadcast */
#define RESTARTS_MAX   100U
#define STALL_CALLS    5000U
#define HOLD_IDLE      4U
#define SPIN_TICKS     10U
#define SPIN_TURNS     (SPIN_TICKS * 10000000U / 32U / 2U) /* 10 ms are 312,500 instructions, a turn is two */

struct bench {
  EFI_HANDLE image;
  EFI_HANDLE *controllers; /* every NIC's */
  UINTN count;
  EFI_HANDLE controller; /* the one that works */
  EFI_HANDLE snp_handle;
  EFI_SIMPLE_NETWORK_PROTOCOL *snp;
  UINTN wanted; /* samples */
  UINTN wait_us;
  UINTN number;      /* of the last request         */
  UINTN outstanding; /* buffers that the driver has */
  UINTN stalls;
  BOOLEAN marks;
  struct samples samples;
  UINT8 out[WINDOW][FRAME_ROOM];
  UINT8 in[FRAME_ROOM];
};

/* The NIC -------------------------------------------------------------------------------------------------------- */

/* The handle with SNP whose device path leads through the controller. */
static EFI_STATUS find_snp(struct bench *bench) {
  EFI_GUID snp = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_GUID pci = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &snp, NULL, &count, &handles);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = EFI_NOT_FOUND;
  for(UINTN i = 0; i < count && EFI_ERROR(status); i++) {
    EFI_DEVICE_PATH *path = DevicePathFromHandle(handles[i]);
    EFI_HANDLE controller = NULL;
    if(path && !EFI_ERROR(BS->LocateDevicePath(&pci, &path, &controller)) && controller == bench->controller) {
      bench->snp_handle = handles[i];
      status =
          BS->OpenProtocol(handles[i], &snp, (VOID **)&bench->snp, bench->image, NULL, EFI_OPEN_PROTOCOL_EXCLUSIVE);
    }
  }
  FreePool(handles);
  return status;
}

static VOID close_snp(struct bench *bench) {
  EFI_GUID snp = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  (void)BS->CloseProtocol(bench->snp_handle, &snp, bench->image, NULL);
  bench->snp = NULL;
  bench->outstanding = 0;
}

static VOID disconnect(struct bench *bench) {
  if(bench->snp) {
    (void)bench->snp->Shutdown(bench->snp);
    (void)bench->snp->Stop(bench->snp);
    close_snp(bench);
  }
  (void)BS->DisconnectController(bench->controller, NULL, NULL);
}

static EFI_STATUS initialize(struct bench *bench) {
  EFI_STATUS status = bench->snp->Start(bench->snp);
  if(!EFI_ERROR(status)) {
    status = bench->snp->Initialize(bench->snp, 0, 0);
  }
  return EFI_ERROR(status) ? status : bench->snp->ReceiveFilters(bench->snp, FILTERS, 0, FALSE, 0, NULL);
}

static EFI_STATUS connect(struct bench *bench) {
  (void)BS->ConnectController(bench->controller, NULL, NULL, FALSE);
  EFI_STATUS status = find_snp(bench);
  return EFI_ERROR(status) ? status : initialize(bench);
}

/* One GetStatus; TRUE when a buffer came back. */
static BOOLEAN reap(struct bench *bench) {
  VOID *buffer = NULL;
  BOOLEAN came = bench->snp->GetStatus(bench->snp, NULL, &buffer) == EFI_SUCCESS && buffer;
  bench->outstanding -= came;
  return came;
}

static EFI_STATUS send(struct bench *bench, UINTN slot, UINTN size) {
  EFI_STATUS status = bench->snp->Transmit(bench->snp, 0, size, bench->out[slot], NULL, NULL, NULL);
  for(UINTN i = 0; i < STALL_CALLS && status == EFI_NOT_READY; i++) {
    (void)reap(bench);
    status = bench->snp->Transmit(bench->snp, 0, size, bench->out[slot], NULL, NULL, NULL);
  }
  bench->outstanding += !EFI_ERROR(status);
  return status;
}

/* Until every buffer has come back. Some drivers need another frame before they see that one was sent: those are
 * counted, and their last buffers come with the next window. */
static VOID collect(struct bench *bench) {
  UINTN calls = 0;
  while(bench->outstanding > 0 && calls < STALL_CALLS) {
    calls = reap(bench) ? 0 : calls + 1U;
  }
  bench->stalls += bench->outstanding > 0;
}

static EFI_STATUS take(struct bench *bench, UINTN *size) {
  *size = sizeof(bench->in);
  return bench->snp->Receive(bench->snp, NULL, size, bench->in, NULL, NULL, NULL);
}

static VOID drain(struct bench *bench) {
  UINTN size;
  for(UINTN i = 0; i < PATIENCE && take(bench, &size) == EFI_SUCCESS; i++) {
  }
}

static EFI_STATUS ask(struct bench *bench, enum operation operation, UINTN count, UINTN size) {
  const UINT8 *own = bench->snp->Mode->CurrentAddress.Addr;
  EFI_STATUS status = send(bench, 0, request(bench->out[0], own, operation, count, size, ++bench->number & 0xFFFFU));
  collect(bench);
  return status;
}

/* Work ----------------------------------------------------------------------------------------------------------- */

static VOID mark_if(const struct bench *bench, enum section section) {
  if(bench->marks) {
    mark(section);
  }
}

static BOOLEAN transmit_sample(struct bench *bench, UINTN size) {
  for(UINTN round = 0; round < ROUNDS; round++) {
    mark_if(bench, TRANSMIT);
    for(UINTN i = 0; i < WINDOW; i++) {
      if(EFI_ERROR(send(bench, i, size))) {
        return FALSE;
      }
    }
    mark_if(bench, COMPLETION);
    collect(bench);
  }
  return TRUE;
}

/* After a driver, or the device below it, has come to a stop. */
static EFI_STATUS restart(struct bench *bench) {
  bench->outstanding = 0;
  (void)bench->snp->Shutdown(bench->snp);
  EFI_STATUS status = bench->snp->Initialize(bench->snp, 0, 0);
  return EFI_ERROR(status) ? status : bench->snp->ReceiveFilters(bench->snp, FILTERS, 0, FALSE, 0, NULL);
}

/* Frames sent and their buffers collected, as the firmware's stack does. */
static VOID transmit(struct bench *bench, UINTN size) {
  for(UINTN i = 0; i < WINDOW; i++) {
    (void)request(bench->out[i], bench->snp->Mode->CurrentAddress.Addr, SWALLOW, 0, 0, 0);
  }
  UINTN restarts = 0;
  for(UINTN i = 0; i < bench->wanted + WARM_UP && restarts < RESTARTS_MAX; i++) {
    UINT64 start = ticks();
    if(!transmit_sample(bench, size)) {
      restarts++;
      if(EFI_ERROR(restart(bench))) {
        break;
      }
    } else if(i >= WARM_UP) {
      add(&bench->samples, ticks() - start);
    }
  }
  mark_if(bench, OTHER);
  report(L"transmit", size, ROUNDS * WINDOW, &bench->samples);
  if(bench->stalls || restarts) {
    Print(L"bench: stalled %d, restarted %d\n", (INT32)bench->stalls, (INT32)restarts);
  }
}

/* The ticks in which WINDOW frames that wait are received; 0 when they did not all wait. */
static UINT64 receive_window(struct bench *bench, UINTN size) {
  UINTN got = size;
  BOOLEAN good = TRUE;
  if(EFI_ERROR(ask(bench, BURST, WINDOW, size))) {
    return 0;
  }
  BS->Stall(bench->wait_us);
  mark_if(bench, RECEIVE);
  UINT64 start = ticks();
  for(UINTN i = 0; i < WINDOW && good; i++) {
    good = take(bench, &got) == EFI_SUCCESS && got >= size;
  }
  UINT64 took = ticks() - start;
  mark_if(bench, OTHER);
  return good ? took : 0;
}

/* Driver time per frame: the peer sends a window, and all of it waits in the ring before the first call. */
static VOID receive(struct bench *bench, UINTN size) {
  UINTN early = 0;
  bench->wait_us = WAIT_FIRST_US;
  for(UINTN i = 0; i < bench->wanted + WARM_UP && bench->wait_us < WAIT_MOST_US;) {
    UINT64 sum = 0;
    UINTN rounds = 0;
    while(rounds < ROUNDS && bench->wait_us < WAIT_MOST_US) {
      UINT64 took = receive_window(bench, size);
      sum += took;
      rounds += took != 0;
      if(!took) { /* too early, or the machine had other work: what is still on its way comes first */
        early++;
        bench->wait_us += bench->wait_us / 8;
        BS->Stall(bench->wait_us * HOLD_IDLE);
        drain(bench);
      }
    }
    if(rounds == ROUNDS && i >= WARM_UP) {
      add(&bench->samples, sum);
    }
    i++;
  }
  report(L"receive", size, ROUNDS * WINDOW, &bench->samples);
  Print(L"bench: early %d, waited %d us\n", (INT32)early, (INT32)bench->wait_us);
}

static VOID empty(struct bench *bench) {
  UINTN size;
  drain(bench);
  for(UINTN i = 0; i < bench->wanted; i++) {
    mark_if(bench, EMPTY_RECEIVE);
    UINT64 start = ticks();
    for(UINTN call = 0; call < EMPTY_CALLS; call++) {
      (void)take(bench, &size);
    }
    add(&bench->samples, ticks() - start);
  }
  report(L"empty-receive", 0, EMPTY_CALLS, &bench->samples);
  for(UINTN i = 0; i < bench->wanted; i++) {
    mark_if(bench, EMPTY_STATUS);
    UINT64 start = ticks();
    for(UINTN call = 0; call < EMPTY_CALLS; call++) {
      VOID *buffer;
      (void)bench->snp->GetStatus(bench->snp, NULL, &buffer);
    }
    add(&bench->samples, ticks() - start);
  }
  mark_if(bench, OTHER);
  report(L"empty-status", 0, EMPTY_CALLS, &bench->samples);
}

/* Until the answer is here; FALSE when it never comes. */
static BOOLEAN answered(struct bench *bench) {
  for(UINTN i = 0; i < PATIENCE; i++) {
    UINTN size;
    if(take(bench, &size) == EFI_SUCCESS && is_answer(bench->in, bench->number & 0xFFFFU)) {
      return TRUE;
    }
  }
  return FALSE;
}

static VOID trip(struct bench *bench, UINTN size) {
  const UINT8 *own = bench->snp->Mode->CurrentAddress.Addr;
  for(UINTN i = 0; i < bench->wanted * 4U; i++) {
    (void)request(bench->out[0], own, ECHO, 0, 0, ++bench->number & 0xFFFFU);
    UINT64 start = ticks();
    if(EFI_ERROR(send(bench, 0, size)) || !answered(bench)) {
      break;
    }
    UINT64 took = ticks() - start;
    collect(bench);
    add(&bench->samples, took);
  }
  report(L"trip", size, 1, &bench->samples);
}

/* An ARP request that QEMU's user network answers itself: no other process is in the round trip. */
static VOID arp(struct bench *bench) {
  static const UINT8 request_head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
  static const UINT8 addresses[2][4] = {{10, 0, 2, 15}, {10, 0, 2, 2}};
  UINT8 *frame = bench->out[0];
  memset(frame, 0, FRAME_MIN);
  memset(frame, 0xFF, 6);
  memcpy(frame + 6, bench->snp->Mode->CurrentAddress.Addr, 6);
  memcpy(frame + 12, request_head, sizeof(request_head));
  memcpy(frame + 22, frame + 6, 6);
  memcpy(frame + 28, addresses[0], 4);
  memcpy(frame + 38, addresses[1], 4);
  for(UINTN i = 0; i < bench->wanted * 4U; i++) {
    UINT64 start = ticks();
    BOOLEAN good = FALSE;
    if(EFI_ERROR(send(bench, 0, FRAME_MIN))) {
      break;
    }
    for(UINTN turn = 0; turn < PATIENCE && !good; turn++) {
      UINTN size;
      good = take(bench, &size) == EFI_SUCCESS && bench->in[12] == 0x08 && bench->in[13] == 0x06;
    }
    UINT64 took = ticks() - start;
    collect(bench);
    if(!good) {
      break;
    }
    add(&bench->samples, took);
  }
  report(L"arp", FRAME_MIN, 1, &bench->samples);
}

/* From ConnectController to the first echo, step by step. */
static EFI_STATUS first(struct bench *bench) {
  static const CHAR16 *const names[] = {L"connect", L"start", L"initialize", L"first-echo"};
  static struct samples parts[4];
  EFI_STATUS status = EFI_SUCCESS;
  for(UINTN round = 0; round < FIRST_REPEATS && !EFI_ERROR(status); round++) {
    UINT64 at[5];
    disconnect(bench);
    at[0] = ticks();
    (void)BS->ConnectController(bench->controller, NULL, NULL, FALSE);
    at[1] = ticks();
    status = find_snp(bench);
    if(!EFI_ERROR(status)) {
      status = bench->snp->Start(bench->snp);
    }
    at[2] = ticks();
    mark_if(bench, INITIALIZE);
    if(!EFI_ERROR(status)) {
      status = bench->snp->Initialize(bench->snp, 0, 0);
    }
    mark_if(bench, OTHER);
    at[3] = ticks();
    if(!EFI_ERROR(status)) {
      status = bench->snp->ReceiveFilters(bench->snp, FILTERS, 0, FALSE, 0, NULL);
    }
    BOOLEAN heard = FALSE;
    for(UINTN i = 0; i < FIRST_TRIES && !heard && !EFI_ERROR(status); i++) {
      status = ask(bench, ECHO, 0, 0);
      for(UINTN turn = 0; turn < FIRST_PAUSE_US / 10U && !heard; turn++) {
        UINTN size;
        heard = take(bench, &size) == EFI_SUCCESS;
        if(!heard) {
          BS->Stall(10);
        }
      }
    }
    at[4] = ticks();
    BS->Stall(WAIT_FIRST_US * WINDOW);
    drain(bench);
    for(UINTN i = 0; i < 4 && heard; i++) {
      add(&parts[i], at[i + 1] - at[0]);
    }
  }
  for(UINTN i = 0; i < 4; i++) {
    report(names[i], 0, 1, &parts[i]);
  }
  return status;
}

/* What the driver holds between ConnectController and its undoing, and how large its image is. */
static EFI_STATUS memory(struct bench *bench) {
  EFI_GUID pci = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries;
  UINTN count;
  UINT64 image_bytes = 0;
  INTN pages = 0;
  struct census before;
  struct census after;
  disconnect(bench);
  EFI_STATUS status = take_census(&before);
  if(!EFI_ERROR(status)) {
    status = connect(bench);
  }
  if(!EFI_ERROR(status)) {
    status = take_census(&after);
  }
  if(!EFI_ERROR(status)) {
    pages = (INTN)before.pages[EfiConventionalMemory] - (INTN)after.pages[EfiConventionalMemory];
    status = BS->OpenProtocolInformation(bench->controller, &pci, &entries, &count);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  for(UINTN i = 0; i < count; i++) {
    EFI_LOADED_IMAGE *loaded;
    if((entries[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) &&
       !EFI_ERROR(BS->HandleProtocol(entries[i].AgentHandle, &LoadedImageProtocol, (VOID **)&loaded))) {
      image_bytes = loaded->ImageSize;
    }
  }
  FreePool(entries);
  Print(L"bench: memory %d pages, image %ld bytes\n", (INT32)pages, image_bytes);
  return EFI_SUCCESS;
}

/* How many frames of a burst are left when nobody looks before all of it was sent. */
static VOID hold(struct bench *bench, UINTN count) {
  UINTN kept = 0;
  UINTN idle = 0;
  UINTN size;
  drain(bench);
  if(EFI_ERROR(ask(bench, BURST, count, FRAME_MIN))) {
    Print(L"bench: hold %d: failed\n", (INT32)count);
    return;
  }
  BS->Stall(WAIT_MOST_US);
  while(idle < HOLD_IDLE) {
    if(take(bench, &size) == EFI_SUCCESS) {
      kept++;
      idle = 0;
    } else if(kept < count) {
      BS->Stall(WAIT_MOST_US / 8U);
      idle++;
    } else {
      break;
    }
  }
  Print(L"bench: hold %d: %d kept\n", (INT32)count, (INT32)kept);
}

/* A loop of as many instructions as -icount makes SPIN_TICKS timer ticks of, with everybody's timers between: what it
 * takes longer than that is firmware's and drivers' heartbeats. */
static VOID spin(struct bench *bench) {
  for(UINTN i = 0; i < bench->wanted; i++) {
    UINTN turns = SPIN_TURNS;
    UINT64 start = ticks();
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(turns) : : "cc");
    add(&bench->samples, ticks() - start);
  }
  report(L"spin", 0, SPIN_TICKS, &bench->samples);
}

/* The run -------------------------------------------------------------------------------------------------------- */

static VOID at_callback(struct bench *bench, VOID (*work)(struct bench *bench, UINTN size), UINTN size) {
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  work(bench, size);
  BS->RestoreTPL(tpl);
}

static VOID work_empty(struct bench *bench, UINTN size) {
  (void)size;
  empty(bench);
}

static VOID work_arp(struct bench *bench, UINTN size) {
  (void)size;
  arp(bench);
}

/* QEMU's e1000 hears nothing for a second after RCTL was written. */
static EFI_STATUS hear(struct bench *bench) {
  for(UINTN i = 0; i < FIRST_TRIES; i++) {
    UINTN size;
    EFI_STATUS status = ask(bench, ECHO, 0, 0);
    if(EFI_ERROR(status)) {
      return status;
    }
    BS->Stall(FIRST_PAUSE_US * 10U);
    if(take(bench, &size) == EFI_SUCCESS) {
      BS->Stall(WAIT_FIRST_US * WINDOW);
      drain(bench);
      return EFI_SUCCESS;
    }
  }
  return EFI_TIMEOUT;
}

/* Every other NIC is opened as well, and stays so until the end. */
static EFI_STATUS open_all(const struct bench *bench) {
  static struct bench other;
  EFI_STATUS status = EFI_SUCCESS;
  for(UINTN i = 0; i < bench->count && !EFI_ERROR(status); i++) {
    if(bench->controllers[i] != bench->controller) {
      other.image = bench->image;
      other.controller = bench->controllers[i];
      status = connect(&other);
      close_snp(&other);
    }
  }
  return status;
}

static EFI_STATUS run(struct bench *bench, const CHAR16 *words) {
  static const UINTN sizes[] = {FRAME_MIN, 512U, FRAME_MAX};
  CHAR16 word[16];
  EFI_STATUS status = EFI_SUCCESS;
  while(!EFI_ERROR(status) && *next_word(&words, word, 16)) {
    if(same(word, L"transmit") || same(word, L"receive")) {
      BOOLEAN out = word[0] == L't';
      for(UINTN i = 0; i < 3; i++) {
        at_callback(bench, out ? transmit : receive, sizes[i]);
      }
    } else if(same(word, L"trip")) {
      at_callback(bench, trip, FRAME_MIN);
      at_callback(bench, trip, FRAME_MAX);
    } else if(same(word, L"empty")) {
      at_callback(bench, work_empty, 0);
    } else if(same(word, L"spin")) {
      spin(bench);
    } else if(same(word, L"arp")) {
      at_callback(bench, work_arp, 0);
    } else if(same(word, L"first")) {
      status = first(bench);
    } else if(same(word, L"memory")) {
      status = memory(bench);
    } else if(same(word, L"hear")) {
      status = hear(bench);
    } else if(same(word, L"all")) {
      status = open_all(bench);
    } else if(same(word, L"marks")) {
      bench->marks = TRUE;
    } else if(same(word, L"hold")) {
      hold(bench, number_in(next_word(&words, word, 16)));
    } else {
      Print(L"bench: no work is called '%s'\n", word);
      status = EFI_INVALID_PARAMETER;
    }
  }
  return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_LOADED_IMAGE *loaded;
  CHAR16 word[16];
  InitializeLib(image, system_table);
  (void)BS->SetWatchdogTimer(0, 0, 0, NULL);
  EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
  struct bench *bench = AllocateZeroPool(sizeof(*bench));
  if(EFI_ERROR(status) || !bench || EFI_ERROR(find_controllers(&bench->controllers, &bench->count))) {
    return EFI_OUT_OF_RESOURCES;
  }
  const CHAR16 *words = loaded->LoadOptions;
  (void)next_word(&words, word, 16);
  UINTN nic = number_in(next_word(&words, word, 16));
  bench->wanted = number_in(next_word(&words, word, 16));
  bench->image = image;
  if(nic >= bench->count || bench->wanted == 0) {
    Print(L"bench: NIC %d of %d, %d samples: nothing to do\n", (INT32)nic, (INT32)bench->count, (INT32)bench->wanted);
    return EFI_INVALID_PARAMETER;
  }
  bench->controller = bench->controllers[nic];
  Print(L"bench: %ld ticks per second\n", ticks_per_second());
  for(UINTN i = 0; i < bench->count; i++) {
    (void)BS->DisconnectController(bench->controllers[i], NULL, NULL);
  }
  status = connect(bench); /* once before anything is measured */
  if(!EFI_ERROR(status)) {
    status = run(bench, words);
  }
  disconnect(bench);
  for(UINTN i = 0; i < bench->count; i++) {
    (void)BS->DisconnectController(bench->controllers[i], NULL, NULL);
  }
  Print(L"bench: %r\n", status);
  FreePool(bench->controllers);
  FreePool(bench);
  return status;
}
