/* volume_file.c - a file that is written to a volume of the firmware's. */
#include "volume_file.h"

#include <efishell.h>
#include <stdbool.h>
#include <string.h>

#include "../console.h"
#include "../image.h"

#define PATH_SIZE 512U
#define INFO_SIZE (sizeof(EFI_FILE_INFO) + PATH_SIZE * sizeof(CHAR16))

/* Where a path leads: the volume, and the file's path on it. */
struct place {
  EFI_FILE_IO_INTERFACE *volume;
  CHAR16 name[PATH_SIZE];
};

const char *volume_file_remedy(EFI_STATUS status) {
  switch(status) {
  case EFI_NOT_FOUND:
    return ": there is no such folder; 'mkdir' in the Shell makes one";
  case EFI_WRITE_PROTECTED:
    return ": the volume cannot be written; give a path on another, such as fs1:\\capture.pcapng ('map' lists them)";
  case EFI_ACCESS_DENIED:
    return ": the file may only be read; give another name";
  case EFI_VOLUME_FULL:
    return ": the volume is full; delete something, or give a path on another ('map' lists them)";
  case EFI_NO_MEDIA:
  case EFI_MEDIA_CHANGED:
    return ": the medium was taken out or changed";
  case EFI_VOLUME_CORRUPTED:
    return ": the file system is damaged; repair it on another machine";
  case EFI_INVALID_PARAMETER:
    return ": this is no name for a file";
  default:
    return "";
  }
}

static bool widen(const char *text, CHAR16 *wide) {
  UINTN i = 0;
  for(; text[i] && i + 1U < PATH_SIZE; i++) {
    wide[i] = text[i] == '/' ? L'\\' : (CHAR16)text[i];
  }
  wide[i] = 0;
  return !text[i];
}

/* Where it is ----------------------------------------------------------------------------------------------------- */

/* The text of the file path nodes (UEFI 2.10, 10.3.5.4), each of which may lack a backslash at its ends. */
static bool join_nodes(EFI_DEVICE_PATH *path, CHAR16 *name) {
  UINTN at = 0;
  for(; !IsDevicePathEnd(path); path = NextDevicePathNode(path)) {
    if(DevicePathType(path) != MEDIA_DEVICE_PATH || DevicePathSubType(path) != MEDIA_FILEPATH_DP) {
      return false;
    }
    const UINT8 *from = (const UINT8 *)path + SIZE_OF_FILEPATH_DEVICE_PATH;
    UINTN count = ((UINTN)DevicePathNodeLength(path) - SIZE_OF_FILEPATH_DEVICE_PATH) / sizeof(CHAR16);
    if(at + count + 2U > PATH_SIZE) {
      return false;
    }
    if(at > 0 && name[at - 1U] != L'\\') {
      name[at++] = L'\\';
    }
    for(UINTN i = 0; i < count; i++) {
      CHAR16 letter; /* a node may be at an odd address */
      memcpy(&letter, from + i * sizeof(letter), sizeof(letter));
      if(letter == 0) {
        break;
      }
      name[at++] = letter;
    }
  }
  name[at] = 0;
  return at > 0;
}

static EFI_STATUS find_with_shell(EFI_SHELL_PROTOCOL *shell, const char *path, struct place *place) {
  EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
  CHAR16 wide[PATH_SIZE];
  EFI_HANDLE handle;
  EFI_DEVICE_PATH *whole = widen(path, wide) ? shell->GetDevicePathFromFilePath(wide) : NULL;
  EFI_DEVICE_PATH *rest = whole;
  EFI_STATUS status = EFI_NOT_FOUND;
  if(whole && !EFI_ERROR(BS->LocateDevicePath(&guid, &rest, &handle)) && join_nodes(rest, place->name)) {
    status = BS->HandleProtocol(handle, &guid, (VOID **)&place->volume);
  }
  if(whole) {
    FreePool(whole);
  }
  if(EFI_ERROR(status)) {
    complain("'%s' leads to no volume: give a path such as fs0:\\capture.pcapng ('map' in the Shell lists the volumes)",
             path);
  }
  return status;
}

static bool has_colon(const char *path) {
  while(*path && *path != ':') {
    path++;
  }
  return *path == ':';
}

static EFI_STATUS find_on_own_volume(const char *path, struct place *place) {
  EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
  EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
  EFI_LOADED_IMAGE *own;
  if(has_colon(path)) {
    complain(
        "'%s' names a volume, and those names are the Shell's, which does not run: leave the name out, and the file "
        "goes to the volume that netdiag was loaded from",
        path);
    return EFI_NOT_FOUND;
  }
  EFI_STATUS status = BS->HandleProtocol(image_handle(), &image_guid, (VOID **)&own);
  if(!EFI_ERROR(status)) {
    status = own->DeviceHandle ? BS->HandleProtocol(own->DeviceHandle, &guid, (VOID **)&place->volume) : EFI_NOT_FOUND;
  }
  if(EFI_ERROR(status)) {
    complain("there is no volume to write '%s' to: netdiag was not loaded from one, and no Shell runs", path);
    return EFI_NOT_FOUND;
  }
  if(!widen(path, place->name)) {
    complain("'%s' is too long for a path", path);
    return EFI_INVALID_PARAMETER;
  }
  return EFI_SUCCESS;
}

static EFI_STATUS find(const char *path, struct place *place) {
  EFI_GUID guid = EFI_SHELL_PROTOCOL_GUID;
  EFI_SHELL_PROTOCOL *shell;
  return EFI_ERROR(BS->LocateProtocol(&guid, NULL, (VOID **)&shell)) ? find_on_own_volume(path, place)
                                                                     : find_with_shell(shell, path, place);
}

/* What is there ---------------------------------------------------------------------------------------------------- */

union file_info {
  EFI_FILE_INFO info;
  UINT8 room[INFO_SIZE];
};

static EFI_STATUS get_info(EFI_FILE_HANDLE file, union file_info *info) {
  EFI_GUID guid = EFI_FILE_INFO_ID;
  UINTN size = sizeof(*info);
  return file->GetInfo(file, &guid, &size, info);
}

EFI_STATUS volume_file_cut(EFI_FILE_HANDLE file, uint64_t size) {
  EFI_GUID guid = EFI_FILE_INFO_ID;
  union file_info info;
  EFI_STATUS status = get_info(file, &info);
  if(!EFI_ERROR(status) && info.info.FileSize != size) {
    info.info.FileSize = size;
    status = file->SetInfo(file, &guid, (UINTN)info.info.Size, &info);
  }
  return EFI_ERROR(status) ? status : file->SetPosition(file, size);
}

/* An old one of ours may go. */
static EFI_STATUS judge_old(EFI_FILE_HANDLE file, const char *path, uint32_t magic) {
  union file_info info;
  uint32_t first = 0;
  UINTN size = sizeof(first);
  EFI_STATUS status = get_info(file, &info);
  if(EFI_ERROR(status)) {
    complain("cannot look at '%s': %s%s", path, status_text(status), volume_file_remedy(status));
    return status;
  }
  if(info.info.Attribute & EFI_FILE_DIRECTORY) {
    complain("'%s' is a folder: add a file name", path);
    return EFI_ACCESS_DENIED;
  }
  if(info.info.FileSize == 0) {
    return EFI_SUCCESS;
  }
  status = file->Read(file, &size, &first);
  if(EFI_ERROR(status) || size != sizeof(first) || first != magic) {
    complain("'%s' is there already and is no capture, so it is not overwritten: give another name", path);
    return EFI_ACCESS_DENIED;
  }
  return EFI_SUCCESS;
}

EFI_STATUS volume_file_create(const char *path, uint32_t magic, EFI_FILE_HANDLE *file) {
  struct place place = {0};
  EFI_FILE_HANDLE root;
  EFI_STATUS status = find(path, &place);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = place.volume->OpenVolume(place.volume, &root);
  if(!EFI_ERROR(status)) {
    status = root->Open(root, file, place.name, EFI_FILE_MODE_CREATE | EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);
    (void)root->Close(root);
  }
  if(EFI_ERROR(status)) {
    complain("cannot write '%s': %s%s", path, status_text(status), volume_file_remedy(status));
    return status;
  }
  status = judge_old(*file, path, magic);
  if(!EFI_ERROR(status)) {
    status = volume_file_cut(*file, 0);
    if(EFI_ERROR(status)) {
      complain("cannot empty '%s': %s%s", path, status_text(status), volume_file_remedy(status));
    }
  }
  if(EFI_ERROR(status)) {
    (void)(*file)->Close(*file);
  }
  return status;
}

/* A file that is written over may be longer than what comes. */
static EFI_STATUS remove_old(EFI_FILE_HANDLE root, CHAR16 *name, const char *path) {
  EFI_FILE_HANDLE old;
  union file_info info;
  if(EFI_ERROR(root->Open(root, &old, name, EFI_FILE_MODE_READ, 0))) {
    return EFI_SUCCESS; /* there is none; making one says what else may be wrong */
  }
  EFI_STATUS status = get_info(old, &info);
  (void)old->Close(old);
  if(EFI_ERROR(status) || (info.info.Attribute & EFI_FILE_DIRECTORY)) {
    complain("'%s' is a folder, or cannot be looked at: add a file name", path);
    return EFI_ERROR(status) ? status : EFI_ACCESS_DENIED;
  }
  status = root->Open(root, &old, name, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);
  if(!EFI_ERROR(status)) {
    status = old->Delete(old); /* closes it as well; a warning says that it stays */
    status = status == EFI_SUCCESS ? status : EFI_ACCESS_DENIED;
  }
  if(EFI_ERROR(status)) {
    complain("'%s' is there already and cannot be deleted: %s%s", path, status_text(status),
             volume_file_remedy(status));
  }
  return status;
}

EFI_STATUS volume_file_replace(const char *path, EFI_FILE_HANDLE *file) {
  struct place place = {0};
  EFI_FILE_HANDLE root;
  EFI_STATUS status = find(path, &place);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = place.volume->OpenVolume(place.volume, &root);
  if(EFI_ERROR(status)) {
    complain("cannot write '%s': %s%s", path, status_text(status), volume_file_remedy(status));
    return status;
  }
  status = remove_old(root, place.name, path);
  if(!EFI_ERROR(status)) {
    status = root->Open(root, file, place.name, EFI_FILE_MODE_CREATE | EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);
    if(EFI_ERROR(status)) {
      complain("cannot write '%s': %s%s", path, status_text(status), volume_file_remedy(status));
    }
  }
  (void)root->Close(root);
  return status;
}
