/* snp_io.c - EFI_SIMPLE_NETWORK_PROTOCOL: Transmit, Receive, GetStatus, WaitForPacket (UEFI 2.10, 24.1.12 to 24.1.14).
 *
 * Device registers touched: Transmit 1 write; GetStatus and an empty Receive none; Receive one write for every batch of
 * buffers given back. */
#include "snp.h"

#include <string.h>

/* Beside an answer that takes a look at memory: what it would need in registers is not saved for that one. */
#define APART __attribute__((noinline))

#define PROTOCOL_OFFSET 12U
#define TAG_TYPE        0x8100U /* IEEE 802.1Q: a tag of TAG_LENGTH bytes stands where the type would */
#define TAG_LENGTH      4U
#define TAG_VLAN_MASK   0x0FFFU /* of its second word; the rest is priority and drop eligibility      */

/* Transmit ------------------------------------------------------------------------------------------------------- */

/* Room for one more buffer: each that is in the descriptor ring will need a place in the recycle queue. */
static BOOLEAN has_room(const struct snp_device *snp) {
  return snp->recycle.tail - snp->recycle.head + snp->in_flight < SNP_RECYCLE_SIZE;
}

static void fill_header(const struct snp_device *snp, UINT8 *frame, const EFI_MAC_ADDRESS *source,
                        const EFI_MAC_ADDRESS *destination, UINT16 protocol) {
  memcpy(frame, destination->Addr, NETDEV_MAC_LENGTH);
  memcpy(frame + NETDEV_MAC_LENGTH, source ? source->Addr : snp->mode.CurrentAddress.Addr, NETDEV_MAC_LENGTH);
  frame[PROTOCOL_OFFSET] = (UINT8)(protocol >> 8);
  frame[PROTOCOL_OFFSET + 1U] = (UINT8)protocol;
}

static EFI_STATUS transmit(struct snp_device *snp, UINTN header_size, UINTN buffer_size, VOID *buffer,
                           const EFI_MAC_ADDRESS *source, const EFI_MAC_ADDRESS *destination, const UINT16 *protocol) {
  EFI_STATUS status = snp_require_initialized(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(!buffer || (header_size != 0 && (header_size != NETDEV_HEADER_LENGTH || !destination || !protocol))) {
    return EFI_INVALID_PARAMETER;
  }
  if(buffer_size < NETDEV_HEADER_LENGTH) {
    return EFI_BUFFER_TOO_SMALL;
  }
  if(buffer_size > NETDEV_MAX_TAGGED_FRAME) {
    return EFI_INVALID_PARAMETER;
  }
  if(!has_room(snp)) {
    return EFI_NOT_READY;
  }
  if(header_size != 0) {
    fill_header(snp, buffer, source, destination, *protocol);
  }
  snp->in_flight++;
  int result = netdev_transmit(snp->nic.netdev, buffer, buffer_size, buffer, 0);
  if(result != NETDEV_OK) {
    snp->in_flight--;
    return efi_status_of(result);
  }
  return EFI_SUCCESS;
}

void snp_tx_done(void *ctx, void *cookie, int status) {
  struct snp_device *snp = ctx;
  struct snp_recycle *recycle = &snp->recycle;
  (void)status; /* SNP has no way to tell; the statistics count it */
  snp->in_flight--;
  recycle->buffer[recycle->tail++ % SNP_RECYCLE_SIZE] = cookie;
  snp->tx_interrupt = TRUE;
}

EFI_STATUS EFIAPI snp_transmit(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN header_size, UINTN buffer_size, VOID *buffer,
                               EFI_MAC_ADDRESS *source, EFI_MAC_ADDRESS *destination, UINT16 *protocol) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = transmit(snp, header_size, buffer_size, buffer, source, destination, protocol);
  efi_nic_unlock(tpl);
  return status;
}

/* Receive -------------------------------------------------------------------------------------------------------- */

static UINT16 word_at(const UINT8 *bytes) {
  return (UINT16)(bytes[0] << 8 | bytes[1]);
}

/*
 * A tag with VLAN 0 gives a priority and names no VLAN (IEEE 802.1Q, 9.6): switches put it on frames for ports without
 * one. edk2's MNP drops such a frame when no VLAN is configured, and a network boot then gets no answer. Without the
 * tag nothing is lost: an MNP with VLANs takes an untagged frame for VLAN 0. Any other tag stays.
 */
static UINT32 priority_tag_length(const struct netdev_frame *frame) {
  BOOLEAN tagged = frame->length >= NETDEV_HEADER_LENGTH + TAG_LENGTH &&
                   word_at(frame->data + PROTOCOL_OFFSET) == TAG_TYPE &&
                   (word_at(frame->data + PROTOCOL_OFFSET + 2U) & TAG_VLAN_MASK) == 0;
  return tagged ? TAG_LENGTH : 0;
}

/* Copies the oldest frame, without a priority tag, and consumes it; as netdev_receive. */
static int take_frame(struct netdev *dev, UINT8 *buffer, UINTN capacity, UINTN *length) {
  struct netdev_frame frame;
  int result = netdev_peek(dev, &frame);
  if(result != NETDEV_OK) {
    return result;
  }
  UINT32 tag = priority_tag_length(&frame);
  *length = frame.length - tag;
  if(*length > capacity) {
    return NETDEV_E_TOO_SMALL;
  }
  if(tag == 0) {
    memcpy(buffer, frame.data, frame.length);
  } else {
    memcpy(buffer, frame.data, PROTOCOL_OFFSET);
    memcpy(buffer + PROTOCOL_OFFSET, frame.data + PROTOCOL_OFFSET + tag, *length - PROTOCOL_OFFSET);
  }
  netdev_release(dev);
  return NETDEV_OK;
}

static EFI_STATUS receive(struct snp_device *snp, UINTN *header_size, UINTN *buffer_size, VOID *buffer,
                          EFI_MAC_ADDRESS *source, EFI_MAC_ADDRESS *destination, UINT16 *protocol) {
  EFI_STATUS status = snp_require_initialized(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(!buffer || !buffer_size) {
    return EFI_INVALID_PARAMETER;
  }
  UINTN length = 0;
  int result = take_frame(snp->nic.netdev, buffer, *buffer_size, &length);
  if(result == NETDEV_E_TOO_SMALL) {
    *buffer_size = length; /* the frame waits for a larger buffer */
  }
  if(result != NETDEV_OK) {
    return efi_status_of(result);
  }
  const UINT8 *frame = buffer;
  *buffer_size = length;
  if(header_size) {
    *header_size = NETDEV_HEADER_LENGTH;
  }
  if(destination) {
    memcpy(destination->Addr, frame, NETDEV_MAC_LENGTH);
  }
  if(source) {
    memcpy(source->Addr, frame + NETDEV_MAC_LENGTH, NETDEV_MAC_LENGTH);
  }
  if(protocol) {
    *protocol = word_at(frame + PROTOCOL_OFFSET);
  }
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI snp_receive(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN *header_size, UINTN *buffer_size, VOID *buffer,
                              EFI_MAC_ADDRESS *source, EFI_MAC_ADDRESS *destination, UINT16 *protocol) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  if(snp->mode.State == EfiSimpleNetworkInitialized && buffer && buffer_size &&
     !(netdev_news(snp->nic.netdev) & NETDEV_NEWS_RECEIVED)) {
    return EFI_NOT_READY;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = receive(snp, header_size, buffer_size, buffer, source, destination, protocol);
  efi_nic_unlock(tpl);
  return status;
}

/* Status --------------------------------------------------------------------------------------------------------- */

static BOOLEAN frame_waiting(struct snp_device *snp) {
  struct netdev_frame frame;
  return (netdev_news(snp->nic.netdev) & NETDEV_NEWS_RECEIVED) && netdev_peek(snp->nic.netdev, &frame) == NETDEV_OK;
}

/* The causes come from memory, not from ICR: what has finished, and what is waiting. */
static UINT32 interrupt_causes(struct snp_device *snp) {
  UINT32 causes = 0;
  if(snp->tx_interrupt) {
    causes |= EFI_SIMPLE_NETWORK_TRANSMIT_INTERRUPT;
    snp->tx_interrupt = FALSE;
  }
  if(frame_waiting(snp)) {
    causes |= EFI_SIMPLE_NETWORK_RECEIVE_INTERRUPT;
  }
  return snp->mode.MediaPresent ? causes : 0;
}

static EFI_STATUS get_status_locked(struct snp_device *snp, UINT32 *interrupt_status, VOID **buffer) {
  EFI_STATUS status = snp_require_initialized(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  netdev_complete(snp->nic.netdev);
  snp_update_media(snp);
  if(interrupt_status) {
    *interrupt_status = interrupt_causes(snp);
  }
  if(buffer) {
    struct snp_recycle *recycle = &snp->recycle;
    *buffer = recycle->head == recycle->tail ? NULL : recycle->buffer[recycle->head++ % SNP_RECYCLE_SIZE];
  }
  /* From a device that has gone, what was being sent comes back first. */
  return snp->nic.netdev->state == NETDEV_GONE && !(buffer && *buffer) ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static APART EFI_STATUS get_status(struct snp_device *snp, UINT32 *interrupt_status, VOID **buffer) {
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = get_status_locked(snp, interrupt_status, buffer);
  efi_nic_unlock(tpl);
  return status;
}

/* Nothing but buffers and causes may have changed: neither state nor media wait to be told. */
static BOOLEAN is_as_told(const struct snp_device *snp) {
  return snp->mode.State == EfiSimpleNetworkInitialized && snp->mode.MediaPresent == snp->nic.netdev->link.up;
}

/*
 * Hands out a buffer that is in the queue already, without the lock. All that can come between two instructions here is
 * a notification at TPL_CALLBACK, heartbeat or a caller of SNP, on this one processor; and it ends before the next one.
 * `head` is never reduced, and the slot at `head` not written while it is: if `head` is still what was read when it is
 * moved on, nothing in between took this buffer or forgot it. Otherwise NULL, and the caller asks under the lock.
 */
static VOID *take_recycled(struct snp_recycle *recycle) {
  UINT32 head = __atomic_load_n(&recycle->head, __ATOMIC_ACQUIRE);
  if(head == recycle->tail) {
    return NULL;
  }
  VOID *buffer = recycle->buffer[head % SNP_RECYCLE_SIZE];
  BOOLEAN ours =
      __atomic_compare_exchange_n(&recycle->head, &head, head + 1U, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
  return ours ? buffer : NULL;
}

/*
 * What a poll finds most of the time, by a look that needs no lock: the heartbeat may come between any two of these
 * reads, but what it leaves for GetStatus is not lost, and is found by the next. Nothing is written here.
 */
static BOOLEAN has_nothing_to_tell(const struct snp_device *snp, BOOLEAN causes) {
  return (netdev_news(snp->nic.netdev) & (causes ? UINT32_MAX : NETDEV_NEWS_SENT)) == 0 &&
         !(causes && snp->tx_interrupt) && snp->recycle.head == snp->recycle.tail;
}

EFI_STATUS EFIAPI snp_get_status(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 *interrupt_status, VOID **buffer) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  if(is_as_told(snp)) {
    /* What is finished meanwhile waits: the last buffer is followed by a look at the ring, or the heartbeat looks. */
    VOID *recycled = !interrupt_status && buffer ? take_recycled(&snp->recycle) : NULL;
    if(recycled) {
      *buffer = recycled;
      return EFI_SUCCESS;
    }
    if(has_nothing_to_tell(snp, interrupt_status != NULL)) {
      if(interrupt_status) {
        *interrupt_status = 0;
      }
      if(buffer) {
        *buffer = NULL;
      }
      return EFI_SUCCESS;
    }
  }
  return get_status(snp, interrupt_status, buffer);
}

VOID EFIAPI snp_wait_for_packet(EFI_EVENT event, VOID *context) {
  struct snp_device *snp = context;
  if(!snp->nic.exited && snp->mode.State == EfiSimpleNetworkInitialized && frame_waiting(snp)) {
    BS->SignalEvent(event);
  }
}
