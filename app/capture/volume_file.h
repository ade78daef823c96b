/* volume_file.h - a file that is written to a volume of the firmware's, by the path that the user knows. */
#ifndef APP_VOLUME_FILE_H
#define APP_VOLUME_FILE_H

#include <efi.h>
#include <efilib.h>
#include <stdint.h>

/*
 * Makes the file, or empties one that begins with the same four bytes as `magic` (little-endian): nothing else is
 * overwritten. `path` is as the Shell understands it (its current folder, fsN:\...), and without a Shell a path on the
 * volume that netdiag was loaded from. *file is the caller's to close. TPL_APPLICATION.
 *
 * Complains, with a remedy: EFI_NOT_FOUND (no such volume or folder), EFI_ACCESS_DENIED (a folder, a file that may not
 * be written, or that is something else), EFI_WRITE_PROTECTED, EFI_VOLUME_FULL, EFI_INVALID_PARAMETER (no file name),
 * or what the volume says. Nothing is left open then.
 */
EFI_STATUS volume_file_create(const char *path, uint32_t magic, EFI_FILE_HANDLE *file);

/* The same for a file of any kind: one that is there is deleted first, and a folder is refused. */
EFI_STATUS volume_file_replace(const char *path, EFI_FILE_HANDLE *file);

/* Cuts the file to `size` bytes, and goes there. TPL_CALLBACK or lower. */
EFI_STATUS volume_file_cut(EFI_FILE_HANDLE file, uint64_t size);

/* What to do about this status of a volume, to be read behind what went wrong; "" when nothing is known. */
const char *volume_file_remedy(EFI_STATUS status);

#endif
