/* test_efi_sweep.c - every firmware call of the driver's life fails once; the NIC is pulled at every register access.
 *
 * Left out, because the specification knows no failure of theirs for arguments that are valid: RaiseTPL, RestoreTPL,
 * Stall, SignalEvent, CheckEvent, SetMem, CopyMem, CloseEvent, CloseProtocol, FreePool, FreePages, PciIo.FreeBuffer,
 * and PciIo.Mem and Io, where a device that does not answer reads as all ones: that is the removal below. */
#include <stdio.h>

#include "efi/driver_diagnostics.h"
#include "handoff.h"
#include "handoff_producer.h"
#include "unit_efi.h"

#define TRIES_MAX 1000U /* positions per scenario, far more than there are */

static UINTN positions; /* tried so far                       */
static UINTN kept;      /* of those, where memory was kept on purpose */

/* Failures that the driver goes on without, and says so in a comment or in driver/NOTES.md. */
static const struct {
  const char *call;
  const char *why;
} degrades[] = {
    {"GetVariable", "the rings have their default size"},
    {"Pci.Read", "ASPM stays on, or the handoff names no MSI capability"},
    {"Pci.Write", "ASPM stays on, or off"},
    {"GetBarAttributes", "no I/O BAR: the reset goes over memory"},
    {"Attributes", "the link is not known before Initialize, or attributes stay changed"},
    {"Unmap", "the buffer is lost rather than freed under the device"},
    {"InstallConfigurationTable", "a table with nothing but lost entries stays until the next one"},
};

static bool may_degrade(const char *call) {
  for(size_t i = 0; i < sizeof(degrades) / sizeof(degrades[0]); i++) {
    if(strcmp(call, degrades[i].call) == 0) {
      return true;
    }
  }
  return false;
}

/* The first of a chain of errors is the one that counts. */
static bool good(EFI_STATUS *first, EFI_STATUS status) {
  *first = EFI_ERROR(*first) ? *first : status;
  return !EFI_ERROR(status);
}

/* What is undone must be undone: a call that failed once is made again. */
static void undo(EFI_STATUS *first, EFI_STATUS (*call)(EFI_HANDLE), EFI_HANDLE handle) {
  if(!good(first, call(handle))) {
    assert_int_equal(call(handle), EFI_SUCCESS);
  }
}

static EFI_STATUS disconnect(EFI_HANDLE controller) {
  return firmware_disconnect(controller, NULL);
}

/* The life of a driver ------------------------------------------------------------------------------------------- */

static EFI_STATUS send_and_receive(const struct firmware_nic *nic, EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  UINT8 frame[60];
  UINT8 got[60];
  UINTN size = sizeof(got);
  VOID *buffer = NULL;
  EFI_STATUS status = EFI_SUCCESS;
  unit_frame(frame, sizeof(frame), snp->Mode->CurrentAddress.Addr, 1);
  if(!good(&status, snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL)) ||
     !good(&status, snp->GetStatus(snp, NULL, &buffer)) || firmware_inject(nic, frame, sizeof(frame)) ||
     !good(&status, snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL))) {
    return EFI_ERROR(status) ? status : EFI_DEVICE_ERROR;
  }
  return buffer == frame && memcmp(got, frame, sizeof(frame)) == 0 ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static EFI_STATUS ask_for_media(const struct firmware_nic *nic) {
  EFI_ADAPTER_INFORMATION_PROTOCOL *adapter =
      firmware_interface(unit_device(nic)->child, (EFI_GUID)EFI_ADAPTER_INFORMATION_PROTOCOL_GUID);
  EFI_GUID type = EFI_ADAPTER_INFO_MEDIA_STATE_GUID;
  EFI_STATUS status = EFI_SUCCESS;
  EFI_GUID *types;
  VOID *block;
  UINTN size;
  if(good(&status, adapter->GetInformation(adapter, &type, &block, &size))) {
    (void)BS->FreePool(block);
  }
  if(good(&status, adapter->GetSupportedTypes(adapter, &types, &size))) {
    (void)BS->FreePool(types);
  }
  return status;
}

static EFI_STATUS diagnose(EFI_HANDLE image, const struct firmware_nic *nic) {
  char text[2048];
  return firmware_diagnose(image, nic->handle, EfiDriverDiagnosticTypeExtended, text, sizeof(text));
}

static EFI_STATUS use(EFI_HANDLE image, const struct firmware_nic *nic, EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  EFI_STATUS status = EFI_SUCCESS;
  (void)good(&status, snp->ReceiveFilters(snp, 7, 0, TRUE, 0, NULL));
  (void)good(&status, send_and_receive(nic, snp));
  (void)good(&status, ask_for_media(nic));
  if(good(&status, diagnose(image, nic)) && good(&status, snp->Reset(snp, FALSE))) {
    firmware_tick(10);
    (void)good(&status, send_and_receive(nic, snp));
  }
  return status;
}

static EFI_STATUS open_and_use(EFI_HANDLE image, const struct firmware_nic *nic) {
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(nic);
  EFI_STATUS status = EFI_SUCCESS;
  if(good(&status, snp->Start(snp))) {
    if(good(&status, snp->Initialize(snp, 0, 0))) {
      (void)good(&status, use(image, nic, snp));
    }
    if(snp->Mode->State == EfiSimpleNetworkInitialized) {
      (void)good(&status, snp->Shutdown(snp));
    }
    (void)good(&status, snp->Stop(snp));
  }
  return status;
}

/* Loaded, bound, used, unbound, and unloaded. */
static EFI_STATUS life(const struct firmware_nic *nic, const struct firmware_nic *second) {
  EFI_STATUS status = EFI_SUCCESS;
  EFI_HANDLE image;
  (void)second;
  if(good(&status, firmware_start_image(efi_main, &image))) {
    if(good(&status, firmware_connect(nic->handle))) {
      (void)good(&status, open_and_use(image, nic));
    }
    undo(&status, disconnect, nic->handle);
    undo(&status, firmware_unload_image, image);
  }
  return status;
}

/* Unloaded while two NICs are in use. */
static EFI_STATUS sudden_death(const struct firmware_nic *nic, const struct firmware_nic *second) {
  EFI_STATUS status = EFI_SUCCESS;
  EFI_HANDLE image;
  if(good(&status, firmware_start_image(efi_main, &image))) {
    if(good(&status, firmware_connect(nic->handle))) {
      EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(nic);
      (void)good(&status, snp->Start(snp));
      (void)good(&status, snp->Initialize(snp, 0, 0));
    }
    (void)good(&status, firmware_connect(second->handle));
    undo(&status, firmware_unload_image, image);
  }
  return status;
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

/* What netdiag found on the bus before. */
static struct pci_nic found[2];

static void look_at_the_bus(void) {
  struct pci_nic *list;
  UINTN count;
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_int_equal(count, 2);
  memcpy(found, list, sizeof(found));
  assert_int_equal(BS->FreePool(list), EFI_SUCCESS);
}

/* Whatever fails, a table that is published is a valid one. */
static EFI_STATUS arm(const struct firmware_nic *nic, const struct pci_nic *pci, BOOLEAN live) {
  static struct net_handoff_copy copy;
  EFI_STATUS status = handoff_arm(&unit_device(nic)->nic, pci, live, NULL);
  const struct net_handoff_image *table = handoff_find();
  if(table && table->head.nic_count > 0) {
    const char *problem = net_handoff_validate(table, sizeof(*table), (UINTN)table, &copy);
    assert_string_equal(problem ? problem : "", "");
  }
  return status;
}

/* Two NICs are armed, one of them changes its mind and then gives up; the other goes with the driver. */
static EFI_STATUS handoff(const struct firmware_nic *nic, const struct firmware_nic *second) {
  EFI_STATUS status = EFI_SUCCESS;
  EFI_HANDLE image;
  if(good(&status, firmware_start_image(efi_main, &image))) {
    bool bound = good(&status, firmware_connect(nic->handle)) && good(&status, firmware_connect(second->handle));
    if(bound && good(&status, arm(nic, &found[0], FALSE)) && good(&status, arm(second, &found[1], TRUE)) &&
       good(&status, arm(nic, &found[0], TRUE))) {
      assert_int_equal(((const struct net_handoff *)handoff_find())->nic_count, 2);
      handoff_disarm(&unit_device(nic)->nic);
    }
    undo(&status, firmware_unload_image, image);
  }
  return status;
}

/* The sweep ------------------------------------------------------------------------------------------------------ */

typedef EFI_STATUS (*scenario)(const struct firmware_nic *nic, const struct firmware_nic *second);

/* What a failure may cost, because it keeps memory that the device can still reach, or that something points to. */
static bool assert_left(const struct firmware_counts *before, const struct firmware_counts *after, const char *call) {
  struct firmware_counts wanted = *before;
  if(strcmp(call, "Unmap") == 0) {
    wanted.mappings++;
    wanted.buffers++;
    wanted.pool += 2; /* what describes it, and the device that counts it as held */
  }
  if(strcmp(call, "Attributes") == 0 && after->pool == before->pool + 1) {
    wanted.pool++; /* the device that counts them as held */
  }
  if(strcmp(call, "InstallConfigurationTable") == 0 && after->tables == before->tables + 1) {
    wanted.tables++;
    wanted.pages++;
  }
  if(memcmp(&wanted, after, sizeof(wanted)) != 0) {
    (void)fprintf(stderr, "left: handles %zd, protocols %zd, opens %zd, events %zd, pool %zd, pages %zd, buffers %zd\n",
                  after->handles - wanted.handles, after->protocols - wanted.protocols, after->opens - wanted.opens,
                  after->events - wanted.events, after->pool - wanted.pool, after->pages - wanted.pages,
                  after->buffers - wanted.buffers);
  }
  assert_memory_equal(&wanted, after, sizeof(wanted));
  return memcmp(&wanted, before, sizeof(wanted)) != 0;
}

/* Both families; of virtio-net one with the legacy interface beside, and one whose BAR 0 has 64 bits. */
static const struct {
  uint16_t device_id;
  bool is_virtio;
  enum virtio_sim_layout layout;
} rows[] = {
    {SIM_82540EM, false, 0},
    {SIM_82574L, false, 0},
    {VIRTIO_SIM_TRANSITIONAL, true, VIRTIO_SIM_LAYOUT_QEMU},
    {VIRTIO_SIM_MODERN, true, VIRTIO_SIM_LAYOUT_BAR0},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static BOOLEAN translated; /* registers by PciIo, not at their address */

static struct firmware_nic *add_nic(size_t row) {
  if(!rows[row].is_virtio) {
    const struct sim_config config = unit_config(rows[row].device_id);
    struct firmware_nic *nic = firmware_add_nic(&config);
    nic->translated = translated;
    return nic;
  }
  struct virtio_sim_config config = {.device_id = rows[row].device_id, .layout = rows[row].layout, .master_ends = true};
  memcpy(config.mac, unit_mac, sizeof(config.mac));
  struct firmware_nic *nic = firmware_add_virtio(&config);
  nic->translated = translated;
  return nic;
}

/* One position. Returns the call that failed, NULL when there is none with this number. */
static const char *fail_one(scenario run, size_t row, UINTN at, BOOLEAN shorten) {
  struct firmware_counts before;
  struct firmware_counts after;
  firmware_begin();
  struct firmware_nic *nic = add_nic(row);
  const struct firmware_nic *second = add_nic(row);
  nic->attributes = EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE; /* left on, and to be switched off */
  look_at_the_bus();
  firmware_count(&before);
  firmware_fail_at(at, shorten);
  EFI_STATUS status = run(nic, second);
  const char *call = firmware_failed_call();
  firmware_count(&after);
  if(!call) {
    assert_int_equal(status, EFI_SUCCESS);
    firmware_end();
    return NULL;
  }
  positions++;
  if(!EFI_ERROR(status) && !may_degrade(call)) {
    fail_msg("call %zu (%s) failed, and nobody was told", (size_t)at, call);
  }
  kept += assert_left(&before, &after, call);
  /* and everything works when it is tried again */
  firmware_fail_at(0, FALSE);
  status = run(nic, second);
  if(status != EFI_SUCCESS) {
    fail_msg("after call %zu (%s) had failed, nothing worked any more", (size_t)at, call);
  }
  firmware_count(&after);
  assert_string_equal(firmware_complaint(nic), "");
  if(memcmp(&before, &after, sizeof(before)) == 0) {
    firmware_end();
  } else {
    (void)assert_left(&before, &after, call);
    unit_power_off();
  }
  return call;
}

static void sweep(scenario run) {
  for(size_t row = 0; row < ROWS; row++) {
    const char *call;
    for(UINTN at = 1; (call = fail_one(run, row, at, FALSE)) != NULL; at++) {
      assert_true(at < TRIES_MAX);
      if(strcmp(call, "Map") == 0) {
        assert_non_null(fail_one(run, row, at, TRUE));
      }
    }
  }
}

static void test_every_call_fails_once(void **state) {
  (void)state;
  positions = kept = 0;
  sweep(life);
  sweep(sudden_death);
  sweep(handoff);
  assert_true(positions > 300);
  (void)printf("failure injection: %zu positions tried, 0 left anything behind but the %zu that keep it on purpose\n",
               (size_t)positions, (size_t)kept);
}

/* Removal -------------------------------------------------------------------------------------------------------- */

/* The first NIC is gone from this register access on (0: never). Returns how many accesses there were. */
static uint64_t pull(scenario run, size_t row, uint64_t at) {
  firmware_begin();
  const struct firmware_nic *nic = add_nic(row);
  const struct firmware_nic *second = add_nic(row);
  look_at_the_bus();
  firmware_pull_at(nic, at);
  EFI_STATUS status = run(nic, second);
  uint64_t accesses = firmware_accesses(nic);
  if(at == 0) {
    assert_int_equal(status, EFI_SUCCESS);
  }
  firmware_end(); /* nothing is left, and the simulator saw no mistake */
  return accesses;
}

static uint64_t pull_everywhere(scenario run, size_t row) {
  uint64_t healthy = pull(run, row, 0);
  for(uint64_t at = 1; at <= healthy; at++) {
    assert_true(pull(run, row, at) <= 2U * healthy); /* no endless waiting for what does not answer */
  }
  return healthy;
}

/* One read of a register is lost: all ones, or an error of PciIo's that leaves the variable as it was. Whatever the
 * driver makes of it, nothing is left, the simulator saw no mistake, and the next life is a good one. */
static uint64_t one_failed_read(size_t row, uint64_t at) {
  firmware_begin();
  struct firmware_nic *nic = add_nic(row);
  const struct firmware_nic *second = add_nic(row);
  look_at_the_bus();
  nic->read_fails_at = at;
  EFI_STATUS status = life(nic, second);
  uint64_t reads = nic->reads;
  if(at == 0) {
    assert_int_equal(status, EFI_SUCCESS);
  }
  assert_int_equal(life(nic, second), EFI_SUCCESS);
  firmware_end();
  return reads;
}

static void test_every_read_fails_once(void **state) {
  (void)state;
  uint64_t places = 0;
  for(size_t row = 0; row < 2U * ROWS; row++) {
    translated = row >= ROWS;
    uint64_t healthy = one_failed_read(row % ROWS, 0);
    for(uint64_t at = 1; at <= healthy; at++) {
      assert_true(one_failed_read(row % ROWS, at) <= 2U * healthy);
    }
    places += healthy;
  }
  translated = FALSE;
  (void)printf("reads: %llu places tried\n", (unsigned long long)places);
}

static void test_removal_at_every_access(void **state) {
  (void)state;
  uint64_t places = 0;
  for(size_t row = 0; row < ROWS; row++) {
    translated = TRUE;
    places += pull_everywhere(life, row);
    translated = FALSE;
    places += pull_everywhere(life, row);
    places += pull_everywhere(sudden_death, row);
    places += pull_everywhere(handoff, row);
  }
  (void)printf("removal: %llu places tried, 0 left anything behind\n", (unsigned long long)places);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_call_fails_once),
      cmocka_unit_test(test_removal_at_every_access),
      cmocka_unit_test(test_every_read_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
