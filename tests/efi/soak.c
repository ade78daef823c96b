/* soak.c - moves numbered frames both ways through SNP, disturbs itself on the way, and accounts for every frame: the
 * guest's half of tools/soak, which is the peer on the wire, pulls the cable when asked to, and explains the rules.
 *
 * soak FRAMES SEED UNCOUNTED */
#include <string.h>

#include "efi/network_statistics.h"
#include "firmware.h"
#include "soak_frame.h"

#define WINDOW    2000U /* frames sent and not yet acknowledged; QEMU queues 10,000 for a slow peer          */
#define BUFFERS   512U  /* transmit buffers that go round                                                    */
#define ACK_EVERY 64U   /* frames received before the peer is told, if nothing else goes its way             */
#define ACK_IDLE  1000U /* empty turns before it is told of fewer                                            */
#define RING      255U  /* what e1000's ring may hold when a restart takes it away; virtio-net's: 1 more, no OFF */
#define TX_RING   256U  /* what virtio-net's holds                                                            */
#define OFF       3U    /* frames that QEMU drops per restart, one at every RDT write with RCTL.EN off           */
#define OFF_LONG  7U    /* the same from disconnect to connect: four, and three writes of the PCI command register */
#define WARM_UP   5U    /* connections before memory is counted                                              */
#define BURST     32U   /* frames per turn                                                                   */

struct soak {
  EFI_SIMPLE_NETWORK_PROTOCOL *snp;
  EFI_STATUS failure; /* an SNP call that had to succeed did not                      */
  UINT32 goal;
  UINT32 random;
  UINT32 uncounted; /* frames per restart that the device may have dropped without counting them  */
  struct soak_frames frames;
  UINT8 buffers[BUFFERS][BUFFER_SIZE];
  BOOLEAN busy[BUFFERS];
  UINT32 busy_count;
  UINT32 cursor; /* where the search for a free buffer starts                   */

  UINT32 epoch;        /* ends with every disturbance that may cost frames            */
  UINT32 next;         /* number of the next frame to be sent                         */
  UINT32 acknowledged; /* what the peer waits for                                     */
  UINT32 expected;     /* number of the next frame to be received                     */
  UINT32 told;         /* what the peer was told of it                                */
  UINT32 idle;
  UINT32 gap_first; /* the last gap in an epoch: a late frame from it was reordered */
  UINT32 gap_end;

  BOOLEAN syncing; /* between two epochs: what arrives is of the old one          */
  BOOLEAN welcomed;
  struct message welcome;
  UINT32 stale_next; /* next number of the old epoch                                */
  UINT32 stale_lost; /* gaps in it                                                  */
  UINT32 stale_gaps;

  UINT64 connection_sent; /* frames since ConnectController, to compare with statistics  */
  UINT64 connection_received;
  UINT64 connection_dropped; /* that were in the receive ring at a restart                  */
  UINT32 connection_restarts;
  UINT32 connection_flaps;

  UINT32 lost;
  UINT32 duplicated;
  UINT32 reordered;
  UINT32 damaged;
  UINT32 miscounted; /* statistics or buffers that do not add up                    */
  UINT32 ring_lost;
  UINT32 link_lost;
  UINT32 filters;
  UINT32 flaps;
  UINT32 restarts;
};

static UINT32 next_random(struct soak *soak) {
  soak->random ^= soak->random << 13;
  soak->random ^= soak->random >> 17;
  soak->random ^= soak->random << 5;
  return soak->random;
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

/* Takes back what the driver is done with; every buffer exactly once. */
static VOID recycle(struct soak *soak) {
  VOID *buffer = NULL;
  while(!soak->failure) {
    soak->failure = soak->snp->GetStatus(soak->snp, NULL, &buffer);
    if(soak->failure || !buffer) {
      return;
    }
    UINTN offset = (UINTN)((UINT8 *)buffer - soak->buffers[0]);
    if(offset % BUFFER_SIZE || offset >= sizeof(soak->buffers) || !soak->busy[offset / BUFFER_SIZE]) {
      soak->miscounted++;
      continue;
    }
    soak->busy[offset / BUFFER_SIZE] = FALSE;
    soak->busy_count--;
  }
}

/* FALSE when there is no room, or on a failure. */
static BOOLEAN transmit(struct soak *soak, const struct message *message) {
  if(soak->busy_count == BUFFERS || soak->failure) {
    return FALSE;
  }
  while(soak->busy[soak->cursor]) {
    soak->cursor = (soak->cursor + 1U) % BUFFERS;
  }
  UINT8 *frame = soak->buffers[soak->cursor];
  EFI_STATUS status =
      soak->snp->Transmit(soak->snp, 0, soak_build(&soak->frames, frame, message), frame, NULL, NULL, NULL);
  if(EFI_ERROR(status)) {
    soak->failure = status == EFI_NOT_READY ? EFI_SUCCESS : status;
    return FALSE;
  }
  soak->busy[soak->cursor] = TRUE;
  soak->busy_count++;
  soak->connection_sent++;
  soak->told = message->wanted;
  soak->idle = 0;
  return TRUE;
}

static BOOLEAN send(struct soak *soak, enum kind kind) {
  const struct message message = {kind, soak->epoch, soak->next, soak->expected};
  return transmit(soak, &message);
}

/* Receive -------------------------------------------------------------------------------------------------------- */

static VOID take_data(struct soak *soak, const struct message *message) {
  if(message->number == soak->expected) {
    soak->expected++;
  } else if(message->number > soak->expected) {
    soak->gap_first = soak->expected;
    soak->gap_end = message->number;
    soak->lost += message->number - soak->expected;
    soak->expected = message->number + 1U;
  } else if(message->number >= soak->gap_first && message->number < soak->gap_end) {
    soak->reordered++;
    soak->lost--;
  } else {
    soak->duplicated++;
  }
  soak->acknowledged = message->wanted;
}

/* What was on its way when the epoch ended: in order, with one gap, where the disturbance took some. */
static VOID take_stale(struct soak *soak, const struct message *message) {
  if(message->number < soak->stale_next) {
    soak->duplicated++;
    return;
  }
  soak->stale_gaps += message->number > soak->stale_next;
  soak->stale_lost += message->number - soak->stale_next;
  soak->stale_next = message->number + 1U;
}

static VOID take(struct soak *soak, const UINT8 *frame, UINTN length) {
  struct message message;
  if(!soak_parse(&soak->frames, frame, length, &message)) {
    soak->damaged++;
  } else if(message.kind == WELCOME && message.epoch == soak->epoch && soak->syncing && !soak->welcomed) {
    soak->welcome = message;
    soak->welcomed = TRUE;
  } else if(message.kind == DATA && message.epoch == soak->epoch) {
    take_data(soak, &message);
  } else if(message.kind == ACK && message.epoch == soak->epoch) {
    soak->acknowledged = message.wanted;
  } else if(message.kind == DATA && message.epoch + 1U == soak->epoch && soak->syncing) {
    take_stale(soak, &message);
  } else if(message.kind != ACK || !soak->syncing) {
    soak->duplicated++;
  }
}

static VOID receive(struct soak *soak) {
  UINT8 frame[BUFFER_SIZE];
  for(UINTN i = 0; i < BURST && !soak->failure; i++) {
    UINTN size = sizeof(frame);
    EFI_STATUS status = soak->snp->Receive(soak->snp, NULL, &size, frame, NULL, NULL, NULL);
    if(EFI_ERROR(status)) {
      soak->failure = status == EFI_NOT_READY ? EFI_SUCCESS : status;
      return;
    }
    soak->connection_received++;
    take(soak, frame, size);
  }
}

/* One turn of both directions. */
static VOID turn(struct soak *soak) {
  UINT32 before = soak->expected;
  receive(soak);
  recycle(soak);
  for(UINTN i = 0; i < BURST && soak->next < soak->goal && soak->next - soak->acknowledged < WINDOW; i++) {
    if(!send(soak, DATA)) {
      break;
    }
    soak->next++;
  }
  soak->idle = soak->expected == before ? soak->idle + 1U : 0;
  UINT32 untold = soak->expected - soak->told;
  if(untold >= ACK_EVERY || (untold > 0 && soak->idle >= ACK_IDLE)) {
    (void)send(soak, ACK);
  }
}

/* Disturbances --------------------------------------------------------------------------------------------------- */

static VOID require(struct soak *soak, const CHAR16 *what, EFI_STATUS status) {
  if(EFI_ERROR(status) && !soak->failure) {
    Print(L"soak: %s: %r\n", what, status);
    soak->failure = status;
  }
}

static VOID initialize(struct soak *soak) {
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = soak->snp;
  memset(soak->busy, 0, sizeof(soak->busy)); /* after Shutdown no buffer comes back */
  soak->busy_count = 0;
  require(soak, L"Initialize", snp->Initialize(snp, 0, 0));
  require(soak, L"ReceiveFilters", snp->ReceiveFilters(snp, 5, 0, FALSE, 0, NULL));
}

static VOID connect(struct soak *soak) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  require(soak, L"connect", each_device(TRUE, FALSE));
  require(soak, L"find SNP", BS->LocateProtocol(&guid, NULL, (VOID **)&soak->snp));
  if(soak->failure) {
    return;
  }
  soak->connection_sent = 0;
  soak->connection_received = 0;
  soak->connection_dropped = 0;
  soak->connection_restarts = 0;
  soak->connection_flaps = 0;
  BS->CopyMem(soak->frames.own, soak->snp->Mode->CurrentAddress.Addr, sizeof(soak->frames.own));
  require(soak, L"Start", soak->snp->Start(soak->snp));
  initialize(soak);
}

/* With whatever is under way. */
static VOID restart(struct soak *soak, UINT32 how) {
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = soak->snp;
  soak->restarts++;
  soak->connection_restarts++;
  if(how == 0) {
    require(soak, L"Shutdown", snp->Shutdown(snp));
    initialize(soak);
  } else if(how == 1) {
    require(soak, L"Shutdown", snp->Shutdown(snp));
    require(soak, L"Stop", snp->Stop(snp));
    require(soak, L"Start", snp->Start(snp));
    initialize(soak);
  } else if(how == 2) {
    require(soak, L"Reset", snp->Reset(snp, TRUE));
  } else {
    require(soak, L"disconnect", each_device(FALSE, FALSE));
    connect(soak);
  }
}

/* tools/soak pulls the cable at the first line and puts it back at the second. */
static VOID flap(struct soak *soak) {
  soak->flaps++;
  soak->connection_flaps++;
  Print(L"soak: pull the cable\n");
  while(soak->snp->Mode->MediaPresent && !soak->failure) {
    turn(soak);
  }
  Print(L"soak: link down\n");
  while(!soak->snp->Mode->MediaPresent && !soak->failure) {
    recycle(soak);
  }
}

static VOID change_filters(struct soak *soak) {
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = soak->snp;
  EFI_MAC_ADDRESS list[MAX_MCAST_FILTER_CNT];
  UINTN count = 1U + next_random(soak) % MAX_MCAST_FILTER_CNT;
  memset(list, 0, sizeof(list));
  for(UINTN i = 0; i < count; i++) {
    UINT32 number = next_random(soak);
    list[i].Addr[0] = 0x01;
    memcpy(&list[i].Addr[2], &number, 4);
  }
  EFI_STATUS status;
  switch(soak->filters++ % 6U) {
  case 0:
    status = snp->ReceiveFilters(snp, EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST, 0, FALSE, count, list);
    break;
  case 1:
    status = snp->ReceiveFilters(snp, EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST, 0, FALSE, 0, NULL);
    break;
  case 2:
    status = snp->ReceiveFilters(snp, EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS, 0, FALSE, 0, NULL);
    break;
  case 3:
    status = snp->ReceiveFilters(snp, 0, EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS, FALSE, 0, NULL);
    break;
  case 4:
    status = snp->ReceiveFilters(snp, 0, EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST, FALSE, 0, NULL);
    break;
  default:
    status = snp->ReceiveFilters(snp, 0, 0, TRUE, 0, NULL);
    break;
  }
  require(soak, L"ReceiveFilters", status);
}

/* Whether the totals are right. A device that counts on the wire (it counts undersized frames too, then) has also seen
 * what a restart took with its ring, but for the frames that came while its receiver was off, and on a part that
 * receives until it is reset those that came after the last look at its counters. One that does not count leaves it to
 * its driver, which knows of what was taken from it; what came by the wire is then for the peer's count to say, with
 * which WELCOME was compared. */
static BOOLEAN received_all(const struct soak *soak, const EFI_NETWORK_STATISTICS *table) {
  if(table->RxUndersizeFrames == UINT64_MAX) {
    return table->RxTotalFrames == soak->connection_received;
  }
  UINT64 received = soak->connection_received + soak->connection_dropped;
  return table->RxTotalFrames >= soak->connection_received &&
         received - table->RxTotalFrames <= (UINT64)soak->uncounted * soak->connection_restarts;
}

/* The same for what was sent. A device that leaves counting to its driver is QEMU's virtio-net, which was seen, once,
 * not to send as the link came back: what the recovery gives up then is counted as dropped, a ring at most. */
static BOOLEAN sent_all(const struct soak *soak, const EFI_NETWORK_STATISTICS *table) {
  UINT64 given_up = table->RxUndersizeFrames == UINT64_MAX ? (UINT64)TX_RING * soak->connection_flaps : 0;
  return table->TxTotalFrames + table->TxDroppedFrames == soak->connection_sent && table->TxDroppedFrames <= given_up;
}

/* Between two epochs the wire is silent: then what the driver counted must be what was sent and received. A link that
 * comes back has QEMU deliver the frame that waited, also into a ring that is full: one a flap may be missed. */
static VOID compare_statistics(struct soak *soak) {
  EFI_NETWORK_STATISTICS_2 table;
  UINTN size = sizeof(table);
  recycle(soak);
  require(soak, L"Statistics", soak->snp->Statistics(soak->snp, FALSE, &size, &table.First));
  if(soak->failure) {
    return;
  }
  if(!received_all(soak, &table.First) || !sent_all(soak, &table.First) ||
     table.First.RxDroppedFrames > soak->connection_flaps || soak->busy_count != 0) {
    soak->miscounted++;
    Print(L"soak: RxTotal %ld, received %ld, dropped %ld; TxTotal %ld, sent %ld; RxDropped %ld, TxDropped %ld; %d "
          L"buffers out\n",
          table.First.RxTotalFrames, soak->connection_received, soak->connection_dropped, table.First.TxTotalFrames,
          soak->connection_sent, table.First.RxDroppedFrames, table.First.TxDroppedFrames, soak->busy_count);
  }
}

enum disturbance { NOTHING, RESTART, RECONNECT, FLAP };

static VOID disturb(struct soak *soak, enum disturbance what) {
  if(what == FLAP) {
    flap(soak);
  }
  soak->syncing = TRUE;
  soak->welcomed = FALSE;
  soak->stale_next = soak->expected;
  soak->stale_lost = 0;
  soak->stale_gaps = 0;
  soak->epoch++;
  if(what == RESTART || what == RECONNECT) {
    restart(soak, soak->restarts % 4U);
  }
  while(!soak->failure && !send(soak, HELLO)) {
    recycle(soak);
  }
  while(!soak->failure && !soak->welcomed) {
    receive(soak);
  }
  soak->stale_gaps += soak->welcome.number > soak->stale_next;
  soak->stale_lost += soak->welcome.number - soak->stale_next;
  UINT32 unsent = soak->next - soak->welcome.wanted;
  if(what == FLAP) {
    soak->link_lost += unsent + soak->stale_lost;
  } else {
    soak->lost += unsent; /* accepted, so it had to arrive */
    soak->ring_lost += soak->stale_lost;
    soak->connection_dropped += what == RESTART ? soak->stale_lost : 0;
  }
  UINT32 limit = what == FLAP ? UINT32_MAX : RING + (what == RECONNECT ? OFF_LONG : OFF);
  if(soak->stale_gaps > (what != NOTHING) || soak->stale_lost > limit) {
    Print(L"soak: restart %d lost %d frames in %d places\n", soak->restarts, soak->stale_lost, soak->stale_gaps);
    soak->lost += soak->stale_lost;
  }
  soak->next = soak->welcome.wanted;
  soak->acknowledged = soak->welcome.wanted;
  soak->gap_end = 0;
  compare_statistics(soak);
  soak->syncing = FALSE;
  while(!soak->failure && !send(soak, ACK)) { /* the peer goes on at this */
    recycle(soak);
  }
}

/* The run -------------------------------------------------------------------------------------------------------- */

static VOID move_until(struct soak *soak, UINT32 until) {
  UINT32 filter_step = soak->goal / (24U + soak->goal / 25000U) + 1U;
  while(!soak->failure && (soak->next < until || soak->expected < until)) {
    turn(soak);
    if(soak->expected > filter_step * soak->filters) {
      change_filters(soak);
    }
  }
  Print(L"soak: %d sent, %d received, %d filter changes, %d link flaps, %d restarts\n", soak->next, soak->expected,
        soak->filters, soak->flaps, soak->restarts);
}

static VOID run(struct soak *soak) {
  UINT32 steps = 8U + soak->goal / 50000U;
  disturb(soak, NOTHING);
  for(UINT32 step = 0; step < steps && !soak->failure; step++) {
    move_until(soak, (UINT32)((UINT64)soak->goal * (step + 1U) / (steps + 1U)));
    if(step % 2U) {
      disturb(soak, FLAP);
    } else {
      disturb(soak, soak->restarts % 4U == 3U ? RECONNECT : RESTART);
    }
  }
  move_until(soak, soak->goal);
  while(!soak->failure && soak->acknowledged < soak->goal) {
    turn(soak);
  }
  disturb(soak, NOTHING);
}

static VOID begin(struct soak *soak) {
  for(UINTN i = 0; i < sizeof(soak->frames.table); i++) {
    soak->frames.table[i] = (UINT8)(next_random(soak) >> 8);
  }
  connect(soak);
}

static UINTN end(struct soak *soak, const struct census *before) {
  struct census after;
  if(soak->snp) {
    (void)soak->snp->Shutdown(soak->snp);
    (void)soak->snp->Stop(soak->snp);
  }
  require(soak, L"disconnect", each_device(FALSE, FALSE));
  require(soak, L"census", take_census(&after));
  return soak->failure ? 1 : compare_census(L"soak", before, &after);
}

static VOID report(const struct soak *soak, UINTN held) {
  Print(L"soak: guest: %d sent, %d received, %d lost, %d duplicated, %d reordered, %d damaged, %d miscounted\n",
        soak->next, soak->expected, soak->lost, soak->duplicated, soak->reordered, soak->damaged, soak->miscounted);
  Print(L"soak: repeated: %d lost with the link, %d with a ring\n", soak->link_lost, soak->ring_lost);
  Print(L"soak: %d filter changes, %d link flaps, %d restarts; %d held; %r\n", soak->filters, soak->flaps,
        soak->restarts, (INT32)held, soak->failure);
}

static UINT32 number_at(const CHAR16 **text) {
  while(**text && (**text < L'0' || **text > L'9')) {
    (*text)++;
  }
  UINT32 value = 0;
  for(; **text >= L'0' && **text <= L'9'; (*text)++) {
    value = value * 10U + (UINT32)(**text - L'0');
  }
  return value;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_LOADED_IMAGE *loaded;
  struct census before;
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
  struct soak *soak = AllocateZeroPool(sizeof(*soak));
  if(EFI_ERROR(status) || !soak) {
    return EFI_OUT_OF_RESOURCES;
  }
  const CHAR16 *words = loaded->LoadOptions;
  soak->goal = number_at(&words);
  soak->random = number_at(&words);
  soak->uncounted = number_at(&words);
  for(UINTN i = 0; i < WARM_UP; i++) {
    require(soak, L"connect", each_device(TRUE, FALSE));
    require(soak, L"disconnect", each_device(FALSE, FALSE));
  }
  require(soak, L"census", take_census(&before));
  begin(soak);
  if(!soak->failure) {
    run(soak);
  }
  report(soak, end(soak, &before));
  status = soak->failure;
  FreePool(soak);
  return status;
}
