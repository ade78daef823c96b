/* netbench.c - the init of a Linux that tools/bench compares our kernel home with: loads the NIC's driver, waits until
 * so many frames came, and says how long it took and how many interrupts.
 *
 * Words of the kernel's command line, after "--": FRAMES, then the modules in the order to load, each with its
 * parameters behind a "+" (e1000.ko+InterruptThrottleRate=0). Frames are counted where Linux counts those that a driver
 * gave it (/proc/net/softnet_stat); no socket takes them, so that only the driver and the core are in the time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COMPRESSED 4 /* MODULE_INIT_COMPRESSED_FILE */
#define IDLE_US    20000000U
#define POLL_US    500U

static const char interface[] = "eth0";

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

static void load(char *word) {
  char path[128];
  char *parameters = strchr(word, '+');
  if(parameters) {
    *parameters++ = 0;
  }
  snprintf(path, sizeof(path), "/modules/%s", word);
  int file = open(path, O_RDONLY);
  size_t length = strlen(word);
  int flags = length > 3 && strcmp(word + length - 3, ".ko") != 0 ? COMPRESSED : 0;
  if(file < 0 || syscall(SYS_finit_module, file, parameters ? parameters : "", flags) != 0) {
    printf("linux: %s does not load\n", word);
  }
  if(file >= 0) {
    close(file);
  }
}

static int bring_up(void) {
  struct ifreq request;
  int control = socket(AF_INET, SOCK_DGRAM, 0);
  memset(&request, 0, sizeof(request));
  strcpy(request.ifr_name, interface);
  while(ioctl(control, SIOCGIFFLAGS, &request) != 0) {
    usleep(POLL_US);
  }
  request.ifr_flags |= IFF_UP | IFF_PROMISC;
  int result = ioctl(control, SIOCSIFFLAGS, &request);
  while(result == 0 && !(request.ifr_flags & IFF_RUNNING)) {
    usleep(POLL_US);
    result = ioctl(control, SIOCGIFFLAGS, &request);
  }
  close(control);
  return result;
}

/* Frames that drivers gave the network core, over all processors. */
static uint64_t processed(void) {
  unsigned frames;
  uint64_t sum = 0;
  char line[256];
  FILE *file = fopen("/proc/net/softnet_stat", "r");
  while(file && fgets(line, sizeof(line), file)) {
    sum += sscanf(line, "%x", &frames) == 1 ? frames : 0;
  }
  if(file) {
    fclose(file);
  }
  return sum;
}

/* The NIC's, by the name of its interface or of virtio's first device. */
static uint64_t interrupts(void) {
  uint64_t sum = 0;
  char line[512];
  FILE *file = fopen("/proc/interrupts", "r");
  while(file && fgets(line, sizeof(line), file)) {
    char *count = strchr(line, ':');
    if(count && (strstr(line, interface) || strstr(line, "virtio0"))) {
      sum += strtoull(count + 1, NULL, 10);
    }
  }
  if(file) {
    fclose(file);
  }
  return sum;
}

static void measure(uint64_t wanted) {
  uint64_t before = processed();
  uint64_t interrupts_before = interrupts();
  uint64_t frames = 0;
  uint64_t begin = now_us(); /* the last look before the first frame: this process may starve while frames come */
  uint64_t last = begin;
  puts("linux: running");
  while(frames < wanted && now_us() - last < IDLE_US) {
    uint64_t before_look = now_us();
    uint64_t count = processed() - before;
    if(count > frames) {
      last = now_us();
    } else if(frames == 0) {
      begin = before_look;
    }
    frames = count;
    usleep(POLL_US);
  }
  printf("linux: frames %llu elapsed_us %llu interrupts %llu end\n", (unsigned long long)frames,
         (unsigned long long)(last - begin), (unsigned long long)(interrupts() - interrupts_before));
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  mount("proc", "/proc", "proc", 0, NULL);
  for(int i = 2; i < argc; i++) {
    load(argv[i]);
  }
  if(argc < 2 || bring_up() != 0) {
    puts("linux: no NIC");
  } else {
    measure(strtoull(argv[1], NULL, 10));
  }
  reboot(RB_POWER_OFF);
  for(;;) {
    pause();
  }
}
