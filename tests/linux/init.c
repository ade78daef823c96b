/* init.c - the init of the Linux that the tests boot: says so, checks free memory if asked to, and switches the machine
 * off.
 *
 * With the word "checkmemory" on the kernel's command line it fills most of the free memory with a pattern, waits for
 * an Enter on the console while a peer keeps sending to the NIC that the firmware left, and looks whether any byte has
 * changed. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define SPARE_BYTES (48UL << 20)

static uint64_t pattern(uint64_t index) {
  return index * 0x9E3779B97F4A7C15ULL ^ 0x5AA5C33C0FF0F00FULL;
}

static void check_memory(void) {
  struct sysinfo info;
  if(sysinfo(&info) != 0 || info.freeram * info.mem_unit <= SPARE_BYTES) {
    puts("MEMORY TOO SMALL");
    return;
  }
  uint64_t words = (info.freeram * info.mem_unit - SPARE_BYTES) / sizeof(uint64_t);
  uint64_t *memory = mmap(NULL, words * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if(memory == MAP_FAILED) {
    puts("MEMORY NOT MAPPED");
    return;
  }
  for(uint64_t i = 0; i < words; i++) {
    memory[i] = pattern(i);
  }
  puts("MEMORY FILLED");
  (void)getchar();
  uint64_t changed = 0;
  for(uint64_t i = 0; i < words; i++) {
    changed += memory[i] != pattern(i);
  }
  printf("MEMORY CHECKED: %llu MiB, %llu words changed\n", (unsigned long long)(words * sizeof(uint64_t) >> 20),
         (unsigned long long)changed);
}

int main(int argc, char **argv) {
  puts("HELLO FROM INIT");
  fflush(stdout);
  if(argc > 1 && strcmp(argv[1], "checkmemory") == 0) {
    setvbuf(stdout, NULL, _IONBF, 0);
    check_memory();
  }
  reboot(RB_POWER_OFF);
  for(;;) {
    pause();
  }
}
