/* machine.c - what a diagnosis sees without sending a frame: driver, memory, NVM, PHY, the firmware's stack and its
 * boot options. */
#include "doctor.h"

#include <string.h>

#include "../../driver/lib/format.h"
#include "../session/below.h"
#include "../session/stack.h"
#include "../stage/fetch.h"
#include "boot_option.h"
#include "finding.h"
#include "efi/ip4_config2.h"
#include "efi/managed_network.h"
#include "efi/http.h"
#include "efi/mtftp.h"

#define COMMAND_REGISTER   0x04U /* PCI 3.0, 6.2.2 */
#define COMMAND_BUS_MASTER 0x04U
#define OPTIONS_MAX        256U
#define OPTION_SIZE        2048U

static enum doctor_answer answer(bool yes) {
  return yes ? DOCTOR_YES : DOCTOR_NO;
}

/* Driver --------------------------------------------------------------------------------------------------------- */

/* The PCI bus driver loads an option ROM's image from RelativeOffsetRange() behind the device (UEFI 2.10, 10.3.5.8). */
static bool is_from_rom(EFI_HANDLE agent) {
  EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
  EFI_GUID binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
  EFI_DRIVER_BINDING_PROTOCOL *binding;
  EFI_LOADED_IMAGE *image;
  if(!EFI_ERROR(BS->HandleProtocol(agent, &binding_guid, (VOID **)&binding)) && binding->ImageHandle) {
    agent = binding->ImageHandle;
  }
  if(EFI_ERROR(BS->HandleProtocol(agent, &image_guid, (VOID **)&image)) || !image->FilePath) {
    return false;
  }
  for(EFI_DEVICE_PATH *node = image->FilePath; !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
    if(DevicePathType(node) == MEDIA_DEVICE_PATH && DevicePathSubType(node) == MEDIA_RELATIVE_OFFSET_RANGE_DP) {
      return true;
    }
  }
  return false;
}

void doctor_see_driver(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  const struct pci_nic *pci = &doctor->pci;
  EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  struct below list[BELOW_MAX];
  char text[DOCTOR_NAME_SIZE];
  const char *model = pci_model_name(pci);
  EFI_HANDLE holder = pci_find_holder(pci->handle);
  (void)format_into(evidence->nic, DOCTOR_NAME_SIZE, "%s", nic_name(pci, text));
  (void)format_into(evidence->model, DOCTOR_NAME_SIZE, "%s", model ? model : "network controller");
  (void)format_into(evidence->location, DOCTOR_NAME_SIZE, "%s", location_text(pci, text));
  evidence->vendor_id = pci->vendor_id;
  evidence->device_id = pci->device_id;
  evidence->supported = answer(model != NULL);
  if(model) {
    (void)format_into(evidence->driver_file, DOCTOR_NAME_SIZE, "%s.efi", pci_driver_name(pci));
  }
  if(holder) {
    evidence->lent = answer(doctor->options->nic.take);
    pci_holder_name(holder, evidence->holder_name, sizeof(evidence->holder_name));
    evidence->holder = remote_find(pci->handle) ? DOCTOR_OURS : DOCTOR_FOREIGN;
    evidence->option_rom = answer(is_from_rom(holder));
    evidence->holder_snp = answer(below_find(pci->handle, &snp_guid, list, BELOW_MAX) > 0);
  }
}

/* Another NIC of this machine with the same station address. */
void doctor_see_twin(struct doctor *doctor) {
  struct pci_nic *list;
  UINTN count;
  char name[NIC_NAME_SIZE];
  if(doctor->evidence.mac_seen != DOCTOR_YES || EFI_ERROR(pci_find_nics(&list, &count))) {
    return;
  }
  for(UINTN i = 0; i < count; i++) {
    struct nic_sight sight;
    session_look(&list[i], &sight);
    if(list[i].handle != doctor->pci.handle && sight.has_mac &&
       memcmp(sight.mac, doctor->evidence.mac, sizeof(sight.mac)) == 0) {
      (void)format_into(doctor->evidence.mac_twin, DOCTOR_NAME_SIZE, "%s", nic_name(&list[i], name));
    }
  }
  if(list) {
    BS->FreePool(list);
  }
}

/* Memory --------------------------------------------------------------------------------------------------------- */

/* Bus mastering is looked at while somebody drives the NIC: a free one has none, and needs none. */
void doctor_see_memory(struct doctor *doctor) {
  const struct net_model *model = NULL;
  EFI_PCI_IO_PROTOCOL *pci_io = doctor->pci.pci_io;
  UINT16 command;
  fetch_free_memory(&doctor->evidence.free_bytes, &doctor->evidence.largest_bytes);
  doctor->evidence.dma_bits = pci_find_driver(&doctor->pci, &model) && model ? model->dma_bits : 0;
  if((doctor->session.nic.agent || doctor->evidence.holder != DOCTOR_NOBODY) &&
     !EFI_ERROR(pci_io->Pci.Read(pci_io, EfiPciIoWidthUint16, COMMAND_REGISTER, 1, &command))) {
    doctor->evidence.bus_master = answer((command & COMMAND_BUS_MASTER) != 0);
  }
}

/* Rows ----------------------------------------------------------------------------------------------------------- */

static void note_nvm(void *ctx, const struct netdev_row *row) {
  struct doctor_evidence *evidence = ctx;
  if(row->count == 1) { /* the words are an array; this is their sum */
    evidence->nvm_sum = (uint32_t)row->value;
    evidence->nvm_good = row->failed ? DOCTOR_UNASKED : answer(!row->wrong);
  }
}

void doctor_see_nvm(struct doctor *doctor) {
  struct netdev *dev = doctor->session.netdev;
  if(dev) {
    doctor->evidence.nvm = answer(dev->nvm_words > 0);
    (void)netdev_inspect(dev, NETDEV_ROWS_NVM, note_nvm, &doctor->evidence);
  }
}

/* Clause 22 registers (IEEE 802.3, 22.2.4; 40.5.1.1 for those of 1000BASE-T) */
#define PHY_STATUS        1U
#define PHY_PARTNER       5U
#define PHY_EXPANSION     6U
#define PHY_GIGABIT       10U
#define PHY_LAST          10U
#define STATUS_NEGOTIATED (1U << 5)
#define EXPANSION_PARTNER (1U << 0) /* negotiates */

struct partner {
  uint16_t value[PHY_LAST + 1U];
  bool seen;
};

static void note_phy(void *ctx, const struct netdev_row *row) {
  struct partner *partner = ctx;
  if(row->offset <= PHY_LAST && !row->failed) {
    partner->value[row->offset] = (uint16_t)row->value;
    partner->seen = true;
  }
}

void doctor_see_partner(struct doctor *doctor) {
  static const struct {
    uint8_t offset;
    uint8_t bit;
    const char *name;
  } abilities[] = {
      {PHY_PARTNER, 5, "10"},    {PHY_PARTNER, 6, "10FD"},  {PHY_PARTNER, 7, "100"},
      {PHY_PARTNER, 8, "100FD"}, {PHY_GIGABIT, 10, "1000"}, {PHY_GIGABIT, 11, "1000FD"},
  };
  struct doctor_evidence *evidence = &doctor->evidence;
  struct netdev *dev = doctor->session.netdev;
  struct partner partner = {.seen = false};
  if(!dev || netdev_inspect(dev, NETDEV_ROWS_PHY, note_phy, &partner) != NETDEV_OK || !partner.seen) {
    return;
  }
  bool negotiates = partner.value[PHY_STATUS] & STATUS_NEGOTIATED || partner.value[PHY_EXPANSION] & EXPANSION_PARTNER;
  evidence->partner_negotiates = answer(negotiates);
  evidence->partner_offers[0] = '\0';
  for(UINTN i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++) {
    if(partner.value[abilities[i].offset] & 1U << abilities[i].bit) {
      doctor_append(evidence->partner_offers, sizeof(evidence->partner_offers), "%s%s",
                    evidence->partner_offers[0] ? " " : "", abilities[i].name);
    }
  }
}

/* The firmware ----------------------------------------------------------------------------------------------------- */

/* Whether a handle with this protocol lies anywhere below the NIC: PXE's are two nodes further down. */
static enum doctor_answer has_below(const struct doctor *doctor, EFI_GUID guid) {
  EFI_DEVICE_PATH *start = DevicePathFromHandle(doctor->pci.handle);
  EFI_HANDLE *handles;
  UINTN count;
  bool found = false;
  if(!start || EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
    return DOCTOR_NO;
  }
  for(UINTN i = 0; i < count && !found; i++) {
    EFI_DEVICE_PATH *path = DevicePathFromHandle(handles[i]);
    found = path && below_path(start, path);
  }
  BS->FreePool((VOID *)handles);
  return answer(found);
}

void doctor_see_stack(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  evidence->rng = answer(stack_has_randomness());
  if(!pci_find_holder(doctor->pci.handle)) {
    return;
  }
  evidence->stack_seen = DOCTOR_YES;
  evidence->stack_idle = answer(stack_look(&doctor->pci) == STACK_IDLE);
  evidence->stack_mnp = has_below(doctor, (EFI_GUID)EFI_MANAGED_NETWORK_SERVICE_BINDING_PROTOCOL_GUID);
  evidence->stack_ip4 = has_below(doctor, (EFI_GUID)EFI_IP4_CONFIG2_PROTOCOL_GUID);
  evidence->stack_tftp = has_below(doctor, (EFI_GUID)EFI_MTFTP4_SERVICE_BINDING_PROTOCOL_GUID);
  evidence->stack_pxe = has_below(doctor, (EFI_GUID)EFI_PXE_BASE_CODE_PROTOCOL_GUID);
  evidence->stack_http = has_below(doctor, (EFI_GUID)EFI_HTTP_SERVICE_BINDING_PROTOCOL_GUID);
}

/* "Boot" and the number in four hexadecimal digits (UEFI 2.10, 3.3). */
static UINTN read_option(UINT16 number, UINT8 option[OPTION_SIZE]) {
  EFI_GUID global = EFI_GLOBAL_VARIABLE;
  CHAR16 name[] = L"Boot0000";
  UINTN size = OPTION_SIZE;
  for(UINTN i = 0; i < 4; i++) {
    name[4 + i] = (CHAR16) "0123456789ABCDEF"[(UINT32)number >> (12U - 4U * i) & 15U];
  }
  return EFI_ERROR(RT->GetVariable(name, &global, NULL, &size, option)) ? 0 : size;
}

void doctor_see_boot_order(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  EFI_GUID global = EFI_GLOBAL_VARIABLE;
  UINT16 order[OPTIONS_MAX];
  UINT8 option[OPTION_SIZE];
  UINTN size = sizeof(order);
  EFI_STATUS status = RT->GetVariable((CHAR16 *)L"BootOrder", &global, NULL, &size, order);
  if(status == EFI_UNSUPPORTED || evidence->mac_seen != DOCTOR_YES) {
    return;
  }
  evidence->boot_order = answer(!EFI_ERROR(status));
  evidence->boot_options = EFI_ERROR(status) ? 0 : (uint32_t)(size / sizeof(order[0]));
  for(uint32_t i = 0; i < evidence->boot_options && evidence->boot_place == 0; i++) {
    size = read_option(order[i], option);
    evidence->boot_place = boot_option_is_for(option, size, evidence->mac) ? i + 1U : 0;
  }
  for(uint32_t number = 0; number < OPTIONS_MAX && evidence->boot_place == 0; number++) {
    size = read_option((UINT16)number, option);
    evidence->boot_entries += boot_option_is_for(option, size, evidence->mac);
  }
}
