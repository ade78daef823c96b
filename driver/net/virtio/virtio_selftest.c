/* virtio_selftest.c - does the device do what it should? Registers, features, queues, a command, link. */
#include "virtio_nic.h"

static void report(struct netdev_selftest *test, const char *name, const char *section, bool passed, uint32_t value) {
  test->run++;
  test->failed += !passed;
  test->section = section;
  if(test->report) {
    test->report(test->ctx, name, passed, value);
  }
}

/* The same of a check that moves data between device and memory. */
static void report_dma(struct netdev_selftest *test, const char *name, const char *section, bool passed,
                       uint32_t value) {
  test->dma = true;
  report(test, name, section, passed, value);
  test->dma = false;
}

/* queue_select is looked at only while queues are set up, so a running device does not notice. */
static void test_registers(struct virtio_net *nic, struct netdev_selftest *test) {
  uint32_t wrong = 0;
  uint16_t before = virtio_common_read16(&nic->pci, VIRTIO_QUEUE_SELECT);
  for(uint32_t i = 0; i < nic->queue_count; i++) {
    virtio_common_write16(&nic->pci, VIRTIO_QUEUE_SELECT, nic->queue[i].number);
    wrong += virtio_common_read16(&nic->pci, VIRTIO_QUEUE_SELECT) != i;
  }
  virtio_common_write16(&nic->pci, VIRTIO_QUEUE_SELECT, before);
  report(test, "registers: queue_select holds what is written", "4.1.4.3", wrong == 0, wrong);
  uint8_t status = virtio_status(&nic->pci);
  uint8_t want = nic->netdev.state == NETDEV_OPEN ? nic->status : 0;
  report(test, "registers: device_status is what it was made", "2.1", status == want, status);
}

static void test_features(struct virtio_net *nic, struct netdev_selftest *test) {
  /* Asked through a selector that a running driver does not use. */
  uint64_t offered = virtio_pci_offered(&nic->pci);
  report(test, "features: the device offers what was agreed on", "2.2", (offered & nic->features) == nic->features,
         (uint32_t)(nic->features & ~offered));
}

static uint64_t read_address(const struct virtio_net *nic, uint32_t offset) {
  return virtio_common_read32(&nic->pci, offset) | (uint64_t)virtio_common_read32(&nic->pci, offset + 4U) << 32;
}

static bool queue_is_placed(const struct virtio_net *nic, const struct virtq *queue) {
  virtio_common_write16(&nic->pci, VIRTIO_QUEUE_SELECT, queue->number);
  return virtio_common_read16(&nic->pci, VIRTIO_QUEUE_ENABLE) == 1U &&
         virtio_common_read16(&nic->pci, VIRTIO_QUEUE_SIZE) == queue->size &&
         read_address(nic, VIRTIO_QUEUE_DESC) == queue->descriptor_device &&
         read_address(nic, VIRTIO_QUEUE_DRIVER) == queue->available_device &&
         read_address(nic, VIRTIO_QUEUE_DEVICE) == queue->used_device;
}

static void test_queues(struct virtio_net *nic, struct netdev_selftest *test) {
  uint32_t misplaced = 0;
  uint32_t inconsistent = 0;
  for(uint32_t i = 0; i < nic->queue_count; i++) {
    const struct virtq *queue = &nic->queue[i];
    uint16_t ahead = (uint16_t)(queue->used->index - queue->taken);
    misplaced += !queue_is_placed(nic, queue);
    inconsistent += virtq_check(queue) != NULL || ahead > virtq_pending(queue);
  }
  report(test, "queues: the device holds the places it was given", "4.1.4.3", misplaced == 0, misplaced);
  report_dma(test, "queues: indices agree", "2.7", inconsistent == 0, inconsistent);
}

static void test_link(struct virtio_net *nic, struct netdev_selftest *test) {
  bool up = virtio_net_read_link(nic).up;
  /* A cable that is not there is no fault of the hardware's. */
  report(test, up ? "link: up" : "link: down", "5.1.4", true, up ? 1U : 0U);
}

/* There is nothing to loop frames back in, so `loopback` asks for nothing more, and nothing is closed for it. */
int virtio_net_selftest(struct netdev *dev, bool loopback, struct netdev_selftest *test) {
  struct virtio_net *nic = to_virtio(dev);
  (void)loopback;
  test->run = 0;
  test->failed = 0;
  test->dma = false;
  test_registers(nic, test);
  test_features(nic, test);
  if(dev->state == NETDEV_OPEN) {
    test_queues(nic, test);
    int result = virtio_net_command_again(nic);
    if(result != NETDEV_E_UNSUPPORTED) {
      report_dma(test, "control queue: a command is answered", "5.1.6.5", result == NETDEV_OK, (uint32_t)-result);
    }
  }
  test_link(nic, test);
  return NETDEV_OK;
}
