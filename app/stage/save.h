/* save.h - a block of memory into a file, by the path that the Shell knows. */
#ifndef APP_SAVE_H
#define APP_SAVE_H

#include <efi.h>
#include <efilib.h>

/* Writes `size` bytes to the file `path` (volume_file_replace), over one that is there. Complains; a file that could
 * not be written whole is deleted. EFI_ABORTED for a key, EFI_NOT_FOUND for a folder or volume that is not there, or
 * what the volume says. TPL_APPLICATION. */
EFI_STATUS save(const char *path, const void *bytes, UINT64 size);

#endif
