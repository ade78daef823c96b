/* plain_bus.h - what the two halves of the plain glue share. */
#ifndef KERNEL_PLAIN_BUS_H
#define KERNEL_PLAIN_BUS_H

#include "plain.h"

/* net_platform.config_read and config_write of a struct plain_nic. */
uint32_t plain_config_read(void *ctx, uint32_t offset, uint32_t width);
void plain_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value);

/* Fills in nic->platform, but for the BARs. */
void plain_platform(struct plain_nic *nic);

/* What plain_begin was given. */
const struct plain_host *plain_host(void);

#endif
