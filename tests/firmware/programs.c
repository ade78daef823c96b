/* programs.c - the fake firmware's Shell: a volume with files, LoadImage and StartImage, and what programs find. */
#include "programs_internal.h"
#include "services.h"

#include <efishell.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX     80U
#define LINE_MAX      4096U
#define NAME_MAX      64U
#define WATCHDOG_S    300U
#define VARIABLE_SIZE 256U

struct file {
  struct node node;
  const struct program *program;
};

/* An image that LoadImage made and StartImage has not ended. */
struct loaded {
  struct node node;
  EFI_HANDLE handle;
  const struct program *program;
};

static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID shell_guid = EFI_SHELL_PROTOCOL_GUID;
static EFI_GUID parameters_guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;

static struct node *files;
static struct node *images;
static EFI_HANDLE volume;
static EFI_HANDLE shell_handle;
static EFI_SHELL_PROTOCOL shell;
static EFI_HANDLE shell_image;
static EFI_HANDLE boot_manager;
static BOOLEAN out_to_file;
static BOOLEAN errors_to_file;
static UINTN watchdog_s;
static UINTN watchdog_calls;
static UINTN resets;
static UINT8 variable[VARIABLE_SIZE];

static struct {
  VENDOR_DEVICE_PATH vendor;
  EFI_DEVICE_PATH end;
} volume_path = {
    .vendor = {.Header = {HARDWARE_DEVICE_PATH, HW_VENDOR_DP, {sizeof(VENDOR_DEVICE_PATH), 0}},
               .Guid = {0xD319C2AE, 0x83CD, 0x4C2E, {0x81, 0x5C, 0x1B, 0x6D, 0xE2, 0xA4, 0x70, 0x39}}},
    .end = {END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, {END_DEVICE_PATH_LENGTH, 0}},
};

/* Events of the firmware's own ------------------------------------------------------------------------------------ */

EFI_EVENT programs_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, VOID *context) {
  EFI_EVENT event;
  (void)make_event(type, tpl, notify, context, NULL, &event);
  return event;
}

void programs_drop_event(EFI_EVENT event) {
  node_drop(&firmware.events, event);
}

/* Files ---------------------------------------------------------------------------------------------------------- */

void programs_add(const struct program *program) {
  struct file *file = node_new(&files, sizeof(*file));
  file->program = program;
}

void programs_remove(const struct program *program) {
  for(struct node *node = files; node; node = node->next) {
    if(((struct file *)node)->program == program) {
      node_drop(&files, node);
      return;
    }
  }
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* By the last part of a path, whatever the case, as FAT does. */
static const struct program *find_program(const char *path) {
  const char *name = path;
  for(const char *c = path; *c; c++) {
    name = *c == '\\' || *c == ':' ? c + 1 : name;
  }
  for(struct node *node = files; node; node = node->next) {
    const struct program *program = ((struct file *)node)->program;
    size_t i = 0;
    while(name[i] && lower(name[i]) == lower(program->name[i])) {
      i++;
    }
    if(!name[i] && !program->name[i]) {
      return program;
    }
  }
  return NULL;
}

static void narrow(const CHAR16 *from, size_t max, char *to, size_t size) {
  size_t i = 0;
  for(; i < max && i + 1U < size && from[i]; i++) {
    to[i] = from[i] < 0x80 ? (char)from[i] : '?';
  }
  to[i] = '\0';
}

static CHAR16 *widen(const char *from, CHAR16 *to) {
  size_t i = 0;
  do {
    to[i] = (CHAR16)from[i];
  } while(from[i++]);
  return to;
}

/* An image in memory names the program that it is at FROM_MEMORY_AT. */
#define FROM_MEMORY_AT 0x200U

static struct started_image started;
static EFI_STATUS refusal;

/* Images --------------------------------------------------------------------------------------------------------- */

static EFI_HANDLE load(const struct program *program, EFI_HANDLE parent) {
  struct loaded *loaded = node_new(&images, sizeof(*loaded));
  loaded->handle = firmware_load_image();
  loaded->program = program;
  EFI_LOADED_IMAGE *image = firmware_interface(loaded->handle, image_guid);
  image->Revision = EFI_IMAGE_INFORMATION_REVISION;
  image->SystemTable = &firmware.system;
  image->DeviceHandle = volume;
  image->ParentHandle = parent;
  image->ImageCodeType = program->driver ? EfiBootServicesCode : EfiLoaderCode;
  if(program->reload) {
    program->reload();
  }
  return loaded->handle;
}

static struct loaded *find_loaded(EFI_HANDLE handle) {
  for(struct node *node = images; node; node = node->next) {
    if(((struct loaded *)node)->handle == handle) {
      return (struct loaded *)node;
    }
  }
  firmware_abort("no image of LoadImage's", handle);
}

static void unload(EFI_HANDLE handle) {
  node_drop(&images, find_loaded(handle));
  drop_image(handle);
}

/* A program ends with its entry point; a driver that could not start goes, too. */
static EFI_STATUS start(EFI_HANDLE handle) {
  const struct program *program = find_loaded(handle)->program;
  const EFI_LOADED_IMAGE *image = firmware_interface(handle, image_guid);
  started.device = image->DeviceHandle;
  started.count++;
  narrow(image->LoadOptions ? image->LoadOptions : L"", image->LoadOptionsSize / sizeof(CHAR16), started.options,
         sizeof(started.options));
  EFI_STATUS status = program->entry(handle, &firmware.system);
  if(!firmware.exiting && (EFI_ERROR(status) || !program->driver)) {
    unload(handle);
  }
  return status;
}

const struct started_image *programs_started(void) {
  return &started;
}

void programs_refuse(EFI_STATUS status) {
  refusal = status;
}

static EFI_STATUS load_from_memory(EFI_HANDLE parent, EFI_DEVICE_PATH *path, const char *source, UINTN size,
                                   EFI_HANDLE *out) {
  EFI_DEVICE_PATH *rest = path;
  const struct program *program = size > FROM_MEMORY_AT ? find_program(source + FROM_MEMORY_AT) : NULL;
  if(refusal != EFI_SUCCESS) {
    if(refusal == EFI_SECURITY_VIOLATION && program) {
      *out = load(program, parent); /* loaded, and not to be started */
    }
    return refusal;
  }
  if(!program) {
    return EFI_UNSUPPORTED;
  }
  *out = load(program, parent);
  EFI_LOADED_IMAGE *image = firmware_interface(*out, image_guid);
  started.path = path;
  if(EFI_ERROR(BS->LocateDevicePath(&device_path_guid, &rest, &image->DeviceHandle))) {
    image->DeviceHandle = NULL;
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI load_image(BOOLEAN boot_policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, VOID *source,
                                    UINTN size, EFI_HANDLE *out) {
  char name[NAME_MAX];
  (void)boot_policy;
  if(fails("LoadImage", TPL_CALLBACK)) {
    return EFI_LOAD_ERROR;
  }
  if(!firmware_interface(parent, image_guid) || !path) {
    firmware_abort("LoadImage: no image for a parent, or no path", parent);
  }
  if(source) {
    return load_from_memory(parent, path, source, size, out);
  }
  while(!IsDevicePathEnd(path) &&
        (DevicePathType(path) != MEDIA_DEVICE_PATH || DevicePathSubType(path) != MEDIA_FILEPATH_DP)) {
    path = NextDevicePathNode(path);
  }
  if(IsDevicePathEnd(path)) {
    return EFI_NOT_FOUND;
  }
  narrow(((const FILEPATH_DEVICE_PATH *)path)->PathName, NAME_MAX, name, sizeof(name));
  const struct program *program = find_program(name);
  if(!program) {
    return EFI_NOT_FOUND;
  }
  if(!program->entry) {
    return EFI_UNSUPPORTED; /* no PE image for this machine */
  }
  if(program->driver && programs_image(program->name)) {
    return EFI_OUT_OF_RESOURCES; /* its variables exist only once */
  }
  if(program->refusal != EFI_ACCESS_DENIED) {
    *out = load(program, parent);
  }
  return program->refusal;
}

static EFI_STATUS EFIAPI start_image(EFI_HANDLE handle, UINTN *size, CHAR16 **data) {
  (void)size;
  (void)data;
  if(find_loaded(handle)->program->refusal) {
    firmware_abort("StartImage: of an image that LoadImage said is not to be started", handle);
  }
  if(fails("StartImage", TPL_CALLBACK)) {
    unload(handle);
    return EFI_SECURITY_VIOLATION;
  }
  return start(handle);
}

static EFI_STATUS EFIAPI unload_image(EFI_HANDLE handle) {
  check_service("UnloadImage", TPL_CALLBACK);
  EFI_LOADED_IMAGE *image = firmware_interface(handle, image_guid);
  if(!image || (image->Unload && EFI_ERROR(image->Unload(handle)))) {
    return EFI_UNSUPPORTED;
  }
  unload(handle);
  return EFI_SUCCESS;
}

/* Running -------------------------------------------------------------------------------------------------------- */

static UINTN split(char *line, char *words[]) {
  UINTN count = 0;
  while(*line) {
    while(*line == ' ') {
      line++;
    }
    if(!*line) {
      break;
    }
    if(count == WORDS_MAX) {
      abort();
    }
    bool quoted = *line == '"';
    line += quoted;
    words[count++] = line;
    while(*line && *line != (quoted ? '"' : ' ')) {
      line++;
    }
    if(*line) {
      *line++ = '\0';
    }
  }
  return count;
}

static const struct program *must_find(const char *name) {
  const struct program *program = find_program(name);
  if(!program) {
    firmware_abort("no such program on the volume", name);
  }
  return program;
}

EFI_STATUS programs_run(const char *text) {
  static char line[LINE_MAX];
  static CHAR16 wide[LINE_MAX];
  char *words[WORDS_MAX];
  CHAR16 *arguments[WORDS_MAX];
  size_t used = 0;
  if(strlen(text) >= LINE_MAX) {
    abort();
  }
  strcpy(line, text);
  UINTN count = split(line, words);
  for(UINTN i = 0; i < count; i++) {
    arguments[i] = widen(words[i], &wide[used]);
    used += strlen(words[i]) + 1U;
  }
  EFI_SHELL_PARAMETERS_PROTOCOL parameters = {.Argv = arguments,
                                              .Argc = count,
                                              .StdOut = out_to_file ? &out_to_file : (VOID *)&shell,
                                              .StdErr = errors_to_file ? &errors_to_file : (VOID *)&shell};
  EFI_HANDLE handle = load(must_find(words[0]), shell_image);
  if(EFI_ERROR(install_protocol(&handle, &parameters_guid, &parameters))) {
    abort();
  }
  const struct program *program = find_loaded(handle)->program;
  EFI_STATUS status = program->entry(handle, &firmware.system);
  if(firmware.exiting) {
    return status;
  }
  (void)uninstall_protocol(handle, &parameters_guid, &parameters);
  if(EFI_ERROR(status) || !program->driver) {
    unload(handle);
  }
  return status;
}

EFI_STATUS programs_boot(const char *name, const void *options, UINT32 size) {
  EFI_HANDLE handle = load(must_find(name), boot_manager);
  EFI_LOADED_IMAGE *image = firmware_interface(handle, image_guid);
  image->LoadOptions = (VOID *)options;
  image->LoadOptionsSize = size;
  return start(handle);
}

/* Shell protocol ------------------------------------------------------------------------------------------------- */

/* The one volume is fs0:, and its root the current folder. */
static EFI_DEVICE_PATH *EFIAPI path_of_file(CONST CHAR16 *path) {
  char name[LINE_MAX];
  CHAR16 wide[LINE_MAX];
  check_service("GetDevicePathFromFilePath", TPL_APPLICATION);
  narrow(path, LINE_MAX, name, sizeof(name));
  char *colon = strchr(name, ':');
  if(colon) {
    *colon = '\0';
    return strcmp(name, "fs0") == 0 ? FileDevicePath(volume, widen(colon + 1, wide)) : NULL;
  }
  return FileDevicePath(volume, widen(name, wide));
}

/* Of a file, which the caller frees; the console has none. */
static EFI_FILE_INFO *EFIAPI get_file_info(SHELL_FILE_HANDLE handle) {
  EFI_FILE_INFO *info = NULL;
  check_service("GetFileInfo", TPL_APPLICATION);
  if((handle == &out_to_file || handle == &errors_to_file) &&
     EFI_ERROR(BS->AllocatePool(EfiBootServicesData, sizeof(*info), (VOID **)&info))) {
    return NULL;
  }
  return info;
}

void programs_redirect(BOOLEAN out, BOOLEAN errors) {
  out_to_file = out;
  errors_to_file = errors;
}

static void break_now(void *ctx) {
  (void)ctx;
  (void)BS->SignalEvent(shell.ExecutionBreak);
}

void programs_break(UINT64 at_us) {
  programs_at(at_us, break_now, NULL);
}

void programs_without_shell(void) {
  if(shell_handle) {
    (void)uninstall_protocol(shell_handle, &shell_guid, &shell);
    shell_handle = NULL;
  }
}

EFI_HANDLE programs_image(const char *name) {
  for(struct node *node = images; node; node = node->next) {
    if(((struct loaded *)node)->program == find_program(name)) {
      return ((struct loaded *)node)->handle;
    }
  }
  return NULL;
}

/* Small services ------------------------------------------------------------------------------------------------- */

/* Fails only for what is not there: not counted, or programs that look for Ctrl-C would make thousands of positions. */
static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, VOID *key, VOID **interface) {
  (void)key;
  check_service("LocateProtocol", TPL_NOTIFY);
  EFI_HANDLE handle = firmware_next(*guid, NULL);
  *interface = handle ? firmware_interface(handle, *guid) : NULL;
  return handle ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN size, VOID *data) {
  (void)name;
  (void)vendor;
  if(fails("SetVariable", TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(attributes & EFI_VARIABLE_NON_VOLATILE || size > VARIABLE_SIZE) {
    firmware_abort("SetVariable: non-volatile, or larger than is modelled", data);
  }
  if(size == 0 || attributes == 0) {
    firmware_set_variable(NULL, 0);
    return EFI_SUCCESS;
  }
  memcpy(variable, data, size);
  firmware_set_variable(variable, size);
  return EFI_SUCCESS;
}

void programs_forget_variables(void) {
  firmware_set_variable(NULL, 0);
}

static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data) {
  (void)code;
  (void)size;
  (void)data;
  check_service("SetWatchdogTimer", TPL_HIGH_LEVEL);
  watchdog_s = seconds;
  watchdog_calls++;
  return EFI_SUCCESS;
}

UINTN programs_watchdog(void) {
  return watchdog_s;
}

UINTN programs_watchdog_calls(void) {
  return watchdog_calls;
}

static EFI_STATUS EFIAPI reset_system(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data) {
  (void)status;
  (void)size;
  (void)data;
  if(type != EfiResetCold) {
    firmware_abort("ResetSystem: no cold reset", &type);
  }
  resets++;
  return EFI_SUCCESS; /* gnu-efi has it return one */
}

UINTN programs_resets(void) {
  return resets;
}

/* Life ----------------------------------------------------------------------------------------------------------- */

void programs_begin(void) {
  firmware.boot.LocateProtocol = locate_protocol;
  firmware.boot.LoadImage = load_image;
  firmware.boot.StartImage = start_image;
  firmware.boot.UnloadImage = unload_image;
  firmware.boot.SetWatchdogTimer = set_watchdog;
  firmware.runtime.ResetSystem = reset_system;
  firmware.runtime.SetVariable = set_variable;
  watchdog_s = WATCHDOG_S;
  watchdog_calls = 0;
  started = (struct started_image){0};
  refusal = EFI_SUCCESS;
  resets = 0;
  clock_begin(&firmware.boot);
  console_begin_mode(&firmware.system);
  out_to_file = FALSE;
  errors_to_file = FALSE;
  shell_image = firmware_load_image();
  ((EFI_LOADED_IMAGE *)firmware_interface(shell_image, image_guid))->ImageCodeType = EfiLoaderCode;
  boot_manager = firmware_load_image();
  ((EFI_LOADED_IMAGE *)firmware_interface(boot_manager, image_guid))->ImageCodeType = EfiBootServicesCode;
  shell = (EFI_SHELL_PROTOCOL){.GetDevicePathFromFilePath = path_of_file,
                               .GetFileInfo = get_file_info,
                               .ExecutionBreak = programs_event(0, TPL_APPLICATION, NULL, NULL)};
  if(EFI_ERROR(install_protocol(&volume, &device_path_guid, &volume_path)) ||
     EFI_ERROR(install_protocol(&shell_handle, &shell_guid, &shell))) {
    abort();
  }
  volume_begin(volume);
}

void programs_end(void) {
  EFI_HANDLE handle = volume;
  foreign_end();
  stack_end();
  services_end();
  wire_end();
  clock_end();
  console_end_mode();
  programs_without_shell();
  drop_image(shell_image);
  drop_image(boot_manager);
  programs_drop_event(shell.ExecutionBreak);
  volume_end();
  (void)uninstall_protocol(handle, &device_path_guid, &volume_path);
  volume = NULL;
  while(files) {
    node_drop(&files, files);
  }
  while(images) {
    node_drop(&images, images);
  }
  programs_forget_variables();
}
