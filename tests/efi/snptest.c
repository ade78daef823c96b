/* snptest.c - calls every function of EFI_SIMPLE_NETWORK_PROTOCOL in every state, against the specification's return
 * codes (UEFI 2.10, 24.1). Runs on the first SNP that has a MAC node and nothing else above it (load -nc, connect). */
#include <string.h>

#include "efi/network_statistics.h"
#include "expect.h"

static EFI_SIMPLE_NETWORK_PROTOCOL *snp;

/* What all functions but Start, Stop and Initialize answer outside Initialized. */
static VOID expect_everywhere(EFI_STATUS wanted) {
  EFI_MAC_ADDRESS mac;
  EFI_IP_ADDRESS ip;
  UINT8 frame[64];
  UINTN size = sizeof(frame);
  UINT32 causes;
  memset(&mac, 0, sizeof(mac));
  memset(&ip, 0xFF, sizeof(ip));
  expect(L"Reset", snp->Reset(snp, FALSE), wanted);
  expect(L"Shutdown", snp->Shutdown(snp), wanted);
  expect(L"ReceiveFilters", snp->ReceiveFilters(snp, 1, 0, FALSE, 0, NULL), wanted);
  expect(L"StationAddress", snp->StationAddress(snp, TRUE, NULL), wanted);
  expect(L"Statistics", snp->Statistics(snp, FALSE, &size, NULL), wanted);
  expect(L"MCastIpToMac", snp->MCastIpToMac(snp, TRUE, &ip, &mac), wanted);
  expect(L"NvData", snp->NvData(snp, TRUE, 0, 2, frame), wanted);
  expect(L"GetStatus", snp->GetStatus(snp, &causes, NULL), wanted);
  expect(L"Transmit", snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), wanted);
  expect(L"Receive", snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), wanted);
}

static VOID test_null(VOID) {
  UINT32 causes;
  UINTN size = 64;
  UINT8 frame[64];
  expect(L"Start(NULL)", snp->Start(NULL), EFI_INVALID_PARAMETER);
  expect(L"Stop(NULL)", snp->Stop(NULL), EFI_INVALID_PARAMETER);
  expect(L"Initialize(NULL)", snp->Initialize(NULL, 0, 0), EFI_INVALID_PARAMETER);
  expect(L"Reset(NULL)", snp->Reset(NULL, FALSE), EFI_INVALID_PARAMETER);
  expect(L"Shutdown(NULL)", snp->Shutdown(NULL), EFI_INVALID_PARAMETER);
  expect(L"GetStatus(NULL)", snp->GetStatus(NULL, &causes, NULL), EFI_INVALID_PARAMETER);
  expect(L"Receive(NULL)", snp->Receive(NULL, NULL, &size, frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
}

static VOID test_states(VOID) {
  expect_everywhere(EFI_NOT_STARTED);
  expect(L"Stop when Stopped", snp->Stop(snp), EFI_NOT_STARTED);
  expect(L"Initialize when Stopped", snp->Initialize(snp, 0, 0), EFI_NOT_STARTED);
  expect(L"Start", snp->Start(snp), EFI_SUCCESS);
  expect_true(L"State is Started", snp->Mode->State == EfiSimpleNetworkStarted);
  expect(L"Start when Started", snp->Start(snp), EFI_ALREADY_STARTED);
  expect_everywhere(EFI_DEVICE_ERROR);
  expect(L"Initialize with extra buffers", snp->Initialize(snp, 4096, 0), EFI_UNSUPPORTED);
  expect(L"Initialize", snp->Initialize(snp, 0, 0), EFI_SUCCESS);
  expect_true(L"State is Initialized", snp->Mode->State == EfiSimpleNetworkInitialized);
  expect_true(L"media is present", snp->Mode->MediaPresent);
  expect(L"Initialize when Initialized", snp->Initialize(snp, 0, 0), EFI_DEVICE_ERROR);
  expect(L"Start when Initialized", snp->Start(snp), EFI_ALREADY_STARTED);
  expect(L"Stop when Initialized", snp->Stop(snp), EFI_DEVICE_ERROR);
}

static VOID test_mode(VOID) {
  const EFI_SIMPLE_NETWORK_MODE *mode = snp->Mode;
  expect_true(L"Mode sizes", mode->HwAddressSize == 6 && mode->MediaHeaderSize == 14 && mode->MaxPacketSize == 1500);
  expect_true(L"Mode type", mode->IfType == 1 && mode->MediaPresentSupported && mode->MacAddressChangeable);
  expect_true(L"Mode filters", mode->ReceiveFilterMask == 0x1F && mode->MaxMCastFilterCount <= MAX_MCAST_FILTER_CNT &&
                                   mode->ReceiveFilterSetting == 0);
}

static VOID test_filters(VOID) {
  EFI_MAC_ADDRESS list[MAX_MCAST_FILTER_CNT + 1];
  memset(list, 0, sizeof(list));
  for(UINTN i = 0; i < MAX_MCAST_FILTER_CNT + 1; i++) {
    list[i].Addr[0] = 0x01;
    list[i].Addr[5] = (UINT8)i;
  }
  expect(L"filter outside the mask", snp->ReceiveFilters(snp, 0x20, 0, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
  expect(L"disable outside the mask", snp->ReceiveFilters(snp, 0, 0x20, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
  expect(L"multicast without a list", snp->ReceiveFilters(snp, 2, 0, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
  expect(L"multicast with a null list", snp->ReceiveFilters(snp, 2, 0, FALSE, 1, NULL), EFI_INVALID_PARAMETER);
  expect(L"too long a list", snp->ReceiveFilters(snp, 2, 0, FALSE, MAX_MCAST_FILTER_CNT + 1, list),
         EFI_INVALID_PARAMETER);
  expect(L"nothing to change", snp->ReceiveFilters(snp, 0, 0, FALSE, 0, NULL), EFI_SUCCESS);
  expect(L"unicast, broadcast", snp->ReceiveFilters(snp, 5, 0, FALSE, 0, NULL), EFI_SUCCESS);
  expect_true(L"setting is 5", snp->Mode->ReceiveFilterSetting == 5);
  expect(L"multicast list", snp->ReceiveFilters(snp, 2, 0, FALSE, 3, list), EFI_SUCCESS);
  expect_true(L"list of 3", snp->Mode->ReceiveFilterSetting == 7 && snp->Mode->MCastFilterCount == 3 &&
                                memcmp(snp->Mode->MCastFilter, list, 3 * sizeof(list[0])) == 0);
  expect(L"disable wins", snp->ReceiveFilters(snp, 8, 8, FALSE, 0, NULL), EFI_SUCCESS);
  expect_true(L"list survives", snp->Mode->ReceiveFilterSetting == 7 && snp->Mode->MCastFilterCount == 3);
  expect(L"reset of the list", snp->ReceiveFilters(snp, 0, 0, TRUE, 0, NULL), EFI_SUCCESS);
  expect_true(L"list is empty", snp->Mode->ReceiveFilterSetting == 5 && snp->Mode->MCastFilterCount == 0);
  expect(L"promiscuous on", snp->ReceiveFilters(snp, 0x18, 0, FALSE, 0, NULL), EFI_SUCCESS);
  expect(L"promiscuous off", snp->ReceiveFilters(snp, 0, 0x18, FALSE, 0, NULL), EFI_SUCCESS);
  expect_true(L"setting is 5 again", snp->Mode->ReceiveFilterSetting == 5);
}

static VOID test_address(VOID) {
  EFI_MAC_ADDRESS mac = snp->Mode->PermanentAddress;
  expect(L"address NULL", snp->StationAddress(snp, FALSE, NULL), EFI_INVALID_PARAMETER);
  mac.Addr[0] |= 1;
  expect(L"address multicast", snp->StationAddress(snp, FALSE, &mac), EFI_INVALID_PARAMETER);
  mac = snp->Mode->PermanentAddress;
  mac.Addr[5] ^= 0x55;
  expect(L"address other", snp->StationAddress(snp, FALSE, &mac), EFI_SUCCESS);
  expect_true(L"address is current", memcmp(&snp->Mode->CurrentAddress, &mac, sizeof(mac)) == 0);
  expect(L"address reset", snp->StationAddress(snp, TRUE, NULL), EFI_SUCCESS);
  expect_true(L"address is permanent",
              memcmp(&snp->Mode->CurrentAddress, &snp->Mode->PermanentAddress, sizeof(mac)) == 0);
}

static VOID test_statistics(VOID) {
  EFI_NETWORK_STATISTICS_2 first;
  EFI_NETWORK_STATISTICS_2 second;
  UINTN size = 0;
  expect(L"statistics without a size", snp->Statistics(snp, FALSE, NULL, &first.First), EFI_INVALID_PARAMETER);
  expect(L"statistics without a table", snp->Statistics(snp, FALSE, &size, NULL), EFI_BUFFER_TOO_SMALL);
  expect_true(L"size is told", size == sizeof(first));
  size = 8;
  memset(&first, 0xEE, sizeof(first));
  expect(L"statistics cut short", snp->Statistics(snp, FALSE, &size, &first.First), EFI_BUFFER_TOO_SMALL);
  expect_true(L"only what fits", first.First.RxGoodFrames == 0xEEEEEEEEEEEEEEEEULL);
  size = sizeof(first);
  expect(L"statistics with reset", snp->Statistics(snp, TRUE, &size, &first.First), EFI_SUCCESS);
  expect_true(L"zero after reset",
              first.First.TxTotalFrames == 0 && first.First.RxTotalFrames == 0 && first.First.TxTotalBytes == 0);
  size = sizeof(first);
  expect(L"statistics once", snp->Statistics(snp, FALSE, &size, &first.First), EFI_SUCCESS);
  expect(L"statistics twice", snp->Statistics(snp, FALSE, &size, &second.First), EFI_SUCCESS);
  expect_true(L"same without traffic", memcmp(&first, &second, sizeof(first)) == 0);
}

static VOID test_multicast(VOID) {
  EFI_MAC_ADDRESS mac;
  EFI_IP_ADDRESS ip;
  static const UINT8 mac4[] = {0x01, 0x00, 0x5E, 0x7F, 0x02, 0x03};
  static const UINT8 mac6[] = {0x33, 0x33, 0xAA, 0xBB, 0xCC, 0xDD};
  memset(&ip, 0, sizeof(ip));
  ip.v4.Addr[0] = 239;
  ip.v4.Addr[1] = 255;
  ip.v4.Addr[2] = 2;
  ip.v4.Addr[3] = 3;
  expect(L"IPv4 multicast", snp->MCastIpToMac(snp, FALSE, &ip, &mac), EFI_SUCCESS);
  expect_true(L"01-00-5E and 23 bits", memcmp(mac.Addr, mac4, 6) == 0);
  ip.v4.Addr[0] = 192;
  expect(L"IPv4 unicast", snp->MCastIpToMac(snp, FALSE, &ip, &mac), EFI_INVALID_PARAMETER);
  memset(&ip, 0, sizeof(ip));
  ip.v6.Addr[0] = 0xFF;
  ip.v6.Addr[12] = 0xAA;
  ip.v6.Addr[13] = 0xBB;
  ip.v6.Addr[14] = 0xCC;
  ip.v6.Addr[15] = 0xDD;
  expect(L"IPv6 multicast", snp->MCastIpToMac(snp, TRUE, &ip, &mac), EFI_SUCCESS);
  expect_true(L"33-33 and 32 bits", memcmp(mac.Addr, mac6, 6) == 0);
  ip.v6.Addr[0] = 0xFE;
  expect(L"IPv6 unicast", snp->MCastIpToMac(snp, TRUE, &ip, &mac), EFI_INVALID_PARAMETER);
  expect(L"no IP", snp->MCastIpToMac(snp, TRUE, NULL, &mac), EFI_INVALID_PARAMETER);
  expect(L"no MAC", snp->MCastIpToMac(snp, TRUE, &ip, NULL), EFI_INVALID_PARAMETER);
}

static VOID test_nvdata(VOID) {
  UINT16 words[64];
  UINT16 sum = 0;
  if(snp->Mode->NvRamSize == 0) { /* a part without one */
    expect_true(L"no access size", snp->Mode->NvRamAccessSize == 0);
    expect(L"no NVM to read", snp->NvData(snp, TRUE, 0, 2, words), EFI_UNSUPPORTED);
    expect(L"no NVM to write", snp->NvData(snp, FALSE, 0, 2, words), EFI_UNSUPPORTED);
    return;
  }
  expect(L"NVM whole", snp->NvData(snp, TRUE, 0, sizeof(words), words), EFI_SUCCESS);
  for(UINTN i = 0; i < 64; i++) {
    sum = (UINT16)(sum + words[i]);
  }
  expect_true(L"NVM checksum", sum == 0xBABA);
  expect_true(L"NVM address", memcmp(words, snp->Mode->PermanentAddress.Addr, 6) == 0);
  expect(L"NVM odd offset", snp->NvData(snp, TRUE, 1, 2, words), EFI_INVALID_PARAMETER);
  expect(L"NVM odd size", snp->NvData(snp, TRUE, 0, 3, words), EFI_INVALID_PARAMETER);
  expect(L"NVM beyond", snp->NvData(snp, TRUE, 126, 4, words), EFI_INVALID_PARAMETER);
  expect(L"NVM no buffer", snp->NvData(snp, TRUE, 0, 2, NULL), EFI_INVALID_PARAMETER);
  expect(L"NVM write", snp->NvData(snp, FALSE, 0, 2, words), EFI_UNSUPPORTED);
}

/* Some models send within the register write, others a little later, so that a ring may be full for a moment: then
 * again, up to a bound that only a transmitter that has stopped reaches. */
#define PATIENCE 1000000U

static EFI_STATUS transmit_when_ready(VOID *frame, EFI_MAC_ADDRESS *destination, UINT16 *type) {
  EFI_STATUS status = EFI_NOT_READY;
  for(UINTN i = 0; i < PATIENCE && status == EFI_NOT_READY; i++) {
    status = snp->Transmit(snp, 14, 64, frame, NULL, destination, type);
  }
  return status;
}

/* Every buffer comes back exactly once, in whatever order. */
static VOID test_transmit(VOID) {
  static UINT8 frames[300][64];
  UINT8 back[300];
  UINT16 type = 0x88B5;
  UINTN sent = 0;
  UINTN returned = 0;
  VOID *buffer = NULL;
  EFI_MAC_ADDRESS destination = snp->Mode->BroadcastAddress;
  memset(frames, 0, sizeof(frames));
  memset(back, 0, sizeof(back));
  expect(L"transmit NULL", snp->Transmit(snp, 0, 64, NULL, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  expect(L"transmit 13 bytes", snp->Transmit(snp, 0, 13, frames[0], NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
  expect(L"transmit 1519 bytes", snp->Transmit(snp, 0, 1519, frames[0], NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  expect(L"header of 13", snp->Transmit(snp, 13, 64, frames[0], NULL, &destination, &type), EFI_INVALID_PARAMETER);
  expect(L"header, no address", snp->Transmit(snp, 14, 64, frames[0], NULL, NULL, &type), EFI_INVALID_PARAMETER);
  expect(L"header, no type", snp->Transmit(snp, 14, 64, frames[0], NULL, &destination, NULL), EFI_INVALID_PARAMETER);
  for(UINTN i = 0; i < 300; i++) {
    sent += transmit_when_ready(frames[i], &destination, &type) == EFI_SUCCESS;
  }
  expect_true(L"300 frames sent without one GetStatus", sent == 300);
  expect_true(L"header is filled in", frames[0][0] == 0xFF && frames[0][12] == 0x88 && frames[0][13] == 0xB5 &&
                                          memcmp(&frames[0][6], snp->Mode->CurrentAddress.Addr, 6) == 0);
  for(UINTN i = 0; i < 1000 || (returned < 300 && i < PATIENCE); i++) {
    EFI_STATUS status = snp->GetStatus(snp, NULL, &buffer);
    if(i < 1000 || EFI_ERROR(status)) {
      expect(L"GetStatus", status, EFI_SUCCESS);
    }
    if(buffer) {
      UINTN index = (UINTN)((UINT8 *)buffer - frames[0]) / sizeof(frames[0]);
      returned += index < 300 && back[index]++ == 0;
    }
  }
  expect(L"GetStatus after the last", snp->GetStatus(snp, NULL, &buffer), EFI_SUCCESS);
  expect_true(L"300 buffers come back once each", returned == 300 && !buffer);
  /* Nobody collects: after so many there must be an honest refusal, and everything must still come back. */
  for(sent = 0; sent < 5000 && transmit_when_ready(frames[0], &destination, &type) == EFI_SUCCESS; sent++) {
  }
  expect(L"refusal", snp->Transmit(snp, 14, 64, frames[0], NULL, &destination, &type), EFI_NOT_READY);
  returned = 0;
  for(UINTN i = 0; i < PATIENCE && returned < sent; i++) {
    returned += snp->GetStatus(snp, NULL, &buffer) == EFI_SUCCESS && buffer;
  }
  expect(L"GetStatus at the end", snp->GetStatus(snp, NULL, &buffer), EFI_SUCCESS);
  expect_true(L"all come back", sent == returned && !buffer && sent >= 64);
  expect(L"room again", transmit_when_ready(frames[0], &destination, &type), EFI_SUCCESS);
  expect(L"Reset", snp->Reset(snp, TRUE), EFI_SUCCESS);
  expect(L"GetStatus after Reset", snp->GetStatus(snp, NULL, &buffer), EFI_SUCCESS);
  expect_true(L"what was being sent comes back", buffer == frames[0]);
}

static VOID test_receive(VOID) {
  UINT8 frame[1600];
  UINTN size = sizeof(frame);
  expect(L"receive NULL", snp->Receive(snp, NULL, &size, NULL, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  expect(L"receive without size", snp->Receive(snp, NULL, NULL, frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  while(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL) == EFI_SUCCESS) {
    size = sizeof(frame);
  }
  expect(L"nothing waits", snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_NOT_READY);
  expect(L"event not signalled", BS->CheckEvent(snp->WaitForPacket), EFI_NOT_READY);
}

/* An ARP request to QEMU's gateway brings a frame: it waits, survives a buffer that is too small, and comes whole. */
static VOID test_arp(VOID) {
  static UINT8 request[60] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
  static const UINT8 own_ip[] = {10, 0, 2, 15};
  static const UINT8 gateway[] = {10, 0, 2, 2};
  UINT8 frame[1600];
  UINTN header = 0;
  UINTN size = 20;
  UINT16 type = 0;
  UINT32 causes = 0;
  EFI_MAC_ADDRESS source;
  EFI_MAC_ADDRESS destination;
  memcpy(&request[6], snp->Mode->CurrentAddress.Addr, 6);
  memcpy(&request[22], snp->Mode->CurrentAddress.Addr, 6);
  memcpy(&request[28], own_ip, 4);
  memcpy(&request[38], gateway, 4);
  expect(L"ARP sent", snp->Transmit(snp, 0, sizeof(request), request, NULL, NULL, NULL), EFI_SUCCESS);
  for(UINTN i = 0; i < 60000 && BS->CheckEvent(snp->WaitForPacket) != EFI_SUCCESS; i++) {
    BS->Stall(10000);
  }
  expect(L"status", snp->GetStatus(snp, &causes, NULL), EFI_SUCCESS);
  expect_true(L"receive and transmit are told", causes == 3);
  expect(L"status again", snp->GetStatus(snp, &causes, NULL), EFI_SUCCESS);
  expect_true(L"transmit is told once", causes == 1);
  expect(L"too small", snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
  expect_true(L"needed size is told", size >= 42 && size <= 64);
  expect(L"frame is kept", snp->Receive(snp, &header, &size, frame, &source, &destination, &type), EFI_SUCCESS);
  expect_true(L"it is the answer", header == 14 && type == 0x0806 && frame[21] == 2 &&
                                       memcmp(&frame[28], gateway, 4) == 0 &&
                                       memcmp(destination.Addr, snp->Mode->CurrentAddress.Addr, 6) == 0 &&
                                       memcmp(source.Addr, &frame[6], 6) == 0);
}

static EFI_STATUS find(VOID) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  return BS->LocateProtocol(&guid, NULL, (VOID **)&snp);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  InitializeLib(image, system_table);
  if(EFI_ERROR(find())) {
    Print(L"snptest: no simple network protocol\n");
    return EFI_NOT_FOUND;
  }
  test_null();
  test_states();
  test_mode();
  test_filters();
  test_address();
  test_statistics();
  test_multicast();
  test_nvdata();
  test_transmit();
  test_receive();
  test_arp();
  expect(L"Shutdown", snp->Shutdown(snp), EFI_SUCCESS);
  expect_everywhere(EFI_DEVICE_ERROR);
  expect(L"Stop", snp->Stop(snp), EFI_SUCCESS);
  expect_everywhere(EFI_NOT_STARTED);
  Print(L"snptest: %d passed, %d failed\n", (INT32)passed, (INT32)failed);
  return failed ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}
