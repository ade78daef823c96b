/* pe.c - what a boot file is (Microsoft PE/COFF specification). Pure C. */
#include "pe.h"

#define DOS_HEADER        64U
#define DOS_LFANEW        60U /* where the PE header is */
#define PE_FILE           4U  /* the file header, behind "PE\0\0" */
#define FILE_OPTIONAL     16U
#define FILE_SIZE         20U
#define OPTIONAL_LEAST    70U /* up to and with the subsystem, in both kinds */
#define OPTIONAL_MAGIC32  0x010BU
#define OPTIONAL_MAGIC64  0x020BU
#define SUBSYSTEM         68U
#define EFI_APPLICATION   10U
#define DIRECTORIES32     92U /* how many there are; they follow */
#define DIRECTORIES64     108U
#define DIRECTORY_SIZE    ((size_t)8)
#define CERTIFICATE_TABLE 4U

static uint32_t le16(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t le32(const uint8_t *at) {
  return le16(at) | le16(at + 2) << 16;
}

static bool has_certificates(const uint8_t *optional, size_t size) {
  size_t at = le16(optional) == OPTIONAL_MAGIC64 ? DIRECTORIES64 : DIRECTORIES32;
  size_t entry = at + 4U + CERTIFICATE_TABLE * DIRECTORY_SIZE;
  return size >= entry + DIRECTORY_SIZE && le32(optional + at) > CERTIFICATE_TABLE && le32(optional + entry) != 0 &&
         le32(optional + entry + 4) != 0;
}

void pe_look(const void *file, size_t size, uint16_t machine, struct pe_view *view) {
  const uint8_t *bytes = file;
  *view = (struct pe_view){.kind = size == 0 ? DOCTOR_FILE_EMPTY : DOCTOR_FILE_NO_IMAGE};
  if(size < DOS_HEADER || bytes[0] != 'M' || bytes[1] != 'Z') {
    return;
  }
  size_t header = le32(bytes + DOS_LFANEW);
  if(header > size || size - header < PE_FILE + FILE_SIZE + OPTIONAL_LEAST || le32(bytes + header) != 0x00004550U) {
    return;
  }
  const uint8_t *optional = bytes + header + PE_FILE + FILE_SIZE;
  size_t room = size - header - PE_FILE - FILE_SIZE;
  size_t told = le16(bytes + header + PE_FILE + FILE_OPTIONAL);
  uint32_t magic = le16(optional);
  if(told < OPTIONAL_LEAST || (magic != OPTIONAL_MAGIC32 && magic != OPTIONAL_MAGIC64)) {
    return;
  }
  view->machine = (uint16_t)le16(bytes + header + PE_FILE);
  view->has_signature = has_certificates(optional, told < room ? told : room);
  view->kind = view->machine != machine                        ? DOCTOR_FILE_OTHER_MACHINE
               : le16(optional + SUBSYSTEM) != EFI_APPLICATION ? DOCTOR_FILE_NO_APPLICATION
                                                               : DOCTOR_FILE_IMAGE;
}
