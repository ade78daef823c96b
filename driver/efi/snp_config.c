/* snp_config.c - EFI_SIMPLE_NETWORK_PROTOCOL: filters, address, statistics, NVM (UEFI 2.10, 24.1.7 to 24.1.11). */
#include "snp.h"

#include <string.h>

/* Receive filters ------------------------------------------------------------------------------------------------ */

static UINT32 netdev_flags(UINT32 setting) {
  static const struct {
    UINT32 efi;
    UINT32 netdev;
  } pairs[] = {
      {EFI_SIMPLE_NETWORK_RECEIVE_UNICAST, NETDEV_FILTER_UNICAST},
      {EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST, NETDEV_FILTER_MULTICAST},
      {EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST, NETDEV_FILTER_BROADCAST},
      {EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS, NETDEV_FILTER_PROMISCUOUS},
      {EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST, NETDEV_FILTER_ALL_MULTICAST},
  };
  UINT32 flags = 0;
  for(UINTN i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
    flags |= setting & pairs[i].efi ? pairs[i].netdev : 0;
  }
  return flags;
}

/* A device that has gone receives nothing, which suits every filter. An error would keep the firmware's stack, which
 * switches its filters off first, from ever letting go of the device. */
static EFI_STATUS apply_filters(struct snp_device *snp, UINT32 setting, UINTN count, const EFI_MAC_ADDRESS *list) {
  UINT8 multicast[NETDEV_MAX_MULTICAST][NETDEV_MAC_LENGTH];
  for(UINTN i = 0; i < count; i++) {
    memcpy(multicast[i], list[i].Addr, NETDEV_MAC_LENGTH);
  }
  int result = netdev_set_filter(snp->nic.netdev, netdev_flags(setting), (const UINT8(*)[NETDEV_MAC_LENGTH])multicast,
                                 (UINT32)count);
  return result == NETDEV_E_GONE ? EFI_SUCCESS : efi_status_of(result);
}

static EFI_STATUS receive_filters(struct snp_device *snp, UINT32 enable, UINT32 disable, BOOLEAN reset_multicast,
                                  UINTN count, const EFI_MAC_ADDRESS *list) {
  EFI_SIMPLE_NETWORK_MODE *mode = &snp->mode;
  EFI_STATUS status = snp_require_initialized(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  if((enable | disable) & ~mode->ReceiveFilterMask) {
    return EFI_INVALID_PARAMETER;
  }
  if(!reset_multicast && count > mode->MaxMCastFilterCount) {
    return EFI_INVALID_PARAMETER;
  }
  if(reset_multicast) {
    disable |= EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST;
    count = 0;
  } else if((enable & EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST) && (count == 0 || !list)) {
    return EFI_INVALID_PARAMETER;
  }
  if(enable == 0 && disable == 0 && !reset_multicast && count == 0) {
    return EFI_SUCCESS;
  }
  UINT32 setting = (mode->ReceiveFilterSetting | enable) & ~disable;
  /* A call that names no list leaves the present one as it is. */
  BOOLEAN new_list = reset_multicast || (enable & EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST);
  if(!new_list) {
    count = mode->MCastFilterCount;
    list = mode->MCastFilter;
  }
  status = apply_filters(snp, setting, count, list);
  if(EFI_ERROR(status)) {
    return status;
  }
  mode->ReceiveFilterSetting = setting;
  mode->MCastFilterCount = (UINT32)count;
  if(new_list && count > 0) {
    memcpy(mode->MCastFilter, list, count * sizeof(EFI_MAC_ADDRESS));
  }
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI snp_receive_filters(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 enable, UINT32 disable,
                                      BOOLEAN reset_multicast, UINTN count, EFI_MAC_ADDRESS *list) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = receive_filters(snp, enable, disable, reset_multicast, count, list);
  efi_nic_unlock(tpl);
  return status;
}

/* Station address ------------------------------------------------------------------------------------------------ */

EFI_STATUS EFIAPI snp_station_address(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN reset, EFI_MAC_ADDRESS *address) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = snp_require_initialized(snp);
  if(!EFI_ERROR(status) && !reset && !address) {
    status = EFI_INVALID_PARAMETER;
  }
  if(!EFI_ERROR(status)) {
    const EFI_MAC_ADDRESS *wanted = reset ? &snp->mode.PermanentAddress : address;
    status = efi_status_of(netdev_set_mac(snp->nic.netdev, wanted->Addr));
    if(!EFI_ERROR(status)) {
      snp->mode.CurrentAddress = *wanted;
    }
  }
  efi_nic_unlock(tpl);
  return status;
}

/* Statistics ----------------------------------------------------------------------------------------------------- */

#define NOT_COUNTED UINT64_MAX /* what the specification wants where there is no counter */

/* A frame that arrives between the reading of two counters is in one and not yet in the other. */
static UINT64 rest(UINT64 all, UINT64 some, UINT64 others) {
  if(all == NETDEV_NOT_COUNTED || some == NETDEV_NOT_COUNTED || others == NETDEV_NOT_COUNTED) {
    return NOT_COUNTED;
  }
  return all > some + others ? all - some - others : 0;
}

/* The driver's own count where the device has none: of the frames that came through the filter, without FCS. */
static UINT64 counted(UINT64 by_device, UINT64 by_driver) {
  return by_device == NETDEV_NOT_COUNTED ? by_driver : by_device;
}

static void collect(struct snp_device *snp, EFI_NETWORK_STATISTICS_2 *all) {
  const struct netdev_stats *stats = netdev_get_stats(snp->nic.netdev);
  const struct netdev_wire_stats *wire = &stats->wire;
  EFI_NETWORK_STATISTICS *table = &all->First;
  memset(all, 0xFF, sizeof(*all)); /* duplicates, decryption and retries are a wireless NIC's to count */
  table->RxTotalFrames = counted(wire->rx_total_frames, stats->rx_frames + stats->rx_errors);
  table->RxGoodFrames = counted(wire->rx_good_frames, stats->rx_frames);
  table->RxUndersizeFrames = wire->rx_undersize_frames;
  table->RxOversizeFrames = wire->rx_oversize_frames;
  table->RxDroppedFrames = stats->rx_missed;
  table->RxBroadcastFrames = wire->rx_broadcast_frames;
  table->RxMulticastFrames = wire->rx_multicast_frames;
  table->RxUnicastFrames = rest(table->RxGoodFrames, table->RxBroadcastFrames, table->RxMulticastFrames);
  table->RxCrcErrorFrames = stats->rx_crc_errors;
  table->RxTotalBytes = counted(wire->rx_total_bytes, stats->rx_bytes);
  table->TxTotalFrames = counted(wire->tx_total_frames, stats->tx_frames);
  table->TxGoodFrames = counted(wire->tx_good_frames, stats->tx_frames);
  table->TxDroppedFrames = stats->tx_errors;
  table->TxBroadcastFrames = wire->tx_broadcast_frames;
  table->TxMulticastFrames = wire->tx_multicast_frames;
  table->TxUnicastFrames = rest(table->TxGoodFrames, table->TxBroadcastFrames, table->TxMulticastFrames);
  table->TxTotalBytes = counted(wire->tx_total_bytes, stats->tx_bytes);
  table->Collisions = stats->tx_collisions;
}

/* The counters run for ever; a reset is remembered, not written. */
static void subtract_baseline(EFI_NETWORK_STATISTICS_2 *table, const EFI_NETWORK_STATISTICS_2 *baseline) {
  UINT64 *value = (UINT64 *)table;
  const UINT64 *before = (const UINT64 *)baseline;
  for(UINTN i = 0; i < sizeof(*table) / sizeof(UINT64); i++) {
    if(value[i] != NOT_COUNTED) {
      value[i] = value[i] > before[i] ? value[i] - before[i] : 0;
    }
  }
}

static EFI_STATUS statistics(struct snp_device *snp, BOOLEAN reset, UINTN *size, EFI_NETWORK_STATISTICS *table) {
  EFI_NETWORK_STATISTICS_2 now;
  EFI_STATUS status = snp_require_initialized(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(table && !size) {
    return EFI_INVALID_PARAMETER;
  }
  collect(snp, &now);
  if(reset) {
    snp->baseline = now;
  }
  subtract_baseline(&now, &snp->baseline);
  if(!size) {
    return EFI_SUCCESS;
  }
  UINTN room = *size;
  *size = sizeof(now);
  if(table) {
    BS->CopyMem(table, &now, room < sizeof(now) ? room : sizeof(now)); /* gcc 14 sees no initialized `now` in memcpy */
  }
  return table && room >= sizeof(now) ? EFI_SUCCESS : EFI_BUFFER_TOO_SMALL;
}

EFI_STATUS EFIAPI snp_statistics(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN reset, UINTN *size,
                                 EFI_NETWORK_STATISTICS *table) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = statistics(snp, reset, size, table);
  efi_nic_unlock(tpl);
  return status;
}

/* Multicast addresses -------------------------------------------------------------------------------------------- */

EFI_STATUS EFIAPI snp_multicast_ip_to_mac(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN ipv6, EFI_IP_ADDRESS *ip,
                                          EFI_MAC_ADDRESS *mac) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = snp_require_initialized(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(!ip || !mac) {
    return EFI_INVALID_PARAMETER;
  }
  memset(mac, 0, sizeof(*mac));
  if(ipv6) {
    /* RFC 2464, 7: 33-33 and the last 32 bits */
    if(ip->v6.Addr[0] != 0xFF) {
      return EFI_INVALID_PARAMETER;
    }
    mac->Addr[0] = 0x33;
    mac->Addr[1] = 0x33;
    memcpy(&mac->Addr[2], &ip->v6.Addr[12], 4);
  } else {
    /* RFC 1112, 6.4: 01-00-5E and the last 23 bits */
    if((ip->v4.Addr[0] & 0xF0U) != 0xE0U) {
      return EFI_INVALID_PARAMETER;
    }
    mac->Addr[0] = 0x01;
    mac->Addr[2] = 0x5E;
    mac->Addr[3] = ip->v4.Addr[1] & 0x7FU;
    memcpy(&mac->Addr[4], &ip->v4.Addr[2], 2);
  }
  return EFI_SUCCESS;
}

/* NVM ------------------------------------------------------------------------------------------------------------ */

static EFI_STATUS nvdata(struct snp_device *snp, BOOLEAN read, UINTN offset, UINTN size, UINT8 *buffer) {
  EFI_STATUS status = snp_require_initialized(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  UINTN unit = snp->mode.NvRamAccessSize;
  if(unit == 0) {
    return EFI_UNSUPPORTED;
  }
  if(!buffer || size == 0 || offset % unit || size % unit || offset >= snp->mode.NvRamSize ||
     size > snp->mode.NvRamSize - offset) {
    return EFI_INVALID_PARAMETER;
  }
  if(!read) {
    return EFI_UNSUPPORTED; /* a wrong word can make the NIC useless: a boot driver does not write it */
  }
  for(UINTN i = 0; i < size; i += unit) {
    UINT16 word;
    int result = netdev_nvm_read(snp->nic.netdev, (UINT32)((offset + i) / unit), &word);
    if(result != NETDEV_OK) {
      return EFI_DEVICE_ERROR;
    }
    buffer[i] = (UINT8)word;
    buffer[i + 1] = (UINT8)(word >> 8);
  }
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI snp_nvdata(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN read, UINTN offset, UINTN size, VOID *buffer) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = nvdata(snp, read, offset, size, buffer);
  efi_nic_unlock(tpl);
  return status;
}
