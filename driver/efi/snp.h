/* snp.h - EFI_SIMPLE_NETWORK_PROTOCOL (UEFI 2.10 section 24.1) on one controller, and everything on
 * its child handle. */
#ifndef EFI_SNP_H
#define EFI_SNP_H

#include "efi/adapter_information.h"
#include "efi/net_resident.h"
#include "efi/network_statistics.h"
#include "efi_nic.h"

#include <stddef.h>

/*
 * Buffers that Transmit took and GetStatus has not handed back yet, oldest first. Apart from the descriptor ring, and
 * larger: MNP collects its buffers only when it runs out of them, and a ring that waited for that would be full.
 */
#define SNP_RECYCLE_SIZE 1024U /* power of two */

struct snp_recycle {
  VOID *buffer[SNP_RECYCLE_SIZE];
  UINT32 head; /* free-running, as in a descriptor ring, and never reduced: see take_recycled in snp_io.c */
  UINT32 tail;
};

struct snp_device {
  UINT64 signature;
  NET_RESIDENT_PROTOCOL resident;
  struct resident_tap *taps;
  EFI_SIMPLE_NETWORK_PROTOCOL protocol;
  EFI_SIMPLE_NETWORK_MODE mode;
  EFI_ADAPTER_INFORMATION_PROTOCOL adapter_information;
  struct efi_nic nic;
  struct snp_recycle recycle;
  UINT64 no_link_since_us; /* when the link was lost, or the driver started without one    */
  BOOLEAN link_seen;       /* what the link was when it was last looked at                */
  UINT32 in_flight;        /* buffers in the descriptor ring                              */
  BOOLEAN tx_interrupt;    /* a transmission has finished since GetStatus was last asked  */
  EFI_HANDLE child;        /* carries protocol, adapter_information and device_path       */
  EFI_DEVICE_PATH *device_path;
  EFI_NETWORK_STATISTICS_2 baseline; /* what Statistics(Reset) subtracts                    */
  CHAR16 name[64];                   /* for ComponentName2                                  */
};

#define SNP_SIGNATURE 0x5032302E44524956ULL

/* Fills in protocol, mode and adapter information of a device whose nic is attached, and creates WaitForPacket.
 * TPL_CALLBACK or lower. */
EFI_STATUS snp_init(struct snp_device *snp);

/* Closes WaitForPacket. The protocol must have been uninstalled before. */
void snp_fini(struct snp_device *snp);

/* The device behind a protocol; NULL when it is none of ours, or no longer: boot services are left. */
static inline struct snp_device *snp_from_protocol(EFI_SIMPLE_NETWORK_PROTOCOL *protocol) {
  if(!protocol) {
    return NULL;
  }
  struct snp_device *snp = (struct snp_device *)((UINT8 *)protocol - offsetof(struct snp_device, protocol));
  return snp->signature == SNP_SIGNATURE && !snp->nic.exited ? snp : NULL;
}

/* EFI_SUCCESS when Initialized, EFI_NOT_STARTED when Stopped, EFI_DEVICE_ERROR when only Started: what most functions
 * answer (section 24.1). */
static inline EFI_STATUS snp_require_initialized(const struct snp_device *snp) {
  if(snp->mode.State == EfiSimpleNetworkInitialized) {
    return EFI_SUCCESS;
  }
  return snp->mode.State == EfiSimpleNetworkStarted ? EFI_DEVICE_ERROR : EFI_NOT_STARTED;
}

/* After the device could not be started again: Started, without media, heartbeat off. */
void snp_fail(struct snp_device *snp);

/* Takes over the link state that the heartbeat saw. */
void snp_update_media(struct snp_device *snp);

/* netdev_client.tx_done: puts the buffer into the recycle queue. */
void snp_tx_done(void *ctx, void *cookie, int status);

/* The protocol's functions, by file ------------------------------------------------------------------------------ */

/* snp_io.c */
EFI_STATUS EFIAPI snp_transmit(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN header_size, UINTN buffer_size, VOID *buffer,
                               EFI_MAC_ADDRESS *source, EFI_MAC_ADDRESS *destination, UINT16 *protocol);
EFI_STATUS EFIAPI snp_receive(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN *header_size, UINTN *buffer_size, VOID *buffer,
                              EFI_MAC_ADDRESS *source, EFI_MAC_ADDRESS *destination, UINT16 *protocol);
EFI_STATUS EFIAPI snp_get_status(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 *interrupt_status, VOID **buffer);
VOID EFIAPI snp_wait_for_packet(EFI_EVENT event, VOID *context);

/* snp_config.c */
EFI_STATUS EFIAPI snp_receive_filters(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 enable, UINT32 disable,
                                      BOOLEAN reset_multicast, UINTN count, EFI_MAC_ADDRESS *list);
EFI_STATUS EFIAPI snp_station_address(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN reset, EFI_MAC_ADDRESS *address);
EFI_STATUS EFIAPI snp_statistics(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN reset, UINTN *size,
                                 EFI_NETWORK_STATISTICS *table);
EFI_STATUS EFIAPI snp_multicast_ip_to_mac(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN ipv6, EFI_IP_ADDRESS *ip,
                                          EFI_MAC_ADDRESS *mac);
EFI_STATUS EFIAPI snp_nvdata(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN read, UINTN offset, UINTN size, VOID *buffer);

/* resident.c: what other images may ask of the device. resident_fini ends every tap that was left. */
void resident_init(struct snp_device *snp);
void resident_fini(struct snp_device *snp);

/* The device behind a protocol that this image has made; NULL for one of another image's. */
struct snp_device *snp_from_resident(NET_RESIDENT_PROTOCOL *protocol);

/* media.c */
void media_init(struct snp_device *snp);

/* The link was seen to be up or down: starts the clock of a loss. */
void media_note(struct snp_device *snp, BOOLEAN up);

#endif
