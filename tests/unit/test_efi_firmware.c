/* test_efi_firmware.c - the fake firmware itself: each mistake of its caller ends the program with a line that names
 * it. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit_efi.h"

static EFI_GUID some_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static struct firmware_nic *nic;

static VOID EFIAPI call_stall(EFI_EVENT event, VOID *context) {
  (void)event, (void)context;
  (void)BS->Stall(1);
}

static VOID EFIAPI raise_and_forget(EFI_EVENT event, VOID *context) {
  (void)event, (void)context;
  (void)BS->RaiseTPL(TPL_NOTIFY);
}

/* The mistakes --------------------------------------------------------------------------------------------------- */

static void free_twice(void) {
  VOID *memory;
  (void)BS->AllocatePool(EfiBootServicesData, 8, &memory);
  (void)BS->FreePool(memory);
  (void)BS->FreePool(memory);
}

static void free_other_size(void) {
  EFI_PHYSICAL_ADDRESS address = UINT32_MAX;
  (void)BS->AllocatePages(AllocateMaxAddress, EfiRuntimeServicesData, 2, &address);
  (void)BS->FreePages(address, 1);
}

static void stale_event(void) {
  EFI_EVENT event;
  (void)BS->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL, NULL, &event);
  (void)BS->CloseEvent(event);
  (void)BS->SetTimer(event, TimerRelative, 1);
}

static void stale_handle(void) {
  EFI_HANDLE handle = NULL;
  VOID *interface;
  (void)BS->InstallProtocolInterface(&handle, &some_guid, EFI_NATIVE_INTERFACE, NULL);
  (void)BS->UninstallProtocolInterface(handle, &some_guid, NULL);
  (void)BS->HandleProtocol(handle, &some_guid, &interface);
}

static void raise_downwards(void) {
  (void)BS->RaiseTPL(TPL_NOTIFY);
  (void)BS->RaiseTPL(TPL_CALLBACK);
}

static void restore_upwards(void) {
  BS->RestoreTPL(TPL_NOTIFY);
}

static void allocate_too_high(void) {
  VOID *memory;
  (void)BS->RaiseTPL(TPL_HIGH_LEVEL);
  (void)BS->AllocatePool(EfiBootServicesData, 8, &memory);
}

static void notify_at_another_tpl(void) {
  EFI_EVENT event;
  (void)BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, raise_and_forget, NULL, &event);
  (void)BS->SignalEvent(event);
}

static void stall_at_exit(void) {
  EFI_EVENT event;
  (void)BS->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, call_stall, NULL, &event);
  firmware_exit_boot_services();
}

static void leave_an_event(void) {
  EFI_EVENT event;
  (void)BS->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL, NULL, &event);
  firmware_end();
}

static void leave_memory(void) {
  VOID *memory;
  (void)BS->AllocatePool(EfiBootServicesData, 8, &memory);
  firmware_end();
}

static void read_without_decoding(void) {
  UINT32 value;
  (void)nic->pci_io.Mem.Read(&nic->pci_io, EfiPciIoWidthUint32, 0, 8, 1, &value);
}

static void read_two_at_once(void) {
  UINT32 value[2];
  nic->attributes = EFI_PCI_IO_ATTRIBUTE_MEMORY;
  (void)nic->pci_io.Mem.Read(&nic->pci_io, EfiPciIoWidthUint32, 0, 8, 2, value);
}

static VOID *map_a_page(VOID **page) {
  UINTN size = EFI_PAGE_SIZE;
  EFI_PHYSICAL_ADDRESS device;
  VOID *mapping;
  EFI_PCI_IO_PROTOCOL *io = &nic->pci_io;
  nic->attributes = EFI_PCI_IO_ATTRIBUTE_BUS_MASTER;
  (void)io->AllocateBuffer(io, AllocateAnyPages, EfiRuntimeServicesData, 1, page, 0);
  (void)io->Map(io, EfiPciIoOperationBusMasterCommonBuffer, *page, &size, &device, &mapping);
  return mapping;
}

static void free_while_mapped(void) {
  VOID *page;
  (void)map_a_page(&page);
  (void)nic->pci_io.FreeBuffer(&nic->pci_io, 1, page);
}

static void unmap_twice(void) {
  VOID *page;
  VOID *mapping = map_a_page(&page);
  (void)nic->pci_io.Unmap(&nic->pci_io, mapping);
  (void)nic->pci_io.Unmap(&nic->pci_io, mapping);
}

static void map_a_stranger(void) {
  static UINT8 own[EFI_PAGE_SIZE];
  UINTN size = sizeof(own);
  EFI_PHYSICAL_ADDRESS device;
  VOID *mapping;
  nic->attributes = EFI_PCI_IO_ATTRIBUTE_BUS_MASTER;
  (void)nic->pci_io.Map(&nic->pci_io, EfiPciIoOperationBusMasterCommonBuffer, own, &size, &device, &mapping);
}

static void leave_a_table(void) {
  static UINT8 table[8];
  (void)BS->InstallConfigurationTable(&some_guid, table);
  firmware_exit_boot_services();
}

static void leave_a_table_in_free_memory(void) {
  EFI_PHYSICAL_ADDRESS address = UINT32_MAX;
  (void)BS->AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &address);
  (void)BS->InstallConfigurationTable(&some_guid, (VOID *)(UINTN)address);
  firmware_exit_boot_services();
}

static void leave_a_ring_in_free_memory(void) {
  VOID *page;
  UINTN size = EFI_PAGE_SIZE;
  EFI_PHYSICAL_ADDRESS device;
  VOID *mapping;
  EFI_PCI_IO_PROTOCOL *io = &nic->pci_io;
  nic->attributes = EFI_PCI_IO_ATTRIBUTE_BUS_MASTER;
  (void)io->AllocateBuffer(io, AllocateAnyPages, EfiBootServicesData, 1, &page, 0);
  (void)io->Map(io, EfiPciIoOperationBusMasterCommonBuffer, page, &size, &device, &mapping);
  sim_poke(nic->sim, E1000_RCTL, E1000_RCTL_EN);
  firmware_exit_boot_services();
}

/* Each in a process of its own ------------------------------------------------------------------------------------ */

static void assert_caught(void (*mistake)(void), const char *text) {
  const struct sim_config config = unit_config(SIM_82540EM);
  char said[4096] = {0};
  int ends[2];
  int status;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if(child == 0) {
    (void)dup2(ends[1], STDERR_FILENO);
    firmware_begin();
    nic = firmware_add_nic(&config);
    mistake();
    _exit(0);
  }
  (void)close(ends[1]);
  for(size_t length = 0; length < sizeof(said) - 1;) {
    ssize_t got = read(ends[0], said + length, sizeof(said) - 1 - length);
    if(got <= 0) {
      break;
    }
    length += (size_t)got;
  }
  (void)close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  if(!strstr(said, text)) {
    fail_msg("'%s' was not said, but: %s", text, said);
  }
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_mistakes_are_caught(void **state) {
  (void)state;
  assert_caught(free_twice, "FreePool: not allocated");
  assert_caught(free_other_size, "FreePages: not allocated, or another size");
  assert_caught(stale_event, "no such event");
  assert_caught(stale_handle, "no such handle");
  assert_caught(raise_downwards, "RaiseTPL: lower");
  assert_caught(restore_upwards, "RestoreTPL: higher");
  assert_caught(allocate_too_high, "AllocatePool: called at too high a TPL");
  assert_caught(notify_at_another_tpl, "a notification function returned at another TPL");
  assert_caught(stall_at_exit, "Stall: called inside or after ExitBootServices");
  assert_caught(leave_an_event, "events left: 1");
  assert_caught(leave_memory, "pool blocks left: 1");
  assert_caught(read_without_decoding, "the device does not decode this space");
  assert_caught(read_two_at_once, "not one 32-bit access");
  assert_caught(free_while_mapped, "FreeBuffer: still mapped");
  assert_caught(unmap_twice, "Unmap: no such mapping");
  assert_caught(map_a_stranger, "Map: no common buffer");
  assert_caught(leave_a_table, "a configuration table lies in memory that the next stage takes for free");
  assert_caught(leave_a_table_in_free_memory, "a configuration table lies in memory that the next stage");
  assert_caught(leave_a_ring_in_free_memory, "a device reaches memory that the next stage takes for free");
}

static VOID EFIAPI count_calls(EFI_EVENT event, VOID *context) {
  (void)event;
  (*(UINTN *)context)++;
}

/* What the driver relies on: levels hold notifications back, timers repeat, a group is signalled as one. */
static void test_events(void **state) {
  (void)state;
  static const EFI_GUID group = EFI_PCI_IO_PROTOCOL_GUID;
  UINTN calls = 0;
  EFI_EVENT timer;
  EFI_EVENT members[2];
  firmware_begin();
  assert_int_equal(BS->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, count_calls, &calls, &timer),
                   EFI_SUCCESS);
  assert_int_equal(BS->SetTimer(timer, TimerPeriodic, 200000), EFI_SUCCESS); /* 20 ms: every other tick */
  firmware_tick(10);
  assert_int_equal(calls, 5);
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  firmware_tick(10);
  assert_int_equal(calls, 5);
  BS->RestoreTPL(tpl);
  assert_int_equal(calls, 6);
  assert_int_equal(BS->SetTimer(timer, TimerCancel, 0), EFI_SUCCESS);
  firmware_tick(10);
  assert_int_equal(calls, 6);
  assert_int_equal(BS->CloseEvent(timer), EFI_SUCCESS);
  for(UINTN i = 0; i < 2; i++) {
    assert_int_equal(BS->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, count_calls, &calls, &group, &members[i]),
                     EFI_SUCCESS);
  }
  assert_int_equal(BS->SignalEvent(members[0]), EFI_SUCCESS);
  assert_int_equal(calls, 8);
  assert_int_equal(BS->CloseEvent(members[0]), EFI_SUCCESS);
  assert_int_equal(BS->CloseEvent(members[1]), EFI_SUCCESS);
  firmware_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mistakes_are_caught),
      cmocka_unit_test(test_events),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
