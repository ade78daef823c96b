/* irq.h - menios' interrupt registration. */
#ifndef MENIOS_STUB_IRQ_H
#define MENIOS_STUB_IRQ_H

#include <types.h>

struct irq_handle;

typedef struct {
  bool level_triggered;
  bool active_low;
} irq_config_t;

typedef bool (*irq_handler_fn)(void *ctx);

int irq_register(uint32_t irq, irq_handler_fn handler, void *ctx, const irq_config_t *config,
                 struct irq_handle **out_handle);
int irq_unregister(struct irq_handle *handle);

#endif
