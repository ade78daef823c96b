/* internal.h - the fake firmware from the inside. Private to tests/firmware. */
#ifndef FIRMWARE_INTERNAL_H
#define FIRMWARE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "firmware.h"

#define TABLES 8U

/* Everything that is handed out is a node of its own on the heap, so that a stale pointer is found out. */
struct node {
  struct node *next;
};

struct open {
  struct node node;
  EFI_HANDLE agent;
  EFI_HANDLE controller;
  UINT32 attributes;
};

struct protocol {
  struct node node;
  EFI_GUID guid;
  VOID *interface;
  struct node *opens;
};

struct handle {
  struct node node;
  struct node *protocols;
};

struct event {
  struct node node;
  UINT32 type;
  EFI_TPL tpl;
  EFI_EVENT_NOTIFY notify;
  VOID *context;
  EFI_GUID group;
  bool signalled;
  bool queued; /* its notification is due */
  UINT64 due_us;
  UINT64 period_us;
};

struct memory {
  struct node node;
  VOID *start;
  UINTN size;
  EFI_MEMORY_TYPE type; /* of pages and of what a device reaches */
};

struct mapping {
  struct node node;
  struct firmware_nic *nic;
  struct memory *buffer;
  UINT64 device;
};

struct firmware {
  EFI_BOOT_SERVICES boot;
  EFI_RUNTIME_SERVICES runtime;
  EFI_SYSTEM_TABLE system;
  EFI_CONFIGURATION_TABLE tables[TABLES];
  struct node *handles;
  struct node *events;
  struct node *pool;
  struct node *pages;
  struct node *buffers;
  struct node *mappings;
  struct firmware_nic *nics;
  EFI_TPL tpl;
  bool exiting; /* inside or after ExitBootServices */
  UINT64 now_us;
  UINT64 tsc_hz; /* what the processor says of its counter */
  UINTN stalls;
  UINTN stall_late_every;
  UINT64 next_device[2]; /* device addresses below and above 4 GiB */
  const void *variable;
  UINTN variable_size;
  UINTN calls;
  UINTN fail_at;
  const char *fail_name;
  UINTN fail_nth; /* of the calls with that name since then, */
  UINTN fail_count;
  UINTN named; /* which these were                       */
  bool shorten;
  const char *failed;
};

extern struct firmware firmware;

/* Ends the program with a line on stderr. */
_Noreturn void firmware_abort(const char *text, const void *what);

/* At the top of every service: aborts inside ExitBootServices, and above `highest`. */
void check_service(const char *name, EFI_TPL highest);

/* The same for a service that may fail; true when this call is the one that has to. */
bool fails(const char *name, EFI_TPL highest);

static inline bool same_guid(const EFI_GUID *left, const EFI_GUID *right) {
  return memcmp(left, right, sizeof(*left)) == 0;
}

/* firmware.c */
void drop_image(EFI_HANDLE handle);

/* Lists */
void *node_new(struct node **list, size_t size);
bool node_is_on(const struct node *list, const void *node);
void node_drop(struct node **list, void *node);
UINTN node_count(const struct node *list);

/* handles.c */
void handles_init(EFI_BOOT_SERVICES *services);
void handles_free(void);
EFI_STATUS install_protocol(EFI_HANDLE *handle, const EFI_GUID *guid, VOID *interface);
EFI_STATUS uninstall_protocol(EFI_HANDLE handle, const EFI_GUID *guid, VOID *interface);

/* connect.c */
void connect_init(EFI_BOOT_SERVICES *services);

/* events.c */
void events_init(EFI_BOOT_SERVICES *services);
void advance(UINT64 us);
UINTN overshoot(UINTN us);
void expire_timers(void);
EFI_STATUS make_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function, const VOID *context, const EFI_GUID *group,
                      EFI_EVENT *out);

/* clock.c */
void clock_pass(UINT64 us);
void clock_read(void);

/* memory.c */
void memory_init(EFI_BOOT_SERVICES *services);
void memory_free(void);
VOID *pool_new(UINTN size);
void check_tables(void);
struct memory *find_memory(struct node *list, const VOID *start);

/* registers.c: functions of PciIo */
EFI_STATUS EFIAPI mem_read(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar, UINT64 offset,
                           UINTN count, VOID *buffer);
EFI_STATUS EFIAPI mem_write(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar, UINT64 offset,
                            UINTN count, VOID *buffer);
EFI_STATUS EFIAPI io_write(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar, UINT64 offset,
                           UINTN count, VOID *buffer);

/* pciio.c */
struct firmware_nic *nic_behind(EFI_PCI_IO_PROTOCOL *this);
/* At the end of the bus, which has nothing but NICs; *number is how many came before. Then to be filled in, and
 * published: the handle with PciIo and a device path, and decoding off. */
struct firmware_nic *nic_new(UINTN *number);
void nic_publish(struct firmware_nic *nic);
void nics_free(void);
void check_mappings(void);

#endif
