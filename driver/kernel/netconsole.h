/* netconsole.h - a kernel's log over the network, for a kernel that has nothing else: each line is the data of one UDP
 * datagram, as Linux' netconsole sends it. The receiver is `nc -u -l 6666`. */
#ifndef KERNEL_NETCONSOLE_H
#define KERNEL_NETCONSOLE_H

#include "net/handoff.h"
#include "net/netdevice.h"

#define NETCONSOLE_SOURCE_PORT 6665U
#define NETCONSOLE_TARGET_PORT 6666U
#define NETCONSOLE_CHUNK       1000U    /* bytes of text in a datagram at the most; a longer line is cut in pieces */
#define NETCONSOLE_FRAME_SIZE  1042U    /* headers and a chunk                                                     */
#define NETCONSOLE_PANIC_US    2000000U /* the longest wait for a device that does not send                        */

/* From where to where; addresses in host order. What is 0 is filled in by netconsole_complete. */
struct netconsole_config {
  uint32_t source;
  uint32_t target;
  uint16_t source_port;
  uint16_t target_port;
  uint8_t target_mac[NETDEV_MAC_LENGTH]; /* of the target, or of the router on the way to it */
};

/*
 * Two halves that may interrupt each other. The log's: netconsole_write, serialised as the kernel serialises its log,
 * which touches memory alone and may be called from anywhere, also from net_platform.log, the receiver and an interrupt
 * handler. The device's: netconsole_flush, with the lock of the device held. And a third for the end:
 * netconsole_panic, when neither half goes on.
 */
struct netconsole {
  struct netconsole_config config;
  struct netdev *dev;        /* NULL: not attached, lines wait */
  char *text;                /* whole lines in [sent, written), the one that is being written in [written, end) */
  uint32_t size;             /* of it, a power of two                                                           */
  volatile uint32_t sent;    /* free-running; the device's half moves it                                        */
  volatile uint32_t written; /* the same; the log's half moves it                                               */
  uint32_t end;              /* the log's half alone                                                            */
  bool skipping;             /* the rest of a line that found no room                                           */
  uint16_t id;               /* of the next IPv4 header                                                         */
  uint64_t lines;            /* written whole                                                                   */
  volatile uint64_t dropped; /* lines that found no room                                                        */
  uint64_t dropped_told;     /* of them the target was told                                                     */
  uint64_t datagrams;        /* given to the device                                                             */
  uint64_t refused;          /* by the device, as longer than it may send: lost                                 */
  uint8_t frame[NETCONSOLE_FRAME_SIZE];
};

/*
 * Reads Linux' parameter, `[source port]@[source address]/[device],[target port]@[target address]/[target MAC]`, into
 * *config: "@/,@10.0.2.2/" says the target alone, and "@/,@/" leaves everything to netconsole_complete. The device is
 * the caller's to choose, and skipped. NULL, or a sentence that says what is wrong; *config is then undefined.
 */
const char *netconsole_parse(const char *parameter, struct netconsole_config *config);

/*
 * Fills in what is 0: ports 6665 and 6666; the source address from `lease`; for the target the host in `source` (a URL
 * that has an IPv4 address for it: who sent the kernel may listen), else the lease's DHCP server, else everybody
 * (255.255.255.255); for its MAC address everybody's, as Linux does, which no router forwards. `lease` and `source` are
 * what kernel_handoff_lease gives, or NULL.
 */
void netconsole_complete(struct netconsole_config *config, const struct net_handoff_lease *lease, const char *source);

/* Begins with an empty log in `text`, `size` bytes (a power of two, 256 at least), which stays the console's. Before
 * the first line, long before there is a device. False for a size that is none. */
bool netconsole_init(struct netconsole *console, char *text, uint32_t size);

/* From here on netconsole_flush sends, to config->target from config->source. `dev` is open, and outlives the console's
 * use: netconsole_attach(console, NULL, NULL) before it is closed. Its client's tx_done, where it has one, gets
 * `console` as the cookie. */
void netconsole_attach(struct netconsole *console, struct netdev *dev, const struct netconsole_config *config);

/* Adds text to the log. A line ends with '\n', and is sent once it has ended. One that finds no room is dropped whole,
 * the newest before the oldest, and counted; the target is told how many. Touches no device and does not wait. */
void netconsole_write(struct netconsole *console, const char *text, size_t length);

/*
 * Sends the lines that wait, as many as the device takes, and rings its doorbell once. True when some are left over:
 * the ring is full, so call again when frames have finished. With the device's lock held: after a netdev_poll, from the
 * timer, and after a netconsole_write that could take the lock at once (a try-lock).
 */
bool netconsole_flush(struct netconsole *console);

/*
 * From a panic: sends all that waits, also a line that has not ended, and waits until it has left, NETCONSOLE_PANIC_US
 * and a link's coming at the most. Interrupts are off, every other processor has stopped, and takes no lock. With
 * `interrupted` the device is brought up anew first: somebody may have been inside a netdev call (his lock was not
 * free), and does not come back. See netdev_panic, which says what is possible afterwards. It may be called again, for
 * lines that were written since, with false. Returns how many lines are left unsent; all of them without a device.
 */
uint32_t netconsole_panic(struct netconsole *console, bool interrupted);

#endif
