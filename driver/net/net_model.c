/* net_model.c - what create and adopt of every family begin with: the part, and memory for the device. */
#include "net_model.h"

const void *net_model_find(const void *models, size_t count, size_t stride, uint16_t vendor_id, uint16_t device_id) {
  for(size_t i = 0; i < count; i++) {
    const struct net_model *model = (const void *)((const uint8_t *)models + i * stride);
    if(model->vendor_id == vendor_id && model->device_id == device_id) {
      return model;
    }
  }
  return NULL;
}

int net_device_new(const struct net_platform *platform, const struct net_model *model, size_t size, void **out) {
  if(!platform || platform->version != NET_PLATFORM_VERSION || platform->size < sizeof(*platform)) {
    return NETDEV_E_INVALID;
  }
  if(!model) {
    return NETDEV_E_UNSUPPORTED;
  }
  void *memory = platform->alloc(platform->ctx, size);
  if(!memory) {
    return NETDEV_E_NO_MEMORY;
  }
  *out = memory;
  return NETDEV_OK;
}
