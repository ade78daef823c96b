/* services_tftp.c - the fake firmware's MTFTP4 and MTFTP6: the token's buffer is filled packet by packet, as the clock
 * goes on and the caller polls. */
#include "services_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efi/mtftp.h"

#define BLOCK      512U
#define TIMEOUT_US 12000000U /* of six tries, 2 s each */
#define RETRY_US   2000000U

struct mtftp {
  struct service_child child;
  EFI_MTFTP_PROTOCOL protocol;
  bool configured;
  EFI_MTFTP_TOKEN *token;
  const struct served_file *file;
  bool answered; /* the options */
  bool silent;   /* from now on */
  UINTN block;   /* of the next packet, from 0 */
  UINTN size;
  UINT64 due_us;
  UINT64 last_us;
  UINTN retries;
};

static struct mtftp *mtftp_of(EFI_MTFTP_PROTOCOL *this);

static void finish(struct mtftp *mtftp, EFI_STATUS status) {
  EFI_MTFTP_TOKEN *token = mtftp->token;
  mtftp->token = NULL;
  token->Status = status;
  (void)BS->SignalEvent(token->Event);
}

/* CheckPacket runs at TPL_CALLBACK, as edk2's does. */
static EFI_STATUS check(struct mtftp *mtftp, const UINT8 *packet, UINTN length) {
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  UINT8 *exact = malloc(length);
  memcpy(exact, packet, length);
  EFI_STATUS status = mtftp->token->CheckPacket(&mtftp->protocol, mtftp->token, (UINT16)length, exact);
  free(exact);
  BS->RestoreTPL(tpl);
  return status;
}

static void send_error(struct mtftp *mtftp, UINT8 code, const char *text) {
  UINT8 packet[64] = {0, EFI_MTFTP_OPCODE_ERROR, 0, code};
  memcpy(packet + 4, text, strlen(text) + 1U);
  (void)check(mtftp, packet, 5U + strlen(text));
  finish(mtftp, EFI_TFTP_ERROR);
}

static void send_options(struct mtftp *mtftp) {
  UINT8 packet[64] = {0, EFI_MTFTP_OPCODE_OACK};
  UINTN length = 2;
  memcpy(packet + length, "tsize", 6);
  length += 6;
  length += (UINTN)sprintf((char *)packet + length, "%lld", (long long)mtftp->size + (long long)server->tsize_lie) + 1U;
  mtftp->answered = true;
  if(EFI_ERROR(check(mtftp, packet, length))) {
    finish(mtftp, EFI_ABORTED);
  }
}

static void send_data(struct mtftp *mtftp) {
  UINT8 packet[4U + BLOCK] = {0, EFI_MTFTP_OPCODE_DATA};
  UINTN at = mtftp->block * BLOCK;
  UINTN left = mtftp->size - at;
  UINTN length = left < BLOCK ? left : BLOCK;
  if(server->silent_times && mtftp->block == server->silent_after) {
    server->silent_times--;
    mtftp->silent = true;
    return;
  }
  memcpy(packet + 4, (const UINT8 *)mtftp->file->content + at, length);
  packet[2] = (UINT8)((mtftp->block + 1U) >> 8);
  packet[3] = (UINT8)(mtftp->block + 1U);
  mtftp->block++;
  if(EFI_ERROR(check(mtftp, packet, 4U + length))) {
    finish(mtftp, EFI_ABORTED);
    return;
  }
  EFI_MTFTP_TOKEN *token = mtftp->token;
  if(token->Buffer) {
    if(at + length > token->BufferSize) {
      finish(mtftp, EFI_BUFFER_TOO_SMALL);
      return;
    }
    memcpy((UINT8 *)token->Buffer + at, packet + 4, length);
  }
  if(length < BLOCK) {
    token->BufferSize = at + length;
    finish(mtftp, EFI_SUCCESS);
  }
}

static void time_out(struct mtftp *mtftp) {
  if(firmware.now_us - mtftp->last_us >= RETRY_US * (mtftp->retries + 1U)) {
    mtftp->retries++;
    if(mtftp->token->TimeoutCallback && EFI_ERROR(mtftp->token->TimeoutCallback(&mtftp->protocol, mtftp->token))) {
      finish(mtftp, EFI_ABORTED);
      return;
    }
  }
  if(firmware.now_us - mtftp->last_us >= TIMEOUT_US) {
    finish(mtftp, EFI_TIMEOUT);
  }
}

static EFI_STATUS EFIAPI poll(EFI_MTFTP_PROTOCOL *this) {
  struct mtftp *mtftp = mtftp_of(this);
  check_service("Mtftp.Poll", TPL_CALLBACK);
  if(!mtftp->token) {
    return EFI_NOT_READY;
  }
  if(mtftp->silent) {
    time_out(mtftp);
  } else if(firmware.now_us >= mtftp->due_us) {
    mtftp->due_us = firmware.now_us + server->step_us;
    mtftp->last_us = firmware.now_us;
    mtftp->retries = 0;
    if(!mtftp->file) {
      send_error(mtftp, 1, "File not found");
    } else if(mtftp->token->OptionCount && server->refuses_options) {
      send_error(mtftp, 8, "Options");
    } else if(mtftp->token->OptionCount && !server->no_tsize && !mtftp->answered) {
      send_options(mtftp);
    } else {
      send_data(mtftp);
    }
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI configure(EFI_MTFTP_PROTOCOL *this, VOID *config) {
  struct mtftp *mtftp = mtftp_of(this);
  if(!config) {
    check_service("Mtftp.Configure(NULL)", TPL_CALLBACK);
    if(mtftp->token) {
      finish(mtftp, EFI_ABORTED);
    }
    mtftp->configured = false;
    return EFI_SUCCESS;
  }
  if(fails("Mtftp.Configure", TPL_CALLBACK)) {
    return EFI_NO_MAPPING;
  }
  mtftp->configured = true;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_file(EFI_MTFTP_PROTOCOL *this, EFI_MTFTP_TOKEN *token) {
  struct mtftp *mtftp = mtftp_of(this);
  if(fails("Mtftp.ReadFile", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!mtftp->configured || mtftp->token || !token->Event || !token->CheckPacket) {
    firmware_abort("Mtftp.ReadFile: not configured, or a token that would block", token);
  }
  server->reads++;
  mtftp->token = token;
  mtftp->file = served((const char *)token->Filename);
  mtftp->size = mtftp->file ? mtftp->file->size : 0;
  mtftp->answered = false;
  mtftp->silent = false;
  mtftp->block = 0;
  mtftp->retries = 0;
  mtftp->last_us = firmware.now_us;
  mtftp->due_us = firmware.now_us + server->step_us;
  return EFI_SUCCESS;
}

static void init(void *child) {
  struct mtftp *mtftp = child;
  mtftp->protocol = (EFI_MTFTP_PROTOCOL){.Configure = configure, .ReadFile = read_file, .Poll = poll};
}

static void fini(void *child) {
  struct mtftp *mtftp = child;
  if(mtftp->token) {
    firmware_abort("an MTFTP child goes with a token of the caller's", mtftp->token);
  }
}

const struct service_kind mtftp4_kind = {
    .name = "Mtftp4",
    .binding = EFI_MTFTP4_SERVICE_BINDING_PROTOCOL_GUID,
    .protocol = EFI_MTFTP4_PROTOCOL_GUID,
    .size = sizeof(struct mtftp),
    .protocol_at = offsetof(struct mtftp, protocol),
    .init = init,
    .fini = fini,
};

const struct service_kind mtftp6_kind = {
    .name = "Mtftp6",
    .binding = EFI_MTFTP6_SERVICE_BINDING_PROTOCOL_GUID,
    .protocol = EFI_MTFTP6_PROTOCOL_GUID,
    .size = sizeof(struct mtftp),
    .protocol_at = offsetof(struct mtftp, protocol),
    .init = init,
    .fini = fini,
};

static struct mtftp *mtftp_of(EFI_MTFTP_PROTOCOL *this) {
  struct mtftp *mtftp = (struct mtftp *)((UINT8 *)this - offsetof(struct mtftp, protocol));
  return child_of_service(mtftp->child.service->kind, this);
}
