/* memory.c - the fake firmware's pool, pages and configuration table, and what of gnu-efi's library is replaced. */
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DIRT     0xAFU /* what fresh memory holds */
#define MAP_EACH 48U   /* bytes of a descriptor in the memory map */

/* The library's own comes with its memcpy and memset, which would hide libc's, and so callers from the sanitizers. */
VOID InitializeLib(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  (void)image;
  ST = system_table;
  BS = system_table->BootServices;
  RT = system_table->RuntimeServices;
}

struct memory *find_memory(struct node *list, const VOID *start) {
  while(list && ((struct memory *)list)->start != start) {
    list = list->next;
  }
  return (struct memory *)list;
}

/* Pool ----------------------------------------------------------------------------------------------------------- */

VOID *pool_new(UINTN size) {
  struct memory *block = node_new(&firmware.pool, sizeof(*block));
  block->start = malloc(size);
  if(!block->start) {
    abort();
  }
  memset(block->start, DIRT, size);
  return block->start;
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN size, VOID **out) {
  (void)type;
  if(fails("AllocatePool", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  *out = pool_new(size);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(VOID *memory) {
  check_service("FreePool", TPL_NOTIFY);
  struct memory *block = find_memory(firmware.pool, memory);
  if(!block) {
    firmware_abort("FreePool: not allocated", memory);
  }
  node_drop(&firmware.pool, block);
  free(memory);
  return EFI_SUCCESS;
}

/* Pages, with one behind them that nobody may touch. Where the caller does not mind they lie above 4 GiB. ---------- */

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE memory_type, UINTN count,
                                        EFI_PHYSICAL_ADDRESS *address) {
  if(fails("AllocatePages", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(type != AllocateAnyPages && type != AllocateMaxAddress) {
    firmware_abort("AllocatePages: this type is not modelled", (const VOID *)type);
  }
  UINTN size = count * EFI_PAGE_SIZE;
  int low = type == AllocateMaxAddress ? MAP_32BIT : 0;
  UINT8 *start = mmap(NULL, size + EFI_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | low, -1, 0);
  if(start == MAP_FAILED || mprotect(start + size, EFI_PAGE_SIZE, PROT_NONE) != 0) {
    abort();
  }
  if(type == AllocateMaxAddress && (UINTN)start + size - 1U > *address) {
    firmware_abort("AllocatePages: the host has no memory below the address asked for", start);
  }
  struct memory *pages = node_new(&firmware.pages, sizeof(*pages));
  *pages = (struct memory){.start = memset(start, DIRT, size), .size = size, .type = memory_type};
  *address = (UINTN)start;
  return EFI_SUCCESS;
}

static void drop_pages(struct memory *pages) {
  (void)munmap(pages->start, pages->size + EFI_PAGE_SIZE);
  node_drop(&firmware.pages, pages);
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS address, UINTN count) {
  check_service("FreePages", TPL_NOTIFY);
  struct memory *pages = find_memory(firmware.pages, (const VOID *)(UINTN)address);
  if(!pages || pages->size != count * EFI_PAGE_SIZE) {
    firmware_abort("FreePages: not allocated, or another size", (const VOID *)(UINTN)address);
  }
  drop_pages(pages);
  return EFI_SUCCESS;
}

void memory_free(void) {
  while(firmware.pool) {
    free(((struct memory *)firmware.pool)->start);
    node_drop(&firmware.pool, firmware.pool);
  }
  while(firmware.pages) {
    drop_pages((struct memory *)firmware.pages);
  }
}

/* Configuration table -------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI install_configuration_table(EFI_GUID *guid, VOID *table) {
  if(fails("InstallConfigurationTable", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  UINTN *count = &firmware.system.NumberOfTableEntries;
  UINTN at = 0;
  while(at < *count && !same_guid(&firmware.tables[at].VendorGuid, guid)) {
    at++;
  }
  if(table) {
    *count += at == *count;
    if(*count > TABLES) {
      firmware_abort("InstallConfigurationTable: more than are modelled", table);
    }
    firmware.tables[at] = (EFI_CONFIGURATION_TABLE){.VendorGuid = *guid, .VendorTable = table};
    return EFI_SUCCESS;
  }
  if(at == *count) {
    return EFI_NOT_FOUND;
  }
  firmware.tables[at] = firmware.tables[--*count];
  return EFI_SUCCESS;
}

/* What an operating system finds must lie in memory that it does not take for free. */
void check_tables(void) {
  for(UINTN i = 0; i < firmware.system.NumberOfTableEntries; i++) {
    const UINT8 *table = firmware.tables[i].VendorTable;
    const struct memory *pages = (const struct memory *)firmware.pages;
    while(pages && (table < (const UINT8 *)pages->start || table >= (const UINT8 *)pages->start + pages->size)) {
      pages = (const struct memory *)pages->node.next;
    }
    if(!pages || pages->type != EfiRuntimeServicesData) {
      firmware_abort("ExitBootServices: a configuration table lies in memory that the next stage takes for free",
                     table);
    }
  }
}

/* A map as a machine with 512 MiB has it, its descriptors longer than the structure, as firmware's are. */
static EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *each,
                                        UINT32 *version) {
  static const EFI_MEMORY_DESCRIPTOR blocks[] = {
      {.Type = EfiConventionalMemory, .PhysicalStart = 0x1000, .NumberOfPages = 0x9F},
      {.Type = EfiBootServicesData, .PhysicalStart = 0x100000, .NumberOfPages = 0x700},
      {.Type = EfiConventionalMemory, .PhysicalStart = 0x800000, .NumberOfPages = 0x1C000},
  };
  UINTN needed = MAP_EACH * (sizeof(blocks) / sizeof(blocks[0]));
  if(fails("GetMemoryMap", TPL_NOTIFY)) {
    return EFI_INVALID_PARAMETER;
  }
  UINTN room = *size;
  *size = needed;
  *each = MAP_EACH;
  *key = 1;
  *version = EFI_MEMORY_DESCRIPTOR_VERSION;
  if(room < needed) {
    return EFI_BUFFER_TOO_SMALL;
  }
  for(UINTN i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    memcpy((UINT8 *)map + i * MAP_EACH, &blocks[i], sizeof(blocks[i]));
  }
  return EFI_SUCCESS;
}

/* Small services -------------------------------------------------------------------------------------------------- */

static VOID EFIAPI set_mem(VOID *memory, UINTN size, UINT8 value) {
  memset(memory, value, size);
}

static VOID EFIAPI copy_mem(VOID *to, VOID *from, UINTN size) {
  memmove(to, from, size);
}

void memory_init(EFI_BOOT_SERVICES *services) {
  services->AllocatePool = allocate_pool;
  services->FreePool = free_pool;
  services->AllocatePages = allocate_pages;
  services->FreePages = free_pages;
  services->GetMemoryMap = get_memory_map;
  services->InstallConfigurationTable = install_configuration_table;
  services->SetMem = set_mem;
  services->CopyMem = copy_mem;
}
