/* boot.S - from the state in which GRUB leaves a multiboot2 kernel to 64-bit code, with 4 GiB mapped to itself. */
  .section .multiboot2, "a"
  .align 8
header:
  .long 0xE85250D6, 0, header_end - header, -(0xE85250D6 + header_end - header)
  .long 0, 8
header_end:

  .section .bss
  .align 4096
tables: /* level 4, level 3, four of level 2 */
  .skip 6 * 4096
  .skip 16384
stack:

  .section .rodata
  .align 8
gdt:
  .quad 0, 0x00AF9A000000FFFF
gdt_register:
  .short 15
  .quad gdt

  .text
  .code32
  .global start
start:
  movl $stack, %esp
  movl $tables + 4096 + 3, tables
  movl $4, %ecx
1:
  movl %ecx, %eax
  shll $12, %eax
  addl $tables + 4096 + 3, %eax
  movl %eax, tables + 4096 - 8(, %ecx, 8)
  loop 1b
  movl $2048, %ecx
2:
  leal -1(%ecx), %eax
  shll $21, %eax
  orl $0x83, %eax
  movl %eax, tables + 8192 - 8(, %ecx, 8)
  loop 2b
  movl $tables, %eax
  movl %eax, %cr3
  movl $0x20, %eax
  movl %eax, %cr4
  movl $0xC0000080, %ecx
  movl $0x100, %eax
  xorl %edx, %edx
  wrmsr
  movl $0x80000011, %eax
  movl %eax, %cr0
  lgdt gdt_register
  ljmp $8, $3f
  .code64
3:
  xorl %eax, %eax
  movl %eax, %ss
  movl %eax, %ds
  movl %eax, %es
  call kernel_main
  .section .note.GNU-stack, "", @progbits
