/* handoff_producer.h - publishes running NICs in the EFI configuration table (include/net/HANDOFF.md). */
#ifndef EFI_HANDOFF_PRODUCER_H
#define EFI_HANDOFF_PRODUCER_H

#include "efi_nic.h"
#include "pci.h"

/* What is published under the handoff's GUID, whoever made it, or NULL. Not to be believed before
 * net_handoff_validate. */
const void *handoff_find(VOID);

/*
 * Adds a NIC that this driver holds to the published table, making and installing the table if there is none, or
 * changes how it will be left: `live` receiving, else quiet. `lease` may be NULL. What happens to the NIC until
 * ExitBootServices does not matter: then it is left as asked, by register writes alone. Nothing is changed, and the
 * result is EFI_UNSUPPORTED for a family that hands nothing over, EFI_INCOMPATIBLE_VERSION when what is published was
 * not made by this version of the driver, EFI_OUT_OF_RESOURCES when the table is full or there is no memory,
 * EFI_DEVICE_ERROR when the firmware does not say where the registers are. TPL_CALLBACK or lower.
 */
EFI_STATUS handoff_arm(struct efi_nic *nic, const struct pci_nic *pci, BOOLEAN live,
                       const struct net_handoff_lease *lease);

/* Withdraws the NIC; with the last one the table goes. Harmless for a NIC that is not armed. Part of efi_nic_detach. */
void handoff_disarm(struct efi_nic *nic);

/* Says in the table where what is booted came from and what was fetched (net_handoff_stage). EFI_NOT_STARTED when the
 * NIC is not armed, EFI_INVALID_PARAMETER when it is more than fits. */
EFI_STATUS handoff_stage(struct efi_nic *nic, const char *source, const struct net_handoff_payload *payloads,
                         UINTN count);

/* Leaves the NIC as its entry asks and fills the entry in. Inside ExitBootServices only. */
void handoff_finish(struct efi_nic *nic);

#endif
