/* volume.h - the fake firmware's volume as programs write to it: files and folders, a medium that fills or refuses. */
#ifndef FIRMWARE_VOLUME_H
#define FIRMWARE_VOLUME_H

#include <efi.h>
#include <stddef.h>

/*
 * One volume, which the Shell maps as fs0:. Paths are from its root, "folder\\name", whatever the case. Programs are no
 * files of it (programs_add). It begins empty with each programs_begin, and ends the program when a file is still open
 * at programs_end, when a handle is used after Close, or above TPL_CALLBACK.
 */

/* What a file holds, until it is written again; NULL when there is none. */
const UINT8 *volume_file(const char *path, size_t *length);

/* Puts a file there, or a folder. */
void volume_put(const char *path, const void *bytes, size_t length);
void volume_add_folder(const char *path);

/* From now on it can only be read. */
void volume_read_only(BOOLEAN on);

/* The file can only be read. */
void volume_protect(const char *path);

/* So many bytes are free from now on; a write that needs more takes what there is, and fails. UINT64_MAX, as at first:
 * no end. */
void volume_room(UINT64 bytes);

/* Each write takes so long from now on. */
void volume_slow(UINT64 us);

/* How often Flush was called; files that are open. */
UINTN volume_flushes(void);
UINTN volume_open_files(void);

/* Takes the file system away, as on a machine that was booted from the network. */
void volume_without(void);

/* What GetTime says from now on; NULL for an error. At first it is 2026-11-26 12:34:56 UTC and stands still. */
void volume_clock(const EFI_TIME *time);

#endif
