/* defects.c - other people's products by name, and what is known of them. Pure C. */
#include "../../driver/lib/bytes.h"
#include "checks.h"

/* Measured here with Debian 12's iPXE and OVMF, and read in their sources: driver/NOTES.md. */
static const struct doctor_defect defects[] = {
    {"iPXE", "it opens the NIC exclusively, so no other driver gets it, and boots by its own rules and its own DHCP",
     "start without the card's ROM if the firmware's own network boot is wanted", 0},
    {"Virtio ", "it refuses frames of full size with a VLAN tag, 1518 bytes",
     "use virtio-net.efi where a VLAN is set in the firmware", 1},
};

#define RANDOMNESS "a processor with RDRAND, or QEMU's -device virtio-rng-pci"
const char *const doctor_randomness = RANDOMNESS;
const char *const doctor_wants_randomness = "none: the firmware has no source of random numbers, and newer ones start "
                                            "no network stack without one. Give it " RANDOMNESS;

const struct doctor_defect *doctor_find_defect(const char *driver) {
  for(size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
    if(text_begins(driver, defects[i].driver)) {
      return &defects[i];
    }
  }
  return NULL;
}
