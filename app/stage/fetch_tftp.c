/* fetch_tftp.c - a file by EFI_MTFTP4_PROTOCOL or EFI_MTFTP6_PROTOCOL.
 *
 * First a request for its size (RFC 2349, tsize), which is broken off when the answer is there. A server that knows no
 * options begins to send at once: then the whole file is counted, and asked for again. */
#include "fetch_tftp.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "efi/mtftp.h"
#include "http_text.h"
#include "resolve.h"

#define TRY_COUNT  6U /* of each packet, by the firmware */
#define TIMEOUT_S  2U
#define DATA_HEAD  4U /* bytes of opcode and block number, or opcode and error code */
#define OACK_HEAD  2U
#define ERROR_TEXT 80U

struct tftp {
  struct transfer *transfer;
  struct child child;
  EFI_MTFTP_PROTOCOL *mtftp;
  EFI_MTFTP_TOKEN token;
  volatile BOOLEAN finished;
  BOOLEAN sizing;     /* ends when the size is known                      */
  BOOLEAN stopped;    /* the watch wants the end: no packet is taken more */
  BOOLEAN excess;     /* more came than may                               */
  BOOLEAN no_options; /* the server refuses requests with options         */
  BOOLEAN has_error;  /* the server sent an error:                        */
  UINT16 error_code;
  char error_text[ERROR_TEXT];
  char file[URL_TEXT_SIZE];
};

/* Packets, at TPL_CALLBACK --------------------------------------------------------------------------------------- */

static EFI_STATUS data_packet(struct tftp *tftp, UINT16 length) {
  struct transfer *transfer = tftp->transfer;
  UINT64 most = tftp->sizing ? transfer->limit : transfer->size;
  transfer->done += (UINT64)(length - DATA_HEAD);
  tftp->excess = transfer->done > most;
  return tftp->excess ? EFI_ABORTED : EFI_SUCCESS;
}

/* Without characters that a console takes for more than a letter. */
static void error_packet(struct tftp *tftp, const UINT8 *packet, UINT16 length) {
  UINTN count = 0;
  tftp->has_error = TRUE;
  tftp->error_code = get16(packet + 2);
  for(UINTN i = DATA_HEAD; i < length && packet[i] && count + 1U < ERROR_TEXT; i++) {
    tftp->error_text[count++] = packet[i] >= ' ' && packet[i] < 0x7F ? (char)packet[i] : '?';
  }
  tftp->error_text[count] = '\0';
}

static EFI_STATUS oack_packet(struct tftp *tftp, const UINT8 *packet, UINT16 length) {
  struct transfer *transfer = tftp->transfer;
  UINT64 size;
  if(!tftp_option(packet + OACK_HEAD, (size_t)length - OACK_HEAD, "tsize", &size)) {
    return EFI_SUCCESS;
  }
  if(tftp->sizing) {
    transfer->size = size;
    transfer->sized = true;
    return EFI_ABORTED; /* that was all we wanted to know */
  }
  tftp->excess = size > transfer->size;
  return tftp->excess ? EFI_ABORTED : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI on_packet(EFI_MTFTP_PROTOCOL *this, EFI_MTFTP_TOKEN *token, UINT16 length, VOID *packet) {
  struct tftp *tftp = token->Context;
  const UINT8 *bytes = packet;
  (void)this;
  if(tftp->stopped) {
    return EFI_ABORTED;
  }
  if(length < OACK_HEAD) {
    return EFI_SUCCESS;
  }
  switch(get16(bytes)) {
  case EFI_MTFTP_OPCODE_DATA:
    return length >= DATA_HEAD ? data_packet(tftp, length) : EFI_SUCCESS;
  case EFI_MTFTP_OPCODE_ERROR:
    if(length >= DATA_HEAD) {
      error_packet(tftp, bytes, length);
    }
    return EFI_SUCCESS;
  case EFI_MTFTP_OPCODE_OACK:
    return oack_packet(tftp, bytes, length);
  default:
    return EFI_SUCCESS;
  }
}

static EFI_STATUS EFIAPI on_timeout(EFI_MTFTP_PROTOCOL *this, EFI_MTFTP_TOKEN *token) {
  const struct tftp *tftp = token->Context;
  (void)this;
  tftp->transfer->result->timeouts++;
  return tftp->stopped ? EFI_ABORTED : EFI_SUCCESS;
}

/* A request ------------------------------------------------------------------------------------------------------ */

static EFI_STATUS configure(struct tftp *tftp) {
  const struct url *url = &tftp->transfer->url;
  const struct fetch_result *result = tftp->transfer->result;
  EFI_MTFTP4_CONFIG_DATA v4 = {
      .UseDefaultSetting = TRUE, .InitialServerPort = url->port, .TryCount = TRY_COUNT, .TimeoutValue = TIMEOUT_S};
  EFI_MTFTP6_CONFIG_DATA v6 = {.InitialServerPort = url->port, .TryCount = TRY_COUNT, .TimeoutValue = TIMEOUT_S};
  put32(v4.ServerIp.Addr, result->server);
  memcpy(v6.ServerIp.Addr, result->server6, sizeof(v6.ServerIp.Addr));
  return tftp->mtftp->Configure(tftp->mtftp, result->ipv6 ? (VOID *)&v6 : (VOID *)&v4);
}

static EFI_STATUS open(struct tftp *tftp) {
  static EFI_GUID guids[2][2] = {
      {EFI_MTFTP4_SERVICE_BINDING_PROTOCOL_GUID, EFI_MTFTP4_PROTOCOL_GUID},
      {EFI_MTFTP6_SERVICE_BINDING_PROTOCOL_GUID, EFI_MTFTP6_PROTOCOL_GUID},
  };
  struct transfer *transfer = tftp->transfer;
  UINTN version = transfer->result->ipv6;
  EFI_STATUS status = child_open(&tftp->child, transfer->request->controller, &guids[version][0], &guids[version][1]);
  if(EFI_ERROR(status)) {
    return transfer_fail(transfer, status, "this firmware has no TFTP for IPv%u on the NIC", version ? 6U : 4U);
  }
  tftp->mtftp = tftp->child.protocol;
  status =
      BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, transfer_signal, (VOID *)&tftp->finished, &tftp->token.Event);
  if(EFI_ERROR(status)) {
    tftp->token.Event = NULL;
    return transfer_fail(transfer, status, "no event for the transfer");
  }
  status = configure(tftp);
  return EFI_ERROR(status)
             ? transfer_fail(transfer, status, "the firmware's TFTP cannot be set up: %s", transfer_reason(status))
             : EFI_SUCCESS;
}

/* Configure(NULL) ends a transfer that is under way; the token is ours again then. */
static void close(struct tftp *tftp) {
  tftp->stopped = TRUE;
  if(tftp->mtftp) {
    (void)tftp->mtftp->Configure(tftp->mtftp, NULL);
  }
  child_close(&tftp->child);
  if(tftp->token.Event) {
    BS->CloseEvent(tftp->token.Event);
  }
  tftp->mtftp = NULL;
  tftp->token.Event = NULL;
}

static EFI_STATUS poll(void *ctx) {
  const struct tftp *tftp = ctx;
  return tftp->mtftp->Poll(tftp->mtftp);
}

/* The firmware's own reading of the file into `buffer`, or into nothing. Returns what it ended with. */
static EFI_STATUS run(struct tftp *tftp, VOID *buffer, UINT64 size) {
  static CHAR8 names[][8] = {"tsize", "blksize"};
  static CHAR8 values[][8] = {"0", "1468"}; /* what fits an Ethernet frame with IPv4 and UDP around it */
  EFI_MTFTP_OPTION options[] = {{names[0], values[0]}, {names[1], values[1]}};
  EFI_EVENT event = tftp->token.Event;
  tftp->finished = FALSE;
  tftp->excess = FALSE;
  tftp->has_error = FALSE;
  tftp->transfer->done = 0;
  tftp->token = (EFI_MTFTP_TOKEN){.Event = event,
                                  .Filename = (CHAR8 *)tftp->file,
                                  .OptionCount = tftp->no_options ? 0 : 2,
                                  .OptionList = tftp->no_options ? NULL : options,
                                  .BufferSize = size,
                                  .Buffer = buffer,
                                  .Context = tftp,
                                  .CheckPacket = on_packet,
                                  .TimeoutCallback = on_timeout};
  transfer_window(tftp->transfer);
  EFI_STATUS status = tftp->mtftp->ReadFile(tftp->mtftp, &tftp->token);
  if(!EFI_ERROR(status)) {
    status = transfer_wait(tftp->transfer, &tftp->finished, poll, tftp);
    status = EFI_ERROR(status) ? status : tftp->token.Status;
  }
  return status;
}

/* Opens, runs and closes: what is left of one that was broken off does not reach the next. */
static EFI_STATUS request(struct tftp *tftp, BOOLEAN sizing, VOID *buffer, UINT64 size) {
  tftp->sizing = sizing;
  tftp->stopped = FALSE;
  tftp->transfer->result->error[0] = '\0';
  EFI_STATUS status = open(tftp);
  if(!EFI_ERROR(status)) {
    status = run(tftp, buffer, size);
  }
  close(tftp);
  tftp->transfer->result->tftp_error = tftp->has_error ? tftp->error_code + 1U : 0;
  return status;
}

/* Judging -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS server_error(struct tftp *tftp) {
  EFI_STATUS status = tftp->error_code == EFI_MTFTP_ERRORCODE_FILE_NOT_FOUND     ? EFI_NOT_FOUND
                      : tftp->error_code == EFI_MTFTP_ERRORCODE_ACCESS_VIOLATION ? EFI_ACCESS_DENIED
                                                                                 : EFI_PROTOCOL_ERROR;
  const char *what = status == EFI_NOT_FOUND       ? "has no such file"
                     : status == EFI_ACCESS_DENIED ? "does not give the file away"
                                                   : "ends the transfer";
  return transfer_fail(tftp->transfer, status, "the server %s (TFTP error %u%s%s): %s", what, tftp->error_code,
                       tftp->error_text[0] ? ", " : "", tftp->error_text, tftp->file);
}

/* Whether trying again may help. Then nothing is told yet. */
static bool passing(const struct tftp *tftp, EFI_STATUS status) {
  return !tftp->has_error && !tftp->excess &&
         (status == EFI_TIMEOUT || status == EFI_DEVICE_ERROR || status == EFI_NO_MAPPING || status == EFI_ICMP_ERROR);
}

static EFI_STATUS blame(struct tftp *tftp, EFI_STATUS status) {
  struct transfer *transfer = tftp->transfer;
  if(transfer->result->error[0]) {
    return status;
  }
  if(tftp->has_error) {
    return server_error(tftp);
  }
  if(tftp->excess) {
    return transfer_fail(transfer, EFI_BAD_BUFFER_SIZE,
                         tftp->sizing ? "the file does not end within %ju bytes, more than may come"
                                      : "the server sends more than the %ju bytes that it said the file has",
                         tftp->sizing ? transfer->limit : transfer->size);
  }
  if(status == EFI_ABORTED) {
    return transfer_fail(transfer, status, "stopped");
  }
  if(status == EFI_TIMEOUT && transfer->done > 0) {
    return transfer_fail(transfer, status, "the server stopped sending after %ju bytes", transfer->done);
  }
  return transfer_fail(transfer, status, "%s", transfer_reason(status));
}

static bool options_refused(const struct tftp *tftp) {
  return tftp->has_error && tftp->error_code == EFI_MTFTP_ERRORCODE_REQUEST_DENIED && !tftp->no_options;
}

static EFI_STATUS ask_size(struct tftp *tftp) {
  struct transfer *transfer = tftp->transfer;
  transfer->result->step = FETCH_SIZE;
  EFI_STATUS status = request(tftp, TRUE, NULL, 0);
  if(options_refused(tftp)) {
    tftp->no_options = TRUE;
    status = request(tftp, TRUE, NULL, 0);
  }
  if(transfer->sized) {
    return transfer_sized(transfer, transfer->size);
  }
  if(EFI_ERROR(status)) {
    return blame(tftp, status);
  }
  return transfer_sized(transfer, transfer->done);
}

/* The whole of it; once more from its start when it broke off. */
static EFI_STATUS read_all(struct tftp *tftp) {
  struct transfer *transfer = tftp->transfer;
  VOID *buffer = (VOID *)(UINTN)transfer->result->address;
  transfer->result->step = FETCH_TRANSFER;
  EFI_STATUS status = request(tftp, FALSE, buffer, transfer->size);
  while(passing(tftp, status) && transfer->result->retries < FETCH_RETRIES) {
    transfer->result->retries++;
    status = request(tftp, FALSE, buffer, transfer->size);
  }
  if(EFI_ERROR(status)) {
    return blame(tftp, status);
  }
  if(transfer->done != transfer->size) {
    return transfer_fail(transfer, EFI_BAD_BUFFER_SIZE, "only %ju bytes came of the %ju that the server said",
                         transfer->done, transfer->size);
  }
  return EFI_SUCCESS;
}

EFI_STATUS fetch_tftp(struct transfer *transfer) {
  struct tftp tftp;
  memset(&tftp, 0, sizeof(tftp));
  tftp.transfer = transfer;
  if(!url_file(&transfer->url, tftp.file, sizeof(tftp.file)) || !tftp.file[0]) {
    return transfer_fail(transfer, EFI_INVALID_PARAMETER, "the URL names no file: tftp://SERVER/FILE");
  }
  EFI_STATUS status = resolve(transfer);
  if(!EFI_ERROR(status)) {
    status = ask_size(&tftp);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  transfer->result->step = FETCH_MEMORY;
  status = transfer_room(transfer);
  return EFI_ERROR(status) ? status : read_all(&tftp);
}
