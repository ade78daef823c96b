/* fetch_http.c - a file by EFI_HTTP_PROTOCOL.
 *
 * Each request has a child of the protocol and so a connection of its own: what is left of one that broke off reaches
 * no other, and a server that closes behind each answer is as good as one that does not. First HEAD, for the size; a
 * server that does not tell it is read once to count. Then GET, straight into place; one that broke off goes on by a
 * range request, or from the start where the server knows none. */
#include "fetch_http.h"

#include <string.h>

#include "../../driver/lib/format.h"
#include "../../driver/lib/texts.h"
#include "chunked.h"
#include "efi/http.h"
#include "efi/net_status.h"
#include "http_text.h"
#include "resolve.h"

#define TIMEOUT_MS   10000U
#define PIECE        65536U /* bytes asked of the firmware at a time           */
#define SCRATCH_SIZE 16384U /* the same where they cannot go straight in place */
#define SIZE_TRIES   2U
#define RANGE_SIZE   40U
#define HEADERS_MAX  5U

static EFI_GUID service_guid = EFI_HTTP_SERVICE_BINDING_PROTOCOL_GUID;
static EFI_GUID protocol_guid = EFI_HTTP_PROTOCOL_GUID;
static EFI_GUID tls_guid = EFI_TLS_SERVICE_BINDING_PROTOCOL_GUID;

struct http {
  struct transfer *transfer;
  struct child child;
  EFI_HTTP_PROTOCOL *http;
  EFI_HTTP_TOKEN token;
  EFI_HTTP_MESSAGE message;
  volatile BOOLEAN finished;
  struct http_head head;
  UINT32 status;  /* HTTP's                                                    */
  UINT8 *place;   /* where the file goes; NULL: it is only counted             */
  UINT8 *scratch; /* SCRATCH_SIZE bytes                                        */
};

/* A connection --------------------------------------------------------------------------------------------------- */

static EFI_STATUS poll(void *ctx) {
  const struct http *http = ctx;
  return http->http->Poll(http->http);
}

static EFI_STATUS open(struct http *http) {
  EFI_HTTPv4_ACCESS_POINT v4 = {.UseDefaultAddress = TRUE};
  EFI_HTTPv6_ACCESS_POINT v6 = {.LocalPort = 0};
  EFI_HTTP_CONFIG_DATA config = {
      .HttpVersion = HttpVersion11, .TimeOutMillisec = TIMEOUT_MS, .AccessPoint.IPv4Node = &v4};
  if(http->transfer->result->ipv6) {
    config.LocalAddressIsIPv6 = TRUE;
    config.AccessPoint.IPv6Node = &v6;
  }
  EFI_STATUS status = child_open(&http->child, http->transfer->request->controller, &service_guid, &protocol_guid);
  if(EFI_ERROR(status)) {
    return transfer_fail(http->transfer, status, "this firmware has no HTTP on the NIC");
  }
  http->http = http->child.protocol;
  status =
      BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, transfer_signal, (VOID *)&http->finished, &http->token.Event);
  if(EFI_ERROR(status)) {
    http->token.Event = NULL;
    return transfer_fail(http->transfer, status, "no event for the transfer");
  }
  status = http->http->Configure(http->http, &config);
  return EFI_ERROR(status) ? transfer_fail(http->transfer, status, "the firmware's HTTP cannot be set up: %s",
                                           transfer_reason(status))
                           : EFI_SUCCESS;
}

static void close(struct http *http) {
  if(http->http) {
    (void)http->http->Configure(http->http, NULL);
  }
  child_close(&http->child);
  if(http->token.Event) {
    BS->CloseEvent(http->token.Event);
  }
  http->http = NULL;
  http->token.Event = NULL;
}

/* Gives the message to the firmware and waits for it to end. */
static EFI_STATUS run(struct http *http, EFI_STATUS(EFIAPI *call)(EFI_HTTP_PROTOCOL *, EFI_HTTP_TOKEN *)) {
  http->finished = FALSE;
  http->token.Message = &http->message;
  http->token.Status = EFI_NOT_READY;
  EFI_STATUS status = call(http->http, &http->token);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = transfer_wait(http->transfer, &http->finished, poll, http);
  if(EFI_ERROR(status)) {
    (void)http->http->Cancel(http->http, &http->token);
    return status;
  }
  return http->token.Status;
}

/* Request and the answer's head ---------------------------------------------------------------------------------- */

/* The URL as the firmware gets it: with the address that was looked up, so that it need not, without a bound and
 * without Esc. Not for https, where the certificate is for the name: it looks it up again. */
static bool wire_url(const struct transfer *transfer, CHAR16 text[URL_TEXT_SIZE]) {
  struct url url = transfer->url;
  char narrow[URL_TEXT_SIZE];
  const struct fetch_result *result = transfer->result;
  if(url.host_kind == URL_HOST_NAME && url.scheme != URL_HTTPS) {
    url.host_kind = result->ipv6 ? URL_HOST_IPV6 : URL_HOST_IPV4;
    (void)(result->ipv6 ? ipv6_text(result->server6, url.host) : ipv4_text(result->server, url.host));
  }
  if(!url_text(&url, narrow, sizeof(narrow))) {
    return false;
  }
  for(UINTN i = 0; i < URL_TEXT_SIZE; i++) {
    text[i] = (CHAR16)narrow[i];
    if(!narrow[i]) {
      break;
    }
  }
  return true;
}

static EFI_STATUS send(struct http *http, EFI_HTTP_METHOD method, UINT64 first) {
  CHAR16 url[URL_TEXT_SIZE];
  char host[URL_HOST_SIZE + 8U];
  char range[RANGE_SIZE];
  EFI_HTTP_HEADER headers[HEADERS_MAX] = {
      {(CHAR8 *)"Host", (CHAR8 *)host},    {(CHAR8 *)"User-Agent", (CHAR8 *)"netdiag"},
      {(CHAR8 *)"Accept", (CHAR8 *)"*/*"}, {(CHAR8 *)"Accept-Encoding", (CHAR8 *)"identity"},
      {(CHAR8 *)"Range", (CHAR8 *)range},
  };
  EFI_HTTP_REQUEST_DATA request = {.Method = method, .Url = url};
  if(!url_authority(&http->transfer->url, host, sizeof(host)) || !wire_url(http->transfer, url)) {
    return transfer_fail(http->transfer, EFI_INVALID_PARAMETER, "the URL is too long");
  }
  (void)format_into(range, sizeof(range), "bytes=%ju-", first);
  http->message = (EFI_HTTP_MESSAGE){
      .Data.Request = &request, .HeaderCount = first ? HEADERS_MAX : HEADERS_MAX - 1U, .Headers = headers};
  EFI_STATUS status = run(http, http->http->Request);
  http->message.Headers = NULL;
  return status;
}

/* Array and texts were allocated by the firmware. */
static void take_headers(struct http *http) {
  EFI_HTTP_HEADER *headers = http->message.Headers;
  memset(&http->head, 0, sizeof(http->head));
  for(UINTN i = 0; headers && i < http->message.HeaderCount; i++) {
    if(headers[i].FieldName && headers[i].FieldValue) {
      http_head_field(&http->head, (const char *)headers[i].FieldName, (const char *)headers[i].FieldValue);
    }
    if(headers[i].FieldName) {
      FreePool(headers[i].FieldName);
    }
    if(headers[i].FieldValue) {
      FreePool(headers[i].FieldValue);
    }
  }
  if(headers) {
    FreePool(headers);
  }
  http->message.Headers = NULL;
  http->message.HeaderCount = 0;
}

static EFI_STATUS receive_head(struct http *http) {
  EFI_HTTP_RESPONSE_DATA response = {0};
  http->message = (EFI_HTTP_MESSAGE){.Data.Response = &response};
  EFI_STATUS status = run(http, http->http->Response);
  take_headers(http);
  http->message.Data.Response = NULL;
  http->status = http_status_of(response.StatusCode);
  http->transfer->result->http_status = http->status;
  return status == EFI_NET_HTTP_ERROR ? EFI_SUCCESS : status;
}

static bool is_redirect(const struct http *http) {
  return (http->status >= 301U && http->status <= 303U) || http->status == 307U || http->status == 308U;
}

static EFI_STATUS follow(struct http *http) {
  struct transfer *transfer = http->transfer;
  struct url next;
  if(!http->head.has_location) {
    return transfer_fail(transfer, EFI_PROTOCOL_ERROR, "the server redirects (%u), and does not say where to",
                         http->status);
  }
  if(transfer->result->redirects == FETCH_REDIRECTS) {
    return transfer_fail(transfer, EFI_PROTOCOL_ERROR, "the server redirects more than %u times, at last to %s",
                         FETCH_REDIRECTS, http->head.location);
  }
  const char *problem = url_join(&transfer->url, http->head.location, &next);
  if(!problem && (next.scheme == URL_TFTP || (transfer->url.scheme == URL_HTTPS && next.scheme == URL_HTTP))) {
    problem = "only http and https may follow, and nothing less than https after https";
  }
  if(problem) {
    return transfer_fail(transfer, EFI_PROTOCOL_ERROR, "the server redirects to '%s': %s", http->head.location,
                         problem);
  }
  transfer->result->redirects++;
  transfer->url = next;
  return EFI_SUCCESS;
}

/* Opens a connection, asks, and reads the head of the answer; goes on where redirects lead. Of what fails, what trying
 * again may help is not told. */
static EFI_STATUS ask(struct http *http, EFI_HTTP_METHOD method, UINT64 first) {
  struct transfer *transfer = http->transfer;
  enum fetch_step step = transfer->result->step;
  for(;;) {
    transfer->result->error[0] = '\0';
    EFI_STATUS status = resolve(transfer);
    if(EFI_ERROR(status)) {
      return status;
    }
    transfer->result->step = step;
    status = open(http);
    transfer_window(transfer);
    if(!EFI_ERROR(status)) {
      status = send(http, method, first);
    }
    if(!EFI_ERROR(status)) {
      status = receive_head(http);
    }
    if(EFI_ERROR(status) || !is_redirect(http)) {
      return status;
    }
    status = follow(http);
    close(http);
    if(EFI_ERROR(status)) {
      return status;
    }
  }
}

/* What an answer other than the file means; told. EFI_SUCCESS for one with the file. */
static EFI_STATUS judge(struct http *http) {
  struct transfer *transfer = http->transfer;
  const char *text = http_status_text(http->status);
  if(http->status == 200 || http->status == 206) {
    if(http->head.coded) {
      return transfer_fail(transfer, EFI_UNSUPPORTED, "the server sends the file in a coding that was not asked for");
    }
    return http->head.bad_length ? transfer_fail(transfer, EFI_PROTOCOL_ERROR,
                                                 "the server's Content-Length is no number, or there are two")
                                 : EFI_SUCCESS;
  }
  EFI_STATUS status = http->status == 404 || http->status == 410                          ? EFI_NOT_FOUND
                      : http->status == 401 || http->status == 403 || http->status == 407 ? EFI_ACCESS_DENIED
                                                                                          : EFI_PROTOCOL_ERROR;
  if(http->status == 0) {
    return transfer_fail(transfer, status, "what the server answers is no status of HTTP's");
  }
  return transfer_fail(transfer, status, "the server answers %u%s%s", http->status, *text ? " " : "", text);
}

/* Body ----------------------------------------------------------------------------------------------------------- */

/* The next piece of the body as it came: at most *length bytes to `to`. */
static EFI_STATUS receive(struct http *http, UINT8 *to, UINTN *length) {
  UINTN room = *length;
  http->message = (EFI_HTTP_MESSAGE){.BodyLength = room, .Body = to};
  EFI_STATUS status = run(http, http->http->Response);
  take_headers(http);
  *length = http->message.BodyLength;
  if(!EFI_ERROR(status) && (*length == 0 || *length > room)) {
    return *length == 0 ? EFI_NET_CONNECTION_FIN : EFI_DEVICE_ERROR;
  }
  return status;
}

static EFI_STATUS too_much(struct http *http) {
  struct transfer *transfer = http->transfer;
  return transfer_fail(transfer, EFI_BAD_BUFFER_SIZE,
                       http->place ? "the server sends more than the %ju bytes that it said the file has"
                                   : "the file does not end within %ju bytes, more than may come",
                       http->place ? transfer->size : transfer->limit);
}

/* Content goes where it belongs, or is counted. */
static EFI_STATUS store(struct http *http, const UINT8 *data, UINTN count) {
  struct transfer *transfer = http->transfer;
  UINT64 most = http->place ? transfer->size : transfer->limit;
  if(count > most - transfer->done) {
    return too_much(http);
  }
  if(http->place) {
    memcpy(http->place + transfer->done, data, count);
  }
  transfer->done += count;
  return EFI_SUCCESS;
}

/* `left` bytes, of a body whose length the head said. */
static EFI_STATUS read_length(struct http *http, UINT64 left) {
  struct transfer *transfer = http->transfer;
  EFI_STATUS status = EFI_SUCCESS;
  while(left > 0 && !EFI_ERROR(status)) {
    UINT8 *to = http->place ? http->place + transfer->done : http->scratch;
    UINTN most = http->place ? PIECE : SCRATCH_SIZE;
    UINTN length = left < most ? (UINTN)left : most;
    status = receive(http, to, &length);
    if(!EFI_ERROR(status)) {
      transfer->done += length;
      left -= length;
    }
  }
  return status;
}

static EFI_STATUS read_chunked(struct http *http) {
  struct chunked chunked = {CHUNKED_SIZE, 0, 0};
  EFI_STATUS status = EFI_SUCCESS;
  while(chunked.state != CHUNKED_DONE && !EFI_ERROR(status)) {
    UINTN length = SCRATCH_SIZE;
    status = receive(http, http->scratch, &length);
    for(UINTN at = 0; !EFI_ERROR(status) && at < length && chunked.state != CHUNKED_DONE;) {
      const uint8_t *data;
      size_t count;
      at += chunked_next(&chunked, http->scratch + at, length - at, &data, &count);
      status = chunked.state == CHUNKED_BROKEN
                   ? transfer_fail(http->transfer, EFI_PROTOCOL_ERROR, "the server's chunked answer is broken")
                   : store(http, data, count);
    }
  }
  return status;
}

/* Neither a length nor chunks: what comes until the server closes the connection (RFC 9112, 6.3). */
static EFI_STATUS read_to_end(struct http *http) {
  EFI_STATUS status = EFI_SUCCESS;
  while(!EFI_ERROR(status)) {
    UINTN length = SCRATCH_SIZE;
    status = receive(http, http->scratch, &length);
    if(!EFI_ERROR(status)) {
      status = store(http, http->scratch, length);
    }
  }
  return status == EFI_NET_CONNECTION_FIN ? EFI_SUCCESS : status;
}

static EFI_STATUS read_body(struct http *http) {
  if(http->head.chunked) {
    return read_chunked(http);
  }
  return http->head.has_length ? read_length(http, http->head.length) : read_to_end(http);
}

/* The whole ------------------------------------------------------------------------------------------------------ */

/* Whether trying again may help, and nothing was told. */
static bool passing(const struct http *http, EFI_STATUS status) {
  return EFI_ERROR(status) && !http->transfer->result->error[0] && status != EFI_ABORTED &&
         status != EFI_NET_CONNECTION_REFUSED && status != EFI_UNSUPPORTED && status != EFI_OUT_OF_RESOURCES &&
         status != EFI_INVALID_PARAMETER && status != EFI_ACCESS_DENIED && status != EFI_SECURITY_VIOLATION;
}

static EFI_STATUS blame(struct http *http, EFI_STATUS status) {
  struct transfer *transfer = http->transfer;
  if(!EFI_ERROR(status) || transfer->result->error[0]) {
    return status;
  }
  if(status == EFI_ABORTED) {
    return transfer_fail(transfer, status, "stopped");
  }
  if(transfer->result->step == FETCH_TRANSFER && transfer->done < transfer->size) {
    return transfer_fail(transfer, status == EFI_NET_CONNECTION_FIN ? EFI_BAD_BUFFER_SIZE : status,
                         "%ju of %ju bytes came, then %s (%u tries)", transfer->done, transfer->size,
                         status == EFI_TIMEOUT ? "nothing more, or too slowly" : transfer_reason(status),
                         transfer->result->retries + 1U);
  }
  return transfer_fail(transfer, status, "%s", transfer_reason(status));
}

/* Reads the file to its end to learn its size. */
static EFI_STATUS count(struct http *http) {
  struct transfer *transfer = http->transfer;
  transfer->done = 0;
  EFI_STATUS status = ask(http, HttpMethodGet, 0);
  if(!EFI_ERROR(status)) {
    status = judge(http);
  }
  if(!EFI_ERROR(status) && http->head.has_length && !http->head.chunked) {
    close(http); /* HEAD is not known, but GET tells */
    return transfer_sized(transfer, http->head.length);
  }
  if(!EFI_ERROR(status)) {
    status = read_body(http);
  }
  close(http);
  return EFI_ERROR(status) ? status : transfer_sized(transfer, transfer->done);
}

static EFI_STATUS head(struct http *http) {
  EFI_STATUS status = ask(http, HttpMethodHead, 0);
  close(http);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(http->status == 405 || http->status == 501 || (http->status == 200 && !http->head.has_length)) {
    return count(http);
  }
  status = judge(http);
  return EFI_ERROR(status) ? status : transfer_sized(http->transfer, http->head.length);
}

static EFI_STATUS ask_size(struct http *http) {
  http->transfer->result->step = FETCH_SIZE;
  EFI_STATUS status = head(http);
  for(UINTN tries = 1; tries < SIZE_TRIES && passing(http, status); tries++) {
    status = head(http);
  }
  return blame(http, status);
}

/* The rest of it from `done` on, or all of it from a server that knows no ranges. */
static EFI_STATUS read_rest(struct http *http) {
  struct transfer *transfer = http->transfer;
  UINT64 first = transfer->done;
  EFI_STATUS status = ask(http, HttpMethodGet, first);
  if(!EFI_ERROR(status)) {
    status = judge(http);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  UINT64 wanted = transfer->size;
  if(http->status == 206) {
    const struct http_head *answer = &http->head;
    if(first == 0 || !answer->has_range || answer->first != first || answer->last != transfer->size - 1U ||
       (answer->total != UINT64_MAX && answer->total != transfer->size)) {
      return transfer_fail(transfer, EFI_PROTOCOL_ERROR,
                           "the server sends another part of the file than the one from byte %ju on", first);
    }
    wanted -= first;
    transfer->result->resumed++;
  } else {
    transfer->done = 0;
    transfer_window(transfer);
  }
  if(http->head.has_length && !http->head.chunked && http->head.length != wanted) {
    return transfer_fail(transfer, EFI_BAD_BUFFER_SIZE,
                         "the server said that the file has %ju bytes, and now sends %ju", wanted, http->head.length);
  }
  status = read_body(http);
  if(!EFI_ERROR(status) && transfer->done < transfer->size) {
    status = EFI_NET_CONNECTION_FIN;
  }
  return status;
}

static EFI_STATUS read_all(struct http *http) {
  struct transfer *transfer = http->transfer;
  transfer->result->step = FETCH_TRANSFER;
  transfer->done = 0;
  http->place = (UINT8 *)(UINTN)transfer->result->address;
  EFI_STATUS status = read_rest(http);
  close(http);
  while(passing(http, status) && transfer->result->retries < FETCH_RETRIES) {
    transfer->result->retries++;
    status = read_rest(http);
    close(http);
  }
  return blame(http, status);
}

static EFI_STATUS check_tls(struct transfer *transfer) {
  VOID *tls;
  if(transfer->url.scheme == URL_HTTPS && EFI_ERROR(BS->LocateProtocol(&tls_guid, NULL, &tls))) {
    return transfer_fail(transfer, EFI_UNSUPPORTED, "this firmware has no TLS: use http, and --sha256 instead");
  }
  return EFI_SUCCESS;
}

EFI_STATUS fetch_http(struct transfer *transfer) {
  struct http http;
  memset(&http, 0, sizeof(http));
  http.transfer = transfer;
  EFI_STATUS status = check_tls(transfer);
  if(EFI_ERROR(status)) {
    return status;
  }
  http.scratch = AllocatePool(SCRATCH_SIZE);
  if(!http.scratch) {
    return transfer_fail(transfer, EFI_OUT_OF_RESOURCES, "no memory for the transfer");
  }
  status = ask_size(&http);
  if(!EFI_ERROR(status)) {
    transfer->result->step = FETCH_MEMORY;
    status = transfer_room(transfer);
    if(!EFI_ERROR(status)) {
      status = read_all(&http);
    }
  }
  FreePool(http.scratch);
  return status;
}
