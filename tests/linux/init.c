/* init.c - the init of the kernel that is booted from the network: says so, and switches the machine off. */
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void) {
  puts("HELLO FROM INIT");
  fflush(stdout);
  sync();
  reboot(RB_POWER_OFF);
  for(;;) {
    pause();
  }
}
