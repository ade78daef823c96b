/* unit_efi.h - what the tests of the UEFI home share besides unit.h: a driver image and NICs in a fake firmware. */
#ifndef UNIT_EFI_H
#define UNIT_EFI_H

#include "binding.h"
#include "firmware.h"
#include "unit.h"

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table); /* driver_entry.c */

static const uint16_t unit_devices[] = {SIM_82540EM, SIM_82544GC, SIM_82545EM, SIM_82574L};
#define UNIT_DEVICES (sizeof(unit_devices) / sizeof(unit_devices[0]))

/* A driver that is loaded, and a NIC that it does not hold yet. */
struct unit_machine {
  EFI_HANDLE image;
  struct firmware_nic *nic;
};

static inline struct unit_machine unit_machine_with(const struct sim_config *config) {
  firmware_begin();
  struct unit_machine machine = {.nic = firmware_add_nic(config)};
  assert_int_equal(firmware_start_image(efi_main, &machine.image), EFI_SUCCESS);
  return machine;
}

static inline struct unit_machine unit_machine(uint16_t device_id) {
  const struct sim_config config = unit_config(device_id);
  return unit_machine_with(&config);
}

/* Nothing is left behind when the driver goes: firmware_end insists on it. */
static inline void unit_machine_end(const struct unit_machine *machine) {
  assert_int_equal(firmware_unload_image(machine->image), EFI_SUCCESS);
  firmware_end();
}

/* Ends the machine as it is; the driver's image forgets its devices with it. */
static inline void unit_power_off(void) {
  struct netdev *dev;
  while((dev = netdev_next(NULL)) != NULL) {
    dev->state = NETDEV_CLOSED;
    netdev_unregister(dev);
  }
  firmware_power_off();
}

static inline struct snp_device *unit_device(const struct firmware_nic *nic) {
  NET_RESIDENT_PROTOCOL *resident = firmware_interface(nic->handle, (EFI_GUID)NET_RESIDENT_PROTOCOL_GUID);
  return resident ? snp_from_resident(resident) : NULL;
}

/* The protocol on the child handle, as anybody finds it. */
static inline EFI_SIMPLE_NETWORK_PROTOCOL *unit_snp(const struct firmware_nic *nic) {
  return firmware_interface(unit_device(nic)->child, (EFI_GUID)EFI_SIMPLE_NETWORK_PROTOCOL_GUID);
}

/* A NIC that is bound and initialized, with unicast and broadcast let through. */
static inline EFI_SIMPLE_NETWORK_PROTOCOL *unit_open(const struct firmware_nic *nic) {
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(nic);
  assert_int_equal(snp->Start(snp), EFI_SUCCESS);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
  assert_int_equal(snp->ReceiveFilters(snp, 5, 0, FALSE, 0, NULL), EFI_SUCCESS);
  return snp;
}

#endif
