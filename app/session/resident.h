/* resident.h - a NIC under its family's resident driver, which stays when netdiag has ended. */
#ifndef APP_RESIDENT_H
#define APP_RESIDENT_H

#include "session.h"

/* Makes sure that the NIC's resident driver (e1000.efi, virtio-net.efi) holds it, with rings of options->ring
 * descriptors if that is not 0: loads it from netdiag's own volume if it is not resident, and takes the NIC from
 * another driver if options->take. Complains; EFI_ACCESS_DENIED when another driver holds the NIC, or takes it back at
 * once. */
EFI_STATUS resident_bind(const struct pci_nic *pci, const struct nic_options *options);

#endif
