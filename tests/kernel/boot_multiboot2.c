/* boot_multiboot2.c - the reference kernel as an ELF64 file that GRUB loads: GRUB has left boot services, and tells
 * where the EFI system table is (Multiboot2 specification 3.6.12). */
#include <string.h>

#include "arch.h"
#include "kernel.h"

#define TAG_END          0U
#define TAG_COMMAND_LINE 1U
#define TAG_EFI64        12U

struct tag {
  uint32_t type;
  uint32_t size;
};

/* Called by multiboot2.S. */
void multiboot2_main(const uint8_t *information);

static void copy_line(const uint8_t *from, size_t size, char line[KERNEL_LINE_SIZE]) {
  size_t i = 0;
  for(; i < size && i + 1 < KERNEL_LINE_SIZE && from[i]; i++) {
    line[i] = (char)from[i];
  }
  line[i] = '\0';
}

void multiboot2_main(const uint8_t *information) {
  static _Alignas(4096) uint8_t heap[KERNEL_HEAP_SIZE];
  static char line[KERNEL_LINE_SIZE];
  static struct kernel_options options;
  EFI_SYSTEM_TABLE *system = NULL;
  struct tag tag;
  /* 8 bytes of size and reserved, then the tags, each at a multiple of 8 (3.6.1, 3.6.2) */
  for(const uint8_t *at = information + 8; memcpy(&tag, at, sizeof(tag)), tag.type != TAG_END;
      at += (tag.size + 7U) & ~7U) {
    if(tag.type == TAG_COMMAND_LINE) {
      copy_line(at + sizeof(tag), tag.size - sizeof(tag), line);
    } else if(tag.type == TAG_EFI64) {
      memcpy(&system, at + sizeof(tag), sizeof(system));
    }
  }
  const char *problem = kernel_parse(line, &options);
  if(!problem && !system) {
    problem = "the loader gave no EFI system table";
  }
  if(!problem) {
    kernel_main(&options, system, heap, 0);
  }
  serial_text("kernel: ");
  serial_text(problem);
  serial_text("\r\n");
}
