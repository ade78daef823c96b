/* wire.c - the other end of the wires: whoever sees what NICs send, and what is on its way to them. */
#include "programs_internal.h"

#include <stdlib.h>
#include <string.h>

struct end {
  struct node node;
  struct firmware_nic *nic;
  wire_peer peer;
  void *ctx;
};

struct flight {
  struct node node;
  struct firmware_nic *nic;
  UINT64 at_us;
  size_t length;
  UINT8 *frame;
};

struct diversion {
  struct node node;
  struct firmware_nic *nic;
  void (*take)(void *ctx, const UINT8 *frame, size_t length);
  void *ctx;
};

static struct node *ends;
static struct node *diversions;
static struct node *flights;

void wire_attach(struct firmware_nic *nic, wire_peer peer, void *ctx) {
  struct end *end = node_new(&ends, sizeof(*end));
  end->nic = nic;
  end->peer = peer;
  end->ctx = ctx;
}

void wire_send(struct firmware_nic *nic, UINT64 delay_us, const void *frame, size_t length) {
  struct flight *flight = node_new(&flights, sizeof(*flight));
  flight->nic = nic;
  flight->at_us = firmware.now_us + delay_us;
  flight->length = length;
  flight->frame = malloc(length);
  if(!flight->frame) {
    abort();
  }
  memcpy(flight->frame, frame, length);
}

UINTN wire_pending(void) {
  return node_count(flights);
}

UINT64 wire_next(void) {
  UINT64 next = UINT64_MAX;
  for(const struct node *node = flights; node; node = node->next) {
    UINT64 at = ((const struct flight *)node)->at_us;
    next = at < next ? at : next;
  }
  return next;
}

static void drop(struct flight *flight) {
  free(flight->frame);
  node_drop(&flights, flight);
}

/* What was sent since is seen once, and then forgotten by the simulator. */
static void look(void) {
  for(struct node *node = ends; node; node = node->next) {
    struct end *end = (struct end *)node;
    size_t count = firmware_frames(end->nic);
    for(size_t i = 0; i < count; i++) {
      size_t length;
      const uint8_t *frame = firmware_frame(end->nic, i, &length);
      end->peer(end->ctx, end->nic, frame, length);
    }
  }
  for(struct node *node = ends; node; node = node->next) { /* several may be on one wire */
    const struct end *end = (const struct end *)node;
    if(firmware_frames(end->nic) > 0) {
      firmware_forget_frames(end->nic);
    }
  }
}

/* The earliest; of those that are due at one time, the one sent first. */
static struct flight *due(void) {
  struct flight *first = NULL;
  for(struct node *node = flights; node; node = node->next) {
    struct flight *flight = (struct flight *)node;
    if(flight->at_us <= firmware.now_us && (!first || flight->at_us < first->at_us)) {
      first = flight;
    }
  }
  return first;
}

static struct diversion *diversion_of(const struct firmware_nic *nic) {
  for(struct node *node = diversions; node; node = node->next) {
    if(((struct diversion *)node)->nic == nic) {
      return (struct diversion *)node;
    }
  }
  return NULL;
}

void wire_move(void) {
  look();
  for(struct flight *flight; (flight = due()) != NULL; drop(flight)) {
    struct diversion *diversion = diversion_of(flight->nic);
    if(diversion) {
      diversion->take(diversion->ctx, flight->frame, flight->length);
    } else {
      (void)firmware_inject(flight->nic, flight->frame, flight->length);
    }
  }
}

void wire_divert(struct firmware_nic *nic, void (*take)(void *ctx, const UINT8 *frame, size_t length), void *ctx) {
  struct diversion *old = diversion_of(nic);
  if(old) {
    node_drop(&diversions, old);
  }
  if(take) {
    struct diversion *diversion = node_new(&diversions, sizeof(*diversion));
    diversion->nic = nic;
    diversion->take = take;
    diversion->ctx = ctx;
  }
}

void wire_emit(struct firmware_nic *nic, const UINT8 *frame, size_t length) {
  for(struct node *node = ends; node; node = node->next) {
    struct end *end = (struct end *)node;
    if(end->nic == nic) {
      end->peer(end->ctx, nic, frame, length);
    }
  }
}

void wire_end(void) {
  while(flights) {
    drop((struct flight *)flights);
  }
  while(ends) {
    node_drop(&ends, ends);
  }
  while(diversions) {
    node_drop(&diversions, diversions);
  }
}
