/* frame_tap.c - sees each frame of a NIC, whoever drives it. */
#include "frame_tap.h"

#include "../console.h"

struct frame_source frame_source_of(struct session *session) {
  return (struct frame_source){
      .pci = &session->pci, .session = session, .netdev = session->netdev, .resident = session->resident};
}

static void on_frame(void *ctx, bool sent, const struct netdev_frame *frame) {
  const struct frame_tap *tap = ctx;
  tap->see(tap->ctx, sent, frame->data, frame->length);
}

static VOID EFIAPI on_resident_frame(VOID *ctx, UINT32 direction, const VOID *frame, UINTN length) {
  const struct frame_tap *tap = ctx;
  tap->see(tap->ctx, direction == NET_RESIDENT_SENT, frame, (uint32_t)length);
}

static void on_session_frame(void *ctx, bool sent, const void *frame, size_t length) {
  const struct frame_tap *tap = ctx;
  EFI_TPL tpl = efi_nic_lock(); /* session_transmit may be lower */
  tap->see(tap->ctx, sent, frame, (uint32_t)length);
  efi_nic_unlock(tpl);
}

EFI_STATUS frame_tap_add(struct frame_tap *tap, const struct frame_source *source,
                         void (*see)(void *ctx, bool sent, const uint8_t *frame, uint32_t length), void *ctx) {
  const struct remote *resident = source->resident;
  EFI_STATUS status = EFI_SUCCESS;
  *tap = (struct frame_tap){.source = *source, .see = see, .ctx = ctx, .netdev_tap = {.ctx = tap, .frame = on_frame}};
  if(!source->netdev) {
    source->session->witness_ctx = tap;
    source->session->witness = on_session_frame;
  } else if(resident) {
    status = resident->protocol->AddTap(resident->protocol, on_resident_frame, tap, &tap->token);
  } else {
    EFI_TPL tpl = efi_nic_lock();
    netdev_tap_add(source->netdev, &tap->netdev_tap);
    efi_nic_unlock(tpl);
  }
  tap->added = !EFI_ERROR(status);
  if(EFI_ERROR(status)) {
    complain("%s.efi shows no frames: %s", resident ? resident->driver : "", status_text(status));
  }
  return status;
}

/* The driver may have let go of the NIC meanwhile, and its protocol is then another one or none. Looked up twice: a
 * look-up that fails once for want of something else must not leave a tap that leads to freed memory. */
bool frame_source_is_there(const struct frame_source *source) {
  const struct remote *resident = source->resident;
  return !resident || remote_find(source->pci->handle) == resident->protocol ||
         remote_find(source->pci->handle) == resident->protocol;
}

void frame_tap_remove(struct frame_tap *tap) {
  const struct remote *resident = tap->source.resident;
  if(!tap->added) {
    return;
  }
  tap->added = false;
  if(!tap->source.netdev) {
    tap->source.session->witness = NULL;
  } else if(!resident) {
    EFI_TPL tpl = efi_nic_lock();
    netdev_tap_remove(tap->source.netdev, &tap->netdev_tap);
    efi_nic_unlock(tpl);
  } else if(frame_source_is_there(&tap->source)) {
    (void)resident->protocol->RemoveTap(resident->protocol, tap->token);
  }
}
