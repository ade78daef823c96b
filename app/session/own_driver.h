/* own_driver.h - netdiag's own UEFI driver on a NIC that nobody holds, for as long as a command needs the firmware's
 * network stack on it. */
#ifndef APP_OWN_DRIVER_H
#define APP_OWN_DRIVER_H

#include "../../driver/efi/pci.h"

/* Installs the driver and lets it and the firmware's stack start on the NIC. Complains; then nothing is left. */
EFI_STATUS own_driver_bind(const struct pci_nic *pci);

/* Takes it off every NIC. Comes back only when it is gone: its code goes when netdiag ends. */
void own_driver_unbind(void);

#endif
