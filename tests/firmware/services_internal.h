/* services_internal.h - services.h from the inside: one part a file. Private to tests/firmware. */
#ifndef FIRMWARE_SERVICES_INTERNAL_H
#define FIRMWARE_SERVICES_INTERNAL_H

#include "programs_internal.h"
#include "services.h"

/* A service binding on a NIC, and its children. */
struct service {
  struct node node;
  EFI_SERVICE_BINDING binding;
  EFI_HANDLE handle;
  const struct service_kind *kind;
  struct node *children; /* struct service_child first */
};

struct service_child {
  struct node node;
  struct service *service;
  EFI_HANDLE handle;
  VOID *protocol;
};

struct service_kind {
  const char *name;
  EFI_GUID binding;
  EFI_GUID protocol;
  size_t size;        /* of a child                               */
  size_t protocol_at; /* where in it its protocol is              */
  void (*init)(void *child);
  void (*fini)(void *child); /* whatever it waits for is forgotten       */
};

extern const struct service_kind mtftp4_kind;
extern const struct service_kind mtftp6_kind;
extern const struct service_kind http_kind;
extern const struct service_kind dns4_kind;
extern const struct service_kind dns6_kind;
extern const struct service_kind dhcp4_kind;

/* The server in use. */
extern struct server *server;

const struct served_file *served(const char *name);

/* Ends the program when a child's function is called with a protocol that is no child of this kind; else the child. */
void *child_of_service(const struct service_kind *kind, const void *protocol);

/* services_pxe.c */
void pxe_start_on(EFI_HANDLE handle);
void pxe_stop_on(EFI_HANDLE handle);
UINTN pxe_left(void);
void pxe_forget(void);

/* services_ip6.c */
void ip6_start_on(EFI_HANDLE handle);
void ip6_stop_on(EFI_HANDLE handle);
void ip6_forget(void);

/* services_disk.c */
void disks_begin(void);
void disks_end(void);
UINTN disks_left(void);

#endif
