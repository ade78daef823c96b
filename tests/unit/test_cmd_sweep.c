/* test_cmd_sweep.c - every firmware call of netdiag's commands fails once: it is reported or degrades as the list here
 * says, leaves nothing behind, and the second try succeeds.
 *
 * Left out as in test_efi_sweep.c: what the specification knows no failure of. */
#include "cmd_machine.h"

#define MS        1000U
#define ADDRESS   "--addr 10.0.0.1/24 "
#define TRIES_MAX 3000U
#define HOUR_US   3600000000ULL

static struct peer peer;
static struct stack_config stack;
static UINTN positions;

static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  (void)cmd_add_nic(SIM_82545EM, 0xC4);
  peer_begin(&peer, nic);
  programs_clock_step(1000); /* few rounds of each loop: what fails in one fails in all */
  stack = (struct stack_config){.dhcp_address = 0x0A000005U, .dhcp_mask = 0xFFFFFF00U, .dhcp_delay_us = 200U * MS};
  if(shared) {
    cmd_resident(&stack);
  } else {
    stack_add(&stack);
  }
  return nic;
}

/* Where netdiag may end well, without a complaint, though a call failed: and why. */
static const struct {
  const char *call;
  const char *why;
} degrades[] = {
    {"SetTimer", "it polls on instead of a nap"},
    {"GetVariable", "the rings have their default size"},
    {"Pci.Read", "the NIC is none, ASPM stays on, or a capability is not named"},
    {"Pci.Write", "ASPM stays on, or off"},
    {"GetBarAttributes", "the BAR is not listed; the reset goes over memory"},
    {"GetLocation", "the NIC is none"},
    {"Attributes", "the address is not known before the NIC is started, or attributes stay changed"},
    {"HandleProtocol", "a name, a Shell, a device or an interface is not there"},
    {"OpenProtocolInformation", "who holds the NIC is not known: whoever does refuses PciIo"},
    {"OpenProtocol", "one driver less tries to start"},
    {"LocateHandleBuffer", "the firmware has no address for the NIC"},
    {"Ip4Config2.GetData", "the same, or it is asked again"},
    {"Mnp.Receive", "the token is offered again"},
    {"Mnp.Transmit", "the frame is sent again, or counts as lost"},
    {"CreateEvent of handoff", "the firmware's stack does not start on the NIC; the handoff needs none"},
    {"SetTimer of handoff", "the same"},
    {"AllocatePool of capture", "what waits for the volume has less room"},
    {"Mnp.Configure", "a listener hears no frames for others"},
    {"Mnp.Groups", "it hears one group less"},
    {"Unmap", "the buffer is lost rather than freed under the device"},
};

static bool may_degrade(const char *call, const char *line) {
  char with_command[80];
  (void)snprintf(with_command, sizeof(with_command), "%s of %.*s", call, (int)strcspn(line, " "), line);
  for(size_t i = 0; i < sizeof(degrades) / sizeof(degrades[0]); i++) {
    if(strcmp(call, degrades[i].call) == 0 || strcmp(with_command, degrades[i].call) == 0) {
      return true;
    }
  }
  return false;
}

/* What a failure may cost, because it keeps memory that the device can still reach, or that something points to. */
static void assert_left(const struct firmware_counts *before, const struct firmware_counts *after, const char *line,
                        UINTN at, const char *call) {
  struct firmware_counts wanted = *before;
  if(strcmp(call, "Unmap") == 0) {
    wanted.mappings++;
    wanted.buffers++;
    wanted.pool += after->pool == before->pool + 2U ? 2U : 1U; /* what describes it, and its driver's device */
  }
  if(strcmp(call, "Attributes") == 0 && after->pool == before->pool + 1U) {
    wanted.pool++; /* the device that counts them as held */
  }
  if(memcmp(&wanted, after, sizeof(wanted)) != 0) {
    fail_msg("'%s', call %zu (%s) left: handles %zd, protocols %zd, opens %zd, events %zd, pool %zd, pages %zd, "
             "buffers %zd, mappings %zd, tables %zd",
             line, (size_t)at, call, after->handles - wanted.handles, after->protocols - wanted.protocols,
             after->opens - wanted.opens, after->events - wanted.events, after->pool - wanted.pool,
             after->pages - wanted.pages, after->buffers - wanted.buffers, after->mappings - wanted.mappings,
             after->tables - wanted.tables);
  }
}

/* What a handoff leaves on purpose is taken back. */
static void settle(bool shared) {
  firmware_fail_at(0, FALSE);
  EFI_HANDLE driver = programs_image("e1000.efi");
  if(driver) {
    assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  }
  if(driver && !shared) {
    assert_int_equal(BS->UnloadImage(driver), EFI_SUCCESS);
  }
}

/* One position; false when there is none with this number. */
static bool fail_one(const char *line, bool shared, UINTN at) {
  struct firmware_counts before;
  struct firmware_counts after;
  (void)begin(shared);
  firmware_count(&before);
  /* Who fails to learn the command line shows the menu, until somebody leaves it. Everything else has ended by then. */
  console_press(firmware_now_us() + HOUR_US, 0, 'q');
  firmware_fail_at(at, FALSE);
  /* A command line that cannot be asked for is none, and brings the menu: Q leaves it, long after all else. */
  console_press(firmware_now_us() + 3600U * 1000U * MS, 0, 'q');
  EFI_STATUS status = cmd_that_stays(line);
  const char *call = firmware_failed_call();
  bool told = EFI_ERROR(status) || strstr(console_text(), "netdiag: ");
  settle(shared);
  firmware_count(&after);
  if(!call) {
    assert_int_equal(status, EFI_SUCCESS);
    cmd_end();
    return false;
  }
  positions++;
  if(!told && !may_degrade(call, line)) {
    fail_msg("'%s', call %zu (%s) failed, and nobody was told", line, (size_t)at, call);
  }
  assert_left(&before, &after, line, at, call);
  status = cmd_that_stays(line);
  if(EFI_ERROR(status)) {
    fail_msg("'%s', call %zu (%s): nothing worked afterwards:\n%s", line, (size_t)at, call, console_text());
  }
  cmd_power_off();
  return true;
}

static void sweep(const char *line, bool shared) {
  for(UINTN at = 1; fail_one(line, shared, at); at++) {
    assert_true(at < TRIES_MAX);
  }
}

static void test_every_call_fails_once(void **state) {
  (void)state;
  static const char *const lines[] = {
      "list",
      "info --registers --nvm",
      "stats -t 1",
      "regs CTRL",
      "rings",
      "ping 10.0.0.2 " ADDRESS "-c 2 -i 50 -W 500",
      "ping 10.0.0.2 -c 1 -W 500",
      "arp 10.0.0.2 -c 1 -W 100",
      "route 10.0.0.2 " ADDRESS "-W 100 --no-mtu",
      "frames -s 60 -c 3",
      "echo -t 1",
      "capture x.pcapng -t 1",
      "monitor -t 1",
      "handoff",
      "handoff --cancel",
  };
  static const char *const alone[] = {"selftest", "identify -t 1"}; /* on a NIC of netdiag's own */
  positions = 0;
  for(size_t i = 0; i < 2 * sizeof(lines) / sizeof(lines[0]); i++) {
    sweep(lines[i / 2], i & 1U);
  }
  for(size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
    sweep(alone[i], false);
  }
  assert_true(positions > 1000);
  (void)printf("failure injection: %zu positions tried, none left anything that it did not have to\n",
               (size_t)positions);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_call_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
