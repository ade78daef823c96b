/* save.c - a block of memory into a file, by the path that the Shell knows. */
#include "save.h"

#include "../capture/volume_file.h"
#include "../console.h"

#define PIECE 262144U

static EFI_STATUS write_all(EFI_FILE_HANDLE file, const UINT8 *bytes, UINT64 size) {
  for(UINT64 at = 0; at < size;) {
    UINTN count = size - at < PIECE ? (UINTN)(size - at) : PIECE;
    UINTN written = count;
    EFI_STATUS status = file->Write(file, &written, (VOID *)(UINTN)(bytes + at));
    if(EFI_ERROR(status) || written != count) {
      return EFI_ERROR(status) ? status : EFI_VOLUME_FULL;
    }
    at += count;
    out_over("writing, %ju of 100...", at * 100U / size);
    if(console_aborted()) {
      return EFI_ABORTED;
    }
  }
  return file->Flush(file);
}

EFI_STATUS save(const char *path, const void *bytes, UINT64 size) {
  EFI_FILE_HANDLE file;
  EFI_STATUS status = volume_file_replace(path, &file);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = write_all(file, bytes, size);
  out_over("%s", "");
  if(!EFI_ERROR(status)) {
    return file->Close(file);
  }
  complain("'%s' could not be written, and is deleted: %s%s", path, status_text(status), volume_file_remedy(status));
  (void)file->Delete(file);
  return status;
}
