/* volume.c - the fake firmware's volume: EFI_SIMPLE_FILE_SYSTEM_PROTOCOL over files in memory, and its clock. */
#include "volume.h"

#include "programs_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define PATH_MAX 512U

struct item {
  struct node node;
  char path[PATH_MAX]; /* lower case, no backslash at its ends; "" is the root */
  bool folder;
  bool protected;
  UINT8 *bytes;
  size_t length;
};

/* A handle that somebody has open. */
struct open_file {
  struct node node;
  EFI_FILE_PROTOCOL protocol;
  struct item *item;
  UINT64 position;
  bool writable;
};

static EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static struct node *items;
static struct node *open_files;
static EFI_HANDLE carrier;
static EFI_FILE_IO_INTERFACE file_system;
static bool read_only;
static UINT64 room;
static UINT64 write_us;
static UINTN flushes;
static EFI_TIME clock_time;
static bool clock_works;

/* Items ---------------------------------------------------------------------------------------------------------- */

/* Lower case, '/' as a backslash, no empty parts; "." and ".." are understood. */
static void normalize(const char *from, char *to) {
  size_t at = 0;
  while(*from) {
    while(*from == '\\' || *from == '/') {
      from++;
    }
    size_t length = strcspn(from, "\\/");
    if(length == 2 && from[0] == '.' && from[1] == '.') {
      while(at > 0 && to[--at] != '\\') {
      }
    } else if(length > 0 && !(length == 1 && from[0] == '.')) {
      if(at + length + 2U > PATH_MAX) {
        abort();
      }
      if(at > 0) {
        to[at++] = '\\';
      }
      for(size_t i = 0; i < length; i++) {
        to[at++] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] - 'A' + 'a') : from[i];
      }
    }
    from += length;
  }
  to[at] = '\0';
}

static struct item *find(const char *path) {
  char wanted[PATH_MAX];
  normalize(path, wanted);
  for(struct node *node = items; node; node = node->next) {
    if(strcmp(((struct item *)node)->path, wanted) == 0) {
      return (struct item *)node;
    }
  }
  return NULL;
}

static struct item *add(const char *path, bool folder) {
  struct item *item = node_new(&items, sizeof(*item));
  normalize(path, item->path);
  item->folder = folder;
  return item;
}

static void resize(struct item *item, size_t length) {
  item->bytes = realloc(item->bytes, length ? length : 1U);
  if(!item->bytes) {
    abort();
  }
  if(length > item->length) {
    memset(item->bytes + item->length, 0, length - item->length);
  }
  item->length = length;
}

static struct item *folder_of(const struct item *item) {
  char path[PATH_MAX];
  strcpy(path, item->path);
  char *last = strrchr(path, '\\');
  *(last ? last : path) = '\0';
  return find(path);
}

const UINT8 *volume_file(const char *path, size_t *length) {
  const struct item *item = find(path);
  *length = item ? item->length : 0;
  return item && !item->folder ? item->bytes : NULL;
}

void volume_put(const char *path, const void *bytes, size_t length) {
  struct item *item = find(path);
  item = item ? item : add(path, false);
  resize(item, length);
  memcpy(item->bytes, bytes, length);
}

void volume_add_folder(const char *path) {
  (void)add(path, true);
}

void volume_protect(const char *path) {
  find(path)->protected = true;
}

static void drop_item(struct item *item) {
  free(item->bytes);
  node_drop(&items, item);
}

/* Open files ----------------------------------------------------------------------------------------------------- */

static struct open_file *known(EFI_FILE_HANDLE handle, const char *service) {
  struct open_file *file = (struct open_file *)((UINT8 *)handle - offsetof(struct open_file, protocol));
  if(!node_is_on(open_files, file)) {
    firmware_abort(service, handle);
  }
  return file;
}

static EFI_FILE_HANDLE open_item(struct item *item, bool writable);

static EFI_STATUS EFIAPI file_open(EFI_FILE_HANDLE this, EFI_FILE_HANDLE *out, CHAR16 *name, UINT64 open_mode,
                                   UINT64 attributes) {
  char path[PATH_MAX];
  char whole[2 * PATH_MAX];
  const struct open_file *folder = known(this, "File.Open: no open file");
  bool writable = open_mode & EFI_FILE_MODE_WRITE;
  if(fails("File.Open", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  size_t length = 0;
  for(; name[length] && length + 1U < PATH_MAX; length++) {
    path[length] = name[length] < 0x80 ? (char)name[length] : '?';
  }
  path[length] = '\0';
  if(strpbrk(path, "?*\"<>|:") != NULL) {
    return EFI_INVALID_PARAMETER;
  }
  (void)snprintf(whole, sizeof(whole), "%s\\%s", path[0] == '\\' ? "" : folder->item->path, path);
  struct item *item = find(whole);
  if(!item && !(open_mode & EFI_FILE_MODE_CREATE)) {
    return EFI_NOT_FOUND;
  }
  if(!item) {
    struct item wanted = {0};
    normalize(whole, wanted.path);
    const struct item *parent = folder_of(&wanted);
    if(!parent || !parent->folder) {
      return EFI_NOT_FOUND;
    }
    if(read_only || room == 0) {
      return read_only ? EFI_WRITE_PROTECTED : EFI_VOLUME_FULL;
    }
    item = add(whole, attributes & EFI_FILE_DIRECTORY);
    resize(item, 0);
  } else if(writable && (read_only || item->protected)) {
    return read_only ? EFI_WRITE_PROTECTED : EFI_ACCESS_DENIED;
  }
  *out = open_item(item, writable);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_close(EFI_FILE_HANDLE this) {
  check_service("File.Close", TPL_CALLBACK);
  node_drop(&open_files, known(this, "File.Close: no open file"));
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_delete(EFI_FILE_HANDLE this) {
  check_service("File.Delete", TPL_CALLBACK);
  struct open_file *file = known(this, "File.Delete: no open file");
  struct item *item = file->item;
  bool can = file->writable && !read_only && !item->folder;
  node_drop(&open_files, file);
  if(can) {
    drop_item(item);
  }
  return can ? EFI_SUCCESS : EFI_WARN_DELETE_FAILURE;
}

static EFI_STATUS EFIAPI file_read(EFI_FILE_HANDLE this, UINTN *size, VOID *buffer) {
  struct open_file *file = known(this, "File.Read: no open file");
  if(fails("File.Read", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  UINT64 left = file->position < file->item->length ? file->item->length - file->position : 0;
  *size = *size < left ? *size : left;
  memcpy(buffer, file->item->bytes + file->position, *size);
  file->position += *size;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_write(EFI_FILE_HANDLE this, UINTN *size, VOID *buffer) {
  struct open_file *file = known(this, "File.Write: no open file");
  if(fails("File.Write", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!file->writable || read_only || file->item->folder) {
    return read_only ? EFI_WRITE_PROTECTED : EFI_ACCESS_DENIED;
  }
  if(write_us) {
    clock_pass(write_us);
  }
  UINT64 end = file->position + *size;
  UINT64 grows = end > file->item->length ? end - file->item->length : 0;
  bool fits = grows <= room;
  if(!fits) {
    end -= grows - room;
    grows = room;
    *size = end > file->position ? end - file->position : 0;
  }
  if(end > file->item->length) {
    resize(file->item, end);
  }
  memcpy(file->item->bytes + file->position, buffer, *size);
  file->position += *size;
  room -= room == UINT64_MAX ? 0 : grows;
  return fits ? EFI_SUCCESS : EFI_VOLUME_FULL;
}

static EFI_STATUS EFIAPI file_get_position(EFI_FILE_HANDLE this, UINT64 *position) {
  check_service("File.GetPosition", TPL_CALLBACK);
  *position = known(this, "File.GetPosition: no open file")->position;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_set_position(EFI_FILE_HANDLE this, UINT64 position) {
  struct open_file *file = known(this, "File.SetPosition: no open file");
  if(fails("File.SetPosition", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(file->item->folder && position != 0) {
    return EFI_UNSUPPORTED;
  }
  file->position = position == UINT64_MAX ? file->item->length : position;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_get_info(EFI_FILE_HANDLE this, EFI_GUID *type, UINTN *size, VOID *buffer) {
  static EFI_GUID guid = EFI_FILE_INFO_ID;
  const struct open_file *file = known(this, "File.GetInfo: no open file");
  if(fails("File.GetInfo", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!same_guid(type, &guid)) {
    return EFI_UNSUPPORTED;
  }
  const char *name = strrchr(file->item->path, '\\');
  name = name ? name + 1 : file->item->path;
  UINTN need = offsetof(EFI_FILE_INFO, FileName) + (strlen(name) + 1U) * sizeof(CHAR16);
  UINTN had = *size;
  *size = need;
  if(had < need) {
    return EFI_BUFFER_TOO_SMALL;
  }
  memset(buffer, 0, need);
  EFI_FILE_INFO *info = buffer;
  info->Size = need;
  info->FileSize = info->PhysicalSize = file->item->length;
  info->Attribute = file->item->folder ? EFI_FILE_DIRECTORY : 0;
  for(size_t i = 0; name[i]; i++) {
    info->FileName[i] = (CHAR16)name[i];
  }
  return EFI_SUCCESS;
}

/* The size, and nothing else. */
static EFI_STATUS EFIAPI file_set_info(EFI_FILE_HANDLE this, EFI_GUID *type, UINTN size, VOID *buffer) {
  static EFI_GUID guid = EFI_FILE_INFO_ID;
  struct open_file *file = known(this, "File.SetInfo: no open file");
  const EFI_FILE_INFO *info = buffer;
  if(fails("File.SetInfo", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!same_guid(type, &guid) || size < info->Size) {
    return EFI_BAD_BUFFER_SIZE;
  }
  if(!file->writable || read_only) {
    return read_only ? EFI_WRITE_PROTECTED : EFI_ACCESS_DENIED;
  }
  if(info->FileSize > file->item->length) {
    firmware_abort("File.SetInfo: a file that grows is not modelled", buffer);
  }
  room += room == UINT64_MAX ? 0 : file->item->length - info->FileSize;
  resize(file->item, info->FileSize);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_flush(EFI_FILE_HANDLE this) {
  (void)known(this, "File.Flush: no open file");
  flushes++;
  return fails("File.Flush", TPL_CALLBACK) ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static EFI_FILE_HANDLE open_item(struct item *item, bool writable) {
  struct open_file *file = node_new(&open_files, sizeof(*file));
  file->item = item;
  file->writable = writable;
  file->protocol = (EFI_FILE_PROTOCOL){.Revision = EFI_FILE_PROTOCOL_REVISION,
                                       .Open = file_open,
                                       .Close = file_close,
                                       .Delete = file_delete,
                                       .Read = file_read,
                                       .Write = file_write,
                                       .GetPosition = file_get_position,
                                       .SetPosition = file_set_position,
                                       .GetInfo = file_get_info,
                                       .SetInfo = file_set_info,
                                       .Flush = file_flush};
  return &file->protocol;
}

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *this, EFI_FILE_HANDLE *root) {
  (void)this;
  if(fails("OpenVolume", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  *root = open_item(find(""), true);
  return EFI_SUCCESS;
}

/* Knobs ---------------------------------------------------------------------------------------------------------- */

void volume_read_only(BOOLEAN on) {
  read_only = on;
}

void volume_room(UINT64 bytes) {
  room = bytes;
}

void volume_slow(UINT64 us) {
  write_us = us;
}

UINTN volume_flushes(void) {
  return flushes;
}

UINTN volume_open_files(void) {
  return node_count(open_files);
}

void volume_without(void) {
  if(carrier) {
    (void)uninstall_protocol(carrier, &file_system_guid, &file_system);
    carrier = NULL;
  }
}

static EFI_STATUS EFIAPI get_time(EFI_TIME *time, EFI_TIME_CAPABILITIES *capabilities) {
  (void)capabilities;
  check_service("GetTime", TPL_CALLBACK);
  *time = clock_time;
  return clock_works ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

void volume_clock(const EFI_TIME *time) {
  clock_works = time != NULL;
  if(time) {
    clock_time = *time;
  }
}

/* Of the paths of handles with the protocol, the longest that `path` begins with (UEFI 2.10, 7.3.11); *path then goes
 * on behind it. */
static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH **path, EFI_HANDLE *out) {
  static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
  EFI_HANDLE best = NULL;
  EFI_DEVICE_PATH *rest = NULL;
  check_service("LocateDevicePath", TPL_NOTIFY);
  for(EFI_HANDLE handle = NULL; (handle = firmware_next(*guid, handle)) != NULL;) {
    EFI_DEVICE_PATH *own = firmware_interface(handle, path_guid);
    EFI_DEVICE_PATH *at = *path;
    while(own && !IsDevicePathEnd(own) && !IsDevicePathEnd(at) &&
          DevicePathNodeLength(own) == DevicePathNodeLength(at) &&
          memcmp(own, at, (size_t)DevicePathNodeLength(own)) == 0) {
      own = NextDevicePathNode(own);
      at = NextDevicePathNode(at);
    }
    if(own && IsDevicePathEnd(own) && (!rest || at > rest)) {
      best = handle;
      rest = at;
    }
  }
  if(!best) {
    return EFI_NOT_FOUND;
  }
  *out = best;
  *path = rest;
  return EFI_SUCCESS;
}

/* Life ----------------------------------------------------------------------------------------------------------- */

void volume_begin(EFI_HANDLE handle) {
  static const EFI_TIME noon = {.Year = 2026, .Month = 11, .Day = 26, .Hour = 12, .Minute = 34, .Second = 56};
  read_only = false;
  room = UINT64_MAX;
  write_us = 0;
  flushes = 0;
  volume_clock(&noon);
  (void)add("", true);
  carrier = handle;
  file_system =
      (EFI_FILE_IO_INTERFACE){.Revision = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_REVISION, .OpenVolume = open_volume};
  firmware.boot.LocateDevicePath = locate_device_path;
  firmware.runtime.GetTime = get_time;
  if(EFI_ERROR(install_protocol(&handle, &file_system_guid, &file_system))) {
    abort();
  }
}

void volume_end(void) {
  if(open_files && !firmware.exiting) {
    firmware_abort("a file is left open", ((struct open_file *)open_files)->item->path);
  }
  volume_without();
  while(open_files) {
    node_drop(&open_files, open_files);
  }
  while(items) {
    drop_item((struct item *)items);
  }
}
