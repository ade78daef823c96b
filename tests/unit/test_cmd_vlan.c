/* test_cmd_vlan.c - a VLAN that the firmware has configured on top of a NIC: it is named as such, and its address is
 * never taken for the NIC's own. */
#include "cmd_machine.h"
#include "efi/ip4_config2.h"

#define OURS      0x0A000005U /* 10.0.0.5 */
#define MASK      0xFFFFFF00U
#define VLAN_ID   7U
#define VLAN_ADDR 0xC0A80705U /* 192.168.7.5 */

static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID config_guid = EFI_IP4_CONFIG2_PROTOCOL_GUID;

static struct peer peer;
static struct stack_config stack;

static void put_address(EFI_IPv4_ADDRESS *to, uint32_t address) {
  for(uint32_t i = 0; i < 4; i++) {
    to->Addr[i] = (UINT8)(address >> (24U - 8U * i));
  }
}

/* The interface on the VLAN: an address by hand, and nothing else. */
static EFI_STATUS EFIAPI get_data(EFI_IP4_CONFIG2_PROTOCOL *this, EFI_IP4_CONFIG2_DATA_TYPE type, UINTN *size,
                                  VOID *data) {
  (void)this;
  if(type != Ip4Config2DataTypeInterfaceInfo) {
    return EFI_NOT_FOUND;
  }
  assert_true(*size >= sizeof(EFI_IP4_CONFIG2_INTERFACE_INFO));
  EFI_IP4_CONFIG2_INTERFACE_INFO *info = data;
  memset(info, 0, sizeof(*info));
  put_address(&info->StationAddress, VLAN_ADDR);
  put_address(&info->SubnetMask, MASK);
  *size = sizeof(*info);
  return EFI_SUCCESS;
}

static EFI_IP4_CONFIG2_PROTOCOL vlan_config = {.GetData = get_data};

/* The handle that edk2's MNP makes for a VLAN: PCI, MAC address, VLAN. */
struct vlan {
  EFI_HANDLE handle;
  EFI_DEVICE_PATH *path;
};

static EFI_DEVICE_PATH *append(EFI_DEVICE_PATH *path, void *node, size_t size, UINT8 sub_type) {
  EFI_DEVICE_PATH *header = node;
  header->Type = MESSAGING_DEVICE_PATH;
  header->SubType = sub_type;
  SetDevicePathNodeLength(header, size);
  return AppendDevicePathNode(path, header);
}

static struct vlan add_vlan(const struct firmware_nic *nic) {
  struct vlan vlan = {0};
  MAC_ADDR_DEVICE_PATH mac = {.MacAddress = {{0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3}}, .IfType = 1};
  VLAN_DEVICE_PATH tag = {.VlanId = VLAN_ID};
  EFI_DEVICE_PATH *above = append(DevicePathFromHandle(nic->handle), &mac, sizeof(mac), MSG_MAC_ADDR_DP);
  vlan.path = append(above, &tag, sizeof(tag), MSG_VLAN_DP);
  FreePool(above);
  assert_int_equal(
      BS->InstallMultipleProtocolInterfaces(&vlan.handle, &path_guid, vlan.path, &config_guid, &vlan_config, NULL),
      EFI_SUCCESS);
  return vlan;
}

static void remove_vlan(const struct vlan *vlan) {
  assert_int_equal(
      BS->UninstallMultipleProtocolInterfaces(vlan->handle, &path_guid, vlan->path, &config_guid, &vlan_config, NULL),
      EFI_SUCCESS);
  FreePool(vlan->path);
}

enum interfaces { VLAN_LAST, VLAN_FIRST, VLAN_ALONE };

/* e1000.efi holds the NIC; the handles of what is on it have been made in this order. */
static struct vlan begin(enum interfaces interfaces) {
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  struct vlan vlan;
  peer_begin(&peer, nic);
  stack = (struct stack_config){.address = OURS, .mask = MASK};
  if(interfaces == VLAN_FIRST) {
    vlan = add_vlan(nic);
  }
  cmd_resident(&stack);
  if(interfaces == VLAN_ALONE) {
    stack_remove();
  }
  return interfaces == VLAN_FIRST ? vlan : add_vlan(nic);
}

static void beside_an_untagged_one(enum interfaces interfaces) {
  struct vlan vlan = begin(interfaces);
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_said("Address       10.0.0.5, mask 255.255.255.0, gateway none\n");
  assert_said("VLAN 7        192.168.7.5, mask 255.255.255.0, gateway none\n");
  assert_int_equal(cmd("info -n 52:54:00:a1:b2:c3"), EFI_SUCCESS); /* one NIC has it, whatever is on top */
  assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_SUCCESS);
  assert_said("Address 10.0.0.5");
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("10.0.0.5");
  assert_not_said("192.168.7.5");
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  remove_vlan(&vlan);
  cmd_end();
}

static void test_beside_an_untagged_one(void **state) {
  (void)state;
  beside_an_untagged_one(VLAN_LAST);
  beside_an_untagged_one(VLAN_FIRST);
}

static void test_alone(void **state) {
  (void)state;
  struct vlan vlan = begin(VLAN_ALONE);
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_not_said("Address ");
  assert_said("VLAN 7        192.168.7.5, mask 255.255.255.0, gateway none\n");
  assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_UNSUPPORTED);
  assert_said("the firmware's stack uses this NIC for VLAN 7, while netdiag sends without a tag: give --addr");
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("no address");
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  remove_vlan(&vlan);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_beside_an_untagged_one),
      cmocka_unit_test(test_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
