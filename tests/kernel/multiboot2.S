/* multiboot2.S - the header that GRUB looks for, and the way from its 32-bit protected mode to 64-bit code. */

#define MAGIC        0xE85250D6
#define ARCHITECTURE 0 /* i386 protected mode */
#define STACK_SIZE   65536
#define PRESENT_RW   0x003
#define LARGE        0x080
#define CR4_PAE      0x020
#define EFER         0xC0000080
#define EFER_LME     0x100
#define CR0_PG       0x80000000

  .section .multiboot2, "a"
  .align 8
header:
  .long MAGIC
  .long ARCHITECTURE
  .long header_end - header
  .long -(MAGIC + ARCHITECTURE + (header_end - header))
  .short 0 /* end tag */
  .short 0
  .long 8
header_end:

  .section .bss
  .align 4096
level4:
  .skip 4096
level3:
  .skip 4096
level2: /* 4 GiB in pages of 2 MiB; the kernel makes better ones */
  .skip 4 * 4096
stack:
  .skip STACK_SIZE
stack_end:

  .section .rodata
  .align 8
gdt:
  .quad 0
  .quad 0x00AF9A000000FFFF /* 64-bit code */
gdt_end:
gdt_register:
  .short gdt_end - gdt - 1
  .quad gdt

  .text
  .code32
  .global multiboot2_entry
multiboot2_entry: /* EBX holds the boot information's address (Multiboot2 specification 3.3) */
  cli
  movl $stack_end, %esp
  movl $level3 + PRESENT_RW, level4
  movl $level2 + PRESENT_RW, %eax
  movl $level3, %edi
  movl $4, %ecx
1:
  movl %eax, (%edi)
  addl $4096, %eax
  addl $8, %edi
  loop 1b
  movl $(PRESENT_RW | LARGE), %eax
  movl $level2, %edi
  movl $2048, %ecx
2:
  movl %eax, (%edi)
  addl $0x200000, %eax
  addl $8, %edi
  loop 2b
  movl $level4, %eax
  movl %eax, %cr3
  movl %cr4, %eax
  orl $CR4_PAE, %eax
  movl %eax, %cr4
  movl $EFER, %ecx
  rdmsr
  orl $EFER_LME, %eax
  wrmsr
  movl %cr0, %eax
  orl $CR0_PG, %eax
  movl %eax, %cr0
  lgdt gdt_register
  ljmp $8, $long_mode

  .code64
long_mode:
  xorl %eax, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl %ebx, %edi
  call multiboot2_main
3:
  hlt
  jmp 3b

  .section .note.GNU-stack, "", @progbits
