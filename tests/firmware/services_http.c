/* services_http.c - the fake firmware's EFI_HTTP_PROTOCOL: requests end at once, answers as the clock goes on. */
#include "services_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efi/http.h"
#include "efi/net_status.h"

#define OK       3U /* UEFI 2.10, 29.6: the enumeration's numbers of 200, 206, 302, 404 and 405 */
#define PARTIAL  9U
#define FOUND    12U
#define MISSING  21U
#define NOT_SO   22U
#define BODY_MAX (4U * 1024U * 1024U)

struct http {
  struct service_child child;
  EFI_HTTP_PROTOCOL protocol;
  bool configured;
  EFI_HTTP_TOKEN *token; /* of a response that is waited for */
  bool head;             /* the method                       */
  bool headed;           /* the head was given               */
  const struct served_file *file;
  UINT32 status;
  UINT64 first;
  UINT8 *body; /* as it goes over the wire */
  UINTN size;
  UINTN at;
  UINTN cut;  /* where it ends early; SIZE_MAX: it does not */
  bool stall; /* there it is silent, instead of closed      */
  UINT64 due_us;
};

static struct http *http_of(EFI_HTTP_PROTOCOL *this) {
  return child_of_service(&http_kind, this);
}

static void finish(struct http *http, EFI_STATUS status) {
  EFI_HTTP_TOKEN *token = http->token;
  http->token = NULL;
  token->Status = status;
  (void)BS->SignalEvent(token->Event);
}

/* Requests ------------------------------------------------------------------------------------------------------- */

static const char *field(const EFI_HTTP_MESSAGE *message, const char *name) {
  for(UINTN i = 0; i < message->HeaderCount; i++) {
    if(strcmp((const char *)message->Headers[i].FieldName, name) == 0) {
      return (const char *)message->Headers[i].FieldValue;
    }
  }
  return NULL;
}

/* Behind the third slash, up to a query. */
static const char *path_of(const char *url) {
  static char path[512];
  const char *at = url;
  for(UINTN slashes = 0; *at && slashes < 3; at++) {
    slashes += *at == '/';
  }
  size_t length = strcspn(at, "?");
  memcpy(path, at, length);
  path[length] = '\0';
  return path;
}

static void add(struct http *http, const void *bytes, UINTN size) {
  if(http->size + size > BODY_MAX) {
    firmware_abort("a body larger than is modelled", bytes);
  }
  memcpy(http->body + http->size, bytes, size);
  http->size += size;
}

/* What goes over the wire as body. */
static void make_body(struct http *http) {
  static const char end[] = "0\r\nX: y\r\n\r\n";
  const UINT8 *content = http->file->content;
  UINTN left = http->file->size - (UINTN)http->first;
  char line[32];
  http->body = malloc(BODY_MAX);
  http->size = 0;
  content += http->first;
  if(!server->chunked && !server->endless) {
    add(http, content, left);
    for(INTN more = server->length_lie; more > 0; more--) {
      add(http, "+", 1);
    }
    http->size -= server->length_lie < 0 ? (UINTN)-server->length_lie : 0;
    return;
  }
  UINTN pieces = server->endless ? 300U : left ? 3U : 0;
  for(UINTN i = 0; i < pieces; i++) {
    UINTN size = server->endless || i + 1U == pieces ? left : left / 3U;
    if(size > 0) {
      add(http, line, (UINTN)sprintf(line, "%zx;a=b\r\n", (size_t)size));
      add(http, content, size);
      add(http, "\r\n", 2);
    }
    content += server->endless ? 0 : size;
    left -= server->endless ? 0 : size;
  }
  if(!server->endless) {
    add(http, end, sizeof(end) - 1U);
  }
}

static void plan_faults(struct http *http) {
  http->cut = SIZE_MAX;
  http->stall = false;
  if(server->cut_times > 0) {
    server->cut_times--;
    http->cut = server->cut_after;
  } else if(server->stall_times > 0) {
    server->stall_times--;
    http->cut = server->stall_after;
    http->stall = true;
  }
}

static void answer(struct http *http, const char *range) {
  http->first = 0;
  http->status = server->status                  ? server->status
                 : !http->file                   ? MISSING
                 : server->redirects > 0         ? FOUND
                 : http->head && server->no_head ? NOT_SO
                                                 : OK;
  server->redirects -= http->status == FOUND;
  if(range) {
    server->last_range = strtoull(range + strlen("bytes="), NULL, 10);
  }
  if(range && http->status == OK && !server->no_ranges) {
    http->first = server->last_range;
    http->status = PARTIAL;
  }
  if(!http->head && (http->status == OK || http->status == PARTIAL)) {
    make_body(http);
    plan_faults(http);
  }
}

static EFI_STATUS EFIAPI request(EFI_HTTP_PROTOCOL *this, EFI_HTTP_TOKEN *token) {
  struct http *http = http_of(this);
  const EFI_HTTP_MESSAGE *message = token->Message;
  const EFI_HTTP_REQUEST_DATA *data = message->Data.Request;
  if(fails("Http.Request", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!http->configured || http->body || !field(message, "Host")) {
    firmware_abort("Http.Request: not configured, a second one, or without a Host", token);
  }
  if(server->refuses) {
    return EFI_NET_CONNECTION_REFUSED;
  }
  for(UINTN i = 0; i < sizeof(server->last_url); i++) {
    server->last_url[i] = (char)data->Url[i];
    if(!data->Url[i]) {
      break;
    }
  }
  (void)snprintf(server->last_host, sizeof(server->last_host), "%s", field(message, "Host"));
  http->head = data->Method == HttpMethodHead;
  *(http->head ? &server->heads : &server->gets) += 1U;
  http->file = served(path_of(server->last_url));
  http->headed = false;
  http->at = 0;
  http->size = 0;
  answer(http, field(message, "Range"));
  token->Status = EFI_SUCCESS;
  (void)BS->SignalEvent(token->Event);
  return EFI_SUCCESS;
}

/* Answers -------------------------------------------------------------------------------------------------------- */

static CHAR8 *copy(const char *text) {
  CHAR8 *to = pool_new(strlen(text) + 1U);
  memcpy(to, text, strlen(text) + 1U);
  return to;
}

static void put(EFI_HTTP_MESSAGE *message, const char *name, const char *value) {
  message->Headers[message->HeaderCount++] = (EFI_HTTP_HEADER){copy(name), copy(value)};
}

/* Array and texts are the caller's to free. */
static void give_head(struct http *http) {
  EFI_HTTP_MESSAGE *message = http->token->Message;
  char text[96];
  bool content = http->status == OK || http->status == PARTIAL;
  bool no_length = server->chunked || server->endless || server->bare;
  message->Data.Response->StatusCode = http->status;
  message->HeaderCount = 0;
  message->Headers = pool_new(8U * sizeof(EFI_HTTP_HEADER));
  put(message, "Server", "fake");
  if(content && !no_length) {
    (void)snprintf(text, sizeof(text), "%zu", http->head ? (size_t)http->file->size : (size_t)http->size);
    put(message, "content-length", text);
  }
  if(content && !http->head && (server->chunked || server->endless)) {
    put(message, "Transfer-Encoding", "chunked");
  }
  if(content && server->coded) {
    put(message, "Content-Encoding", "gzip");
  }
  if(http->status == PARTIAL) {
    (void)snprintf(text, sizeof(text), "bytes %zu-%zu/%zu", (size_t)http->first + server->wrong_range,
                   (size_t)http->file->size - 1U, (size_t)http->file->size);
    put(message, "Content-Range", text);
  }
  if(http->status == FOUND && server->location) {
    put(message, "Location", server->location[0] ? server->location : "?again");
  }
  http->headed = true;
  finish(http, content || http->status == FOUND ? EFI_SUCCESS : EFI_NET_HTTP_ERROR);
}

static void give_body(struct http *http) {
  EFI_HTTP_MESSAGE *message = http->token->Message;
  UINTN end = http->size < http->cut ? http->size : http->cut;
  UINTN count = end - http->at < message->BodyLength ? end - http->at : message->BodyLength;
  count = server->piece && count > server->piece ? server->piece : count;
  if(count == 0) {
    if(!http->stall || end != http->cut) {
      finish(http, EFI_NET_CONNECTION_FIN);
    }
    return; /* or silence */
  }
  memcpy(message->Body, http->body + http->at, count);
  http->at += count;
  message->BodyLength = count;
  finish(http, EFI_SUCCESS);
}

static EFI_STATUS EFIAPI response(EFI_HTTP_PROTOCOL *this, EFI_HTTP_TOKEN *token) {
  struct http *http = http_of(this);
  if(fails("Http.Response", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(http->token || (!http->headed) != (token->Message->Data.Response != NULL)) {
    firmware_abort("Http.Response: a second token, or a body before its head", token);
  }
  http->token = token;
  token->Status = EFI_NOT_READY;
  http->due_us = firmware.now_us + server->step_us;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI poll(EFI_HTTP_PROTOCOL *this) {
  struct http *http = http_of(this);
  check_service("Http.Poll", TPL_CALLBACK);
  if(http->token && firmware.now_us >= http->due_us) {
    if(http->headed) {
      give_body(http);
    } else {
      give_head(http);
    }
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI cancel(EFI_HTTP_PROTOCOL *this, EFI_HTTP_TOKEN *token) {
  struct http *http = http_of(this);
  check_service("Http.Cancel", TPL_CALLBACK);
  if(!http->token || http->token != token) {
    return EFI_NOT_FOUND;
  }
  finish(http, EFI_ABORTED);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI configure(EFI_HTTP_PROTOCOL *this, EFI_HTTP_CONFIG_DATA *config) {
  struct http *http = http_of(this);
  if(!config) {
    check_service("Http.Configure(NULL)", TPL_CALLBACK);
    http->configured = false;
    return EFI_SUCCESS;
  }
  if(fails("Http.Configure", TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  http->configured = true;
  return EFI_SUCCESS;
}

static void init(void *child) {
  struct http *http = child;
  http->protocol = (EFI_HTTP_PROTOCOL){
      .Configure = configure, .Request = request, .Cancel = cancel, .Response = response, .Poll = poll};
}

static void fini(void *child) {
  struct http *http = child;
  if(http->token) {
    firmware_abort("an HTTP child goes with a token of the caller's", http->token);
  }
  free(http->body);
}

const struct service_kind http_kind = {
    .name = "Http",
    .binding = EFI_HTTP_SERVICE_BINDING_PROTOCOL_GUID,
    .protocol = EFI_HTTP_PROTOCOL_GUID,
    .size = sizeof(struct http),
    .protocol_at = offsetof(struct http, protocol),
    .init = init,
    .fini = fini,
};
