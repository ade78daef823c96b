/* kernel.c - the reference kernel: takes over the NIC that the firmware left, counts numbered frames by interrupts,
 * answers ARP and pings, prints what it saw on the serial port and switches the machine off. It ends when the last
 * numbered frame has come, or after a time without one (--idle). */
#include "kernel.h"

#include <string.h>

#include "../../app/args.h"
#include "../../driver/kernel/netconsole.h"
#include "../../driver/kernel/plain/plain.h"
#include "../../driver/kernel/work.h"
#include "../../driver/lib/bytes.h"
#include "../../driver/lib/responder.h"
#include "../../driver/lib/testframe.h"
#include "arch.h"
#include "nic.h"

#define WORDS_MAX   24
#define POLL_BUDGET 64U
#define IDLE_S      600U /* the peer may be slow */
#define TICK_US     10000U
#define OWN_ADDRESS 0x0A090902U /* 10.9.9.2, without a lease */

static struct {
  struct netdev *dev;
  struct responder responder;
  const struct kernel_options *options;
  const EFI_SYSTEM_TABLE *system;
  struct kernel_work work;
  volatile bool submitted; /* the work queue: room for one item */
  volatile bool inside;    /* a call on the device: what would be its lock, were there another thread */
  struct netconsole console;
  uint64_t firmware_frames;
  uint32_t first;
  uint32_t newest;
  uint32_t received;
  uint32_t lost;
  uint32_t duplicated;
  uint32_t reordered;
  uint32_t damaged;
  uint64_t first_us;
  uint64_t last_us;
} kernel;

/* Options -------------------------------------------------------------------------------------------------------- */

static const struct option option_rows[] = {
    {"--interrupts", "MODE", OPTION_TEXT, offsetof(struct kernel_options, interrupts), 0, 0, ""},
    {"--netconsole", "PARAMETER", OPTION_TEXT, offsetof(struct kernel_options, netconsole), 0, 0, ""},
    {"--frames", "N", OPTION_U32, offsetof(struct kernel_options, frames), 0, UINT32_MAX, ""},
    {"--moderation", "N", OPTION_U32, offsetof(struct kernel_options, moderation), 0, 1000000, ""},
    {"--nic", "N", OPTION_U32, offsetof(struct kernel_options, nic), 0, 7, ""},
    {"--transmit", "N", OPTION_U32, offsetof(struct kernel_options, transmit), 0, KERNEL_TRANSMIT_MAX, ""},
    {"--stalled", NULL, OPTION_FLAG, offsetof(struct kernel_options, stalled), 0, 0, ""},
    {"--idle", "SECONDS", OPTION_U32, offsetof(struct kernel_options, idle), 1, 3600, ""},
    {"--hold", NULL, OPTION_FLAG, offsetof(struct kernel_options, hold), 0, 0, ""},
    {"--echo", NULL, OPTION_FLAG, offsetof(struct kernel_options, echo), 0, 0, ""},
    {"--panic", NULL, OPTION_FLAG, offsetof(struct kernel_options, panic), 0, 0, ""},
    {0},
};

const char *kernel_parse(char *line, struct kernel_options *options) {
  static const char *const modes[] = {"poll", "intx", "pic", "msi", "msix"};
  static char error[ARGS_ERROR_SIZE];
  char *words[WORDS_MAX];
  bool help = false;
  int count = args_split(line, words, WORDS_MAX);
  /* The Shell and GRUB put the image's name first, a boot option and netdiag do not. */
  int skip = count > 0 && words[0][0] != '-' ? 1 : 0;
  *options = (struct kernel_options){.interrupts = "poll", .frames = 1, .idle = IDLE_S};
  if(args_parse(option_rows, options, count - skip, words + skip, NULL, 0, &help, error) < 0) {
    return error;
  }
  for(size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
    if(!help && text_equal(options->interrupts, modes[i])) {
      return NULL;
    }
  }
  return "options: --interrupts poll|intx|pic|msi|msix --frames N --moderation N --nic N --transmit N --idle N "
         "--netconsole PARAMETER --stalled --hold --echo --panic";
}

/* The log over the network --------------------------------------------------------------------------------------- */

/* Without the carriage returns that a terminal on the serial port wants. */
static void log_also(const char *text) {
  for(; *text; text++) {
    if(*text != '\r') {
      netconsole_write(&kernel.console, text, 1);
    }
  }
}

/* From the first line on, though there is no NIC yet. */
static void begin_log(void) {
  static char text[KERNEL_LOG_SIZE];
  if(kernel.options->netconsole && netconsole_init(&kernel.console, text, sizeof(text))) {
    serial_also = log_also;
  }
}

static void flush_log(void) {
  kernel.inside = true;
  (void)netconsole_flush(&kernel.console);
  kernel.inside = false;
}

static _Noreturn void switch_off(void) {
  kernel.system->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
  for(;;) {
    __asm__ volatile("hlt");
  }
}

/* Nothing that was interrupted goes on, nor does anything else: there is one processor, and no interrupt comes. */
static _Noreturn void panic(void) {
  bool inside = kernel.inside;
  interrupts_off();
  serial_text("kernel: panic: an exception, or an interrupt that nobody asked for, ");
  serial_text(inside ? "inside a call on the NIC\r\n" : "outside of any call on the NIC\r\n");
  if(kernel.options->netconsole) {
    uint32_t left = netconsole_panic(&kernel.console, inside);
    serial_also = NULL;
    serial_text("kernel: netconsole:");
    serial_value("unsent", left);
    serial_text("\r\n");
  }
  switch_off();
}

static void break_down(void) {
  __asm__ volatile("ud2");
}

/* Frames --------------------------------------------------------------------------------------------------------- */

static int send(void *ctx, const void *frame, size_t length) {
  return netdev_transmit(ctx, frame, length, NULL, 0);
}

static void count(const struct testframe *what, bool intact) {
  if(!intact) {
    kernel.damaged++;
    return;
  }
  if(kernel.received == 0) {
    out8(MARK_PORT, MARK_DELIVERED);
    kernel.first = what->sequence;
    kernel.first_us = kernel.last_us;
    kernel.newest = what->sequence - 1U;
  }
  if(what->sequence == kernel.newest + 1U) {
    kernel.received++;
  } else if(what->sequence > kernel.newest) {
    kernel.lost += what->sequence - kernel.newest - 1U;
    kernel.received++;
  } else if(what->sequence == kernel.newest) {
    kernel.duplicated++;
    return;
  } else {
    kernel.reordered++;
    return;
  }
  kernel.newest = what->sequence;
  if(kernel.options->panic && kernel.newest >= kernel.options->frames) {
    break_down();
  }
}

static void on_frame(void *ctx, const struct netdev_frame *frame) {
  struct testframe what;
  struct inet_packet packet;
  bool intact;
  (void)ctx;
  kernel.last_us = clock_us();
  if(testframe_parse(frame->data, frame->length, &what, &intact)) {
    count(&what, intact);
    if(!kernel.options->echo) {
      return;
    }
  }
  inet_parse(frame->data, frame->length, &packet);
  (void)responder_handle(&kernel.responder, frame, &packet);
}

/* Goes on with the numbers where the firmware stopped. */
static void transmit(uint32_t transmitted) {
  static const uint8_t everybody[NETDEV_MAC_LENGTH] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  uint8_t frame[KERNEL_TRANSMIT_LENGTH];
  for(uint32_t i = 1; i <= kernel.options->transmit; i++) {
    const struct testframe what = {TESTFRAME_REQUEST, 1, transmitted + i, sizeof(frame)};
    testframe_build(frame, &what, everybody, kernel.dev->mac);
    if(netdev_transmit(kernel.dev, frame, sizeof(frame), NULL, 0) != NETDEV_OK) {
      serial_text("kernel: a frame was refused\r\n");
    }
  }
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

static void submit(void *ctx) {
  (void)ctx;
  kernel.submitted = true;
}

static void on_interrupt(void) {
  (void)kernel_work_interrupt(&kernel.work);
}

/* This thread is the work queue's: the handler only submits, and the device stays masked until the work is done. */
static void work_by_interrupts(void) {
  interrupts_off();
  bool submitted = kernel.submitted;
  kernel.submitted = false;
  interrupts_on();
  if(submitted) {
    (void)kernel_work_run(&kernel.work);
  }
}

static void step(bool polling) {
  kernel.inside = true;
  if(polling) {
    netdev_poll(kernel.dev, POLL_BUDGET);
  } else {
    work_by_interrupts();
  }
  kernel.inside = false;
}

static void run(bool polling) {
  uint64_t tick_us = clock_us();
  kernel.last_us = tick_us;
  serial_text("kernel: running\r\n");
  while(kernel.newest < kernel.options->frames && clock_us() - kernel.last_us < kernel.options->idle * 1000000ULL) {
    step(polling);
    if(kernel.options->netconsole) {
      flush_log();
    }
    if(clock_us() - tick_us >= TICK_US) {
      tick_us = clock_us();
      (void)netdev_tick(kernel.dev);
    }
  }
  if(kernel.options->panic) {
    break_down();
  }
}

/* Start and end -------------------------------------------------------------------------------------------------- */

static void report(enum kernel_nic_origin origin) {
  const struct netdev_stats *stats = netdev_get_stats(kernel.dev);
  serial_text("\r\nkernel: statistics:");
  serial_value("rx_frames", stats->rx_frames);
  serial_value("rx_bytes", stats->rx_bytes);
  serial_value("rx_errors", stats->rx_errors);
  serial_value("rx_missed", stats->rx_missed);
  serial_value("tx_frames", stats->tx_frames);
  serial_value("tx_errors", stats->tx_errors);
  serial_value("arp_replies", kernel.responder.arp_replies);
  serial_value("echo_replies", kernel.responder.echo_replies);
  serial_value("frame_replies", kernel.responder.frame_replies);
  serial_value("refused", kernel.responder.refused);
  serial_value("elapsed_us", kernel.last_us - kernel.first_us);
  serial_text("\r\nkernel: ");
  serial_text(origin == KERNEL_NIC_ADOPTED ? "adopted" : "fresh");
  serial_value("firmware", kernel.firmware_frames);
  serial_value("kernel", kernel.received);
  serial_value("first", kernel.first);
  serial_value("last", kernel.newest);
  serial_value("lost", kernel.lost);
  serial_value("duplicated", kernel.duplicated);
  serial_value("reordered", kernel.reordered);
  serial_value("damaged", kernel.damaged);
  serial_value("interrupts", nic_interrupts);
  serial_text(" end\r\n");
}

/* The firmware's lease, and what the network console takes from it. */
static const char *learn_addresses(const struct net_platform *platform, const struct kernel_nic *nic, uint64_t table) {
  struct net_handoff_lease lease;
  struct netconsole_config config;
  static char source[NET_HANDOFF_SOURCE_MAX];
  (void)kernel_handoff_lease(platform, nic, (void *)table, NET_HANDOFF_MAX_SIZE, table, &lease, source);
  kernel.responder.host.address = lease.address[0] ? get32(lease.address) : OWN_ADDRESS;
  if(!kernel.options->netconsole) {
    return NULL;
  }
  const char *problem = netconsole_parse(kernel.options->netconsole, &config);
  if(!problem) {
    netconsole_complete(&config, &lease, source);
    config.source = config.source ? config.source : OWN_ADDRESS;
    netconsole_attach(&kernel.console, kernel.dev, &config);
  }
  return problem;
}

static const char *start(const struct kernel_nic *nic, const EFI_SYSTEM_TABLE *system, uint8_t *heap,
                         enum kernel_nic_origin *origin) {
  const struct netdev_client client = {.receive = on_frame};
  const struct net_platform *platform = nic_platform((uint64_t)system, heap, KERNEL_HEAP_SIZE);
  uint64_t table = plain_handoff();
  int result = kernel_nic_start(platform, nic, (void *)table, NET_HANDOFF_MAX_SIZE, table, plain_map, &client,
                                &kernel.dev, origin);
  if(result != NETDEV_OK) {
    return netdev_strerror(result);
  }
  kernel.firmware_frames = kernel.dev->stats.rx_frames;
  kernel.responder = (struct responder){.send = send, .send_ctx = kernel.dev};
  memcpy(kernel.responder.host.mac, kernel.dev->mac, NETDEV_MAC_LENGTH);
  return learn_addresses(platform, nic, table);
}

static const char *enable_interrupts(const struct kernel_nic *nic) {
  enum netdev_irq_mode mode;
  nic_interrupt = on_interrupt;
  kernel.work = (struct kernel_work){.dev = kernel.dev, .submit = submit};
  if(!nic_route(nic, kernel.options->interrupts, &mode) ||
     netdev_irq_enable(kernel.dev, mode, kernel.options->moderation) != NETDEV_OK) {
    return "this NIC has no such interrupts";
  }
  kernel.submitted = true; /* for what waits already: not every device interrupts for that */
  interrupts_on();
  return NULL;
}

static const char *drive(EFI_SYSTEM_TABLE *system, uint8_t *heap, uint32_t transmitted) {
  bool polling = text_equal(kernel.options->interrupts, "poll");
  struct kernel_nic nic;
  enum kernel_nic_origin origin;
  if(!nic_find(kernel.options->nic, &nic)) {
    return "no NIC that the driver knows";
  }
  const char *problem = start(&nic, system, heap, &origin);
  if(!problem && !polling) {
    problem = enable_interrupts(&nic);
  }
  if(!problem) {
    transmit(transmitted);
    run(polling);
    interrupts_off();
    report(origin);
    if(kernel.options->netconsole &&
       netconsole_panic(&kernel.console, false) > 0) { /* all of it, before the machine ends */
      problem = "some of the log was not sent";
    }
  }
  return problem;
}

void kernel_main(const struct kernel_options *options, EFI_SYSTEM_TABLE *system, uint8_t *heap, uint32_t transmitted) {
  out8(MARK_PORT, MARK_LEFT);
  kernel.options = options;
  kernel.system = system;
  machine_fault = panic;
  paging_init();
  interrupts_init();
  clock_init();
  begin_log();
  serial_text("\r\nkernel: boot services left\r\n");
  if(options->hold) {
    serial_text("kernel: holding\r\n");
    serial_wait();
  }
  const char *problem = drive(system, heap, transmitted);
  if(problem) {
    serial_text("kernel: ");
    serial_text(problem);
    serial_text("\r\n");
  }
  switch_off();
}
