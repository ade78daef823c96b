/* save.c - a block of memory into a file, by the path that the Shell knows. */
#include "save.h"

#include <efishell.h>

#include "../console.h"

#define PATH_SIZE 512U
#define PIECE     (256U * 1024U)

static EFI_STATUS widen(const char *path, CHAR16 wide[PATH_SIZE]) {
  UINTN i = 0;
  for(; path[i] && i + 1U < PATH_SIZE; i++) {
    wide[i] = path[i] == '/' ? L'\\' : (CHAR16)path[i];
  }
  wide[i] = 0;
  if(path[i]) {
    complain("'%s' is too long for a path", path);
    return EFI_INVALID_PARAMETER;
  }
  return EFI_SUCCESS;
}

static BOOLEAN is_folder(EFI_SHELL_PROTOCOL *shell, SHELL_FILE_HANDLE file) {
  EFI_FILE_INFO *info = shell->GetFileInfo(file);
  BOOLEAN folder = info && (info->Attribute & EFI_FILE_DIRECTORY);
  if(info) {
    FreePool(info);
  }
  return folder;
}

/* An old file goes first: what is written over it may be shorter. */
static EFI_STATUS remove_old(EFI_SHELL_PROTOCOL *shell, const char *path, CHAR16 *wide) {
  SHELL_FILE_HANDLE file;
  EFI_STATUS status = shell->OpenFileByName(wide, &file, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE);
  if(EFI_ERROR(status)) {
    return EFI_SUCCESS; /* there is none; creating one says what else may be wrong */
  }
  if(is_folder(shell, file)) {
    (void)shell->CloseFile(file);
    complain("'%s' is a folder: add a file name", path);
    return EFI_INVALID_PARAMETER;
  }
  status = shell->DeleteFile(file); /* which closes it as well */
  if(status != EFI_SUCCESS) {
    complain("'%s' is there already and cannot be deleted: %s", path, status_text(status));
    return EFI_ERROR(status) ? status : EFI_ACCESS_DENIED;
  }
  return EFI_SUCCESS;
}

static EFI_STATUS write_all(EFI_SHELL_PROTOCOL *shell, SHELL_FILE_HANDLE file, const UINT8 *bytes, UINT64 size) {
  for(UINT64 at = 0; at < size;) {
    UINTN count = size - at < PIECE ? (UINTN)(size - at) : PIECE;
    UINTN written = count;
    EFI_STATUS status = shell->WriteFile(file, &written, (VOID *)(UINTN)(bytes + at));
    if(EFI_ERROR(status) || written != count) {
      return EFI_ERROR(status) ? status : EFI_VOLUME_FULL;
    }
    at += count;
    out_over("writing, %lu of 100...", at * 100U / size);
    if(console_aborted()) {
      return EFI_ABORTED;
    }
  }
  return EFI_SUCCESS;
}

EFI_STATUS save(const char *path, const void *bytes, UINT64 size) {
  EFI_GUID guid = EFI_SHELL_PROTOCOL_GUID;
  EFI_SHELL_PROTOCOL *shell;
  SHELL_FILE_HANDLE file;
  CHAR16 wide[PATH_SIZE];
  if(EFI_ERROR(BS->LocateProtocol(&guid, NULL, (VOID **)&shell))) {
    complain("'%s': without a Shell there are no names of volumes; leave the file out, and it is fetched and checked",
             path);
    return EFI_UNSUPPORTED;
  }
  EFI_STATUS status = widen(path, wide);
  if(!EFI_ERROR(status)) {
    status = remove_old(shell, path, wide);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  status = shell->CreateFile(wide, 0, &file);
  if(EFI_ERROR(status)) {
    complain("'%s' cannot be made: %s; is the folder there, and the volume writable? 'map' in the Shell lists volumes",
             path, status_text(status));
    return status;
  }
  status = write_all(shell, file, bytes, size);
  out_over("%s", "");
  if(EFI_ERROR(status)) {
    complain("'%s' could not be written, and is deleted: %s", path, status_text(status));
    (void)shell->DeleteFile(file);
    return status;
  }
  status = shell->CloseFile(file);
  if(EFI_ERROR(status)) {
    complain("'%s' could not be closed: %s", path, status_text(status));
  }
  return status;
}
