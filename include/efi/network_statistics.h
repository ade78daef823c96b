/* network_statistics.h - EFI_NETWORK_STATISTICS as of UEFI 2.10, 24.1.8: gnu-efi's ends four counters earlier. */
#ifndef EFI_NETWORK_STATISTICS_H
#define EFI_NETWORK_STATISTICS_H

#include <efi.h>

typedef struct {
  EFI_NETWORK_STATISTICS First; /* up to UnsupportedProtocol */
  UINT64 RxDuplicatedFrames;
  UINT64 RxDecryptErrorFrames;
  UINT64 TxErrorFrames;
  UINT64 TxRetryFrames;
} EFI_NETWORK_STATISTICS_2;

#endif
