/* cmd_machine.c - a machine whose Shell runs netdiag, and an account of what each run leaves behind. */
#include "cmd_machine.h"

#include <stdlib.h>

#define IMAGE_BYTES_MAX (4U * 1024U * 1024U)
#define FIRST_MAC       0xC3U

/* Images ---------------------------------------------------------------------------------------------------------- */

EFI_STATUS netdiag_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);
EFI_STATUS e1000_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);
extern uint8_t __start_netdiag_variables[];
extern uint8_t __stop_netdiag_variables[];
extern uint8_t __start_e1000_variables[];
extern uint8_t __stop_e1000_variables[];

/* What an image's variables are in its file. Between them lies what AddressSanitizer guards, so no memcpy. */
struct image_file {
  uint8_t *start;
  const uint8_t *end;
  uint8_t *copy;
};

__attribute__((no_sanitize("address"))) static void reload(struct image_file *file) {
  size_t size = (size_t)(file->end - file->start);
  bool first = !file->copy;
  if(first) {
    static uint8_t room[2][IMAGE_BYTES_MAX];
    static size_t used;
    if(size > IMAGE_BYTES_MAX || used == 2) {
      abort();
    }
    file->copy = room[used++];
  }
  for(volatile size_t i = 0; i < size; i++) {
    *(first ? &file->copy[i] : &file->start[i]) = first ? file->start[i] : file->copy[i];
  }
}

static void reload_netdiag(void) {
  static struct image_file file = {.start = __start_netdiag_variables, .end = __stop_netdiag_variables};
  reload(&file);
}

static void reload_e1000(void) {
  static struct image_file file = {.start = __start_e1000_variables, .end = __stop_e1000_variables};
  reload(&file);
}

static const struct program netdiag_program = {.name = "netdiag.efi", .entry = netdiag_main, .reload = reload_netdiag};
static const struct program e1000_program = {
    .name = "e1000.efi", .entry = e1000_main, .reload = reload_e1000, .driver = TRUE};

/* Machine -------------------------------------------------------------------------------------------------------- */

static bool running; /* also when the test before failed in the middle */

struct firmware_nic *cmd_begin_with(const struct sim_config *config) {
  if(running) {
    cmd_power_off();
  }
  running = true;
  firmware_begin();
  programs_begin();
  programs_add(&netdiag_program);
  programs_add(&e1000_program);
  return firmware_add_nic(config);
}

static struct sim_config config_of(uint16_t device_id, uint8_t last) {
  return (struct sim_config){.device_id = device_id, .mac = {0x52, 0x54, 0x00, 0xA1, 0xB2, last}};
}

struct firmware_nic *cmd_begin(uint16_t device_id) {
  const struct sim_config config = config_of(device_id, FIRST_MAC);
  return cmd_begin_with(&config);
}

struct firmware_nic *cmd_add_nic(uint16_t device_id, uint8_t last) {
  const struct sim_config config = config_of(device_id, last);
  return firmware_add_nic(&config);
}

void cmd_end(void) {
  EFI_HANDLE resident = programs_image("e1000.efi");
  if(resident) {
    stack_remove();
    assert_int_equal(BS->UnloadImage(resident), EFI_SUCCESS);
  }
  programs_end();
  firmware_end();
  running = false;
}

void cmd_power_off(void) {
  running = false;
  programs_end();
  firmware_power_off();
}

void cmd_without_driver(void) {
  programs_remove(&e1000_program);
}

void cmd_resident(struct stack_config *config) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  assert_int_equal(programs_run("e1000.efi"), EFI_SUCCESS);
  stack_add(config);
  for(EFI_HANDLE handle = NULL; (handle = firmware_next(guid, handle)) != NULL;) {
    (void)firmware_connect_all(handle); /* all that the driver knows and that nobody else has */
  }
}

void cmd_place(enum cmd_place place, struct firmware_nic *nic, struct stack_config *config) {
  static struct foreign_driver foreign;
  if(place == SHARED) {
    cmd_resident(config);
  } else if(place == FOREIGN) {
    foreign = (struct foreign_driver){.name = "Somebody's driver", .snp = TRUE};
    stack_add(config);
    (void)foreign_add(&foreign);
    (void)firmware_connect_all(nic->handle);
  }
}

/* Running -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS run(const char *line) {
  char whole[4096];
  console_forget();
  assert_true(snprintf(whole, sizeof(whole), "netdiag.efi %s", line) < (int)sizeof(whole));
  return programs_run(whole);
}

static void check_simulators(void) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  for(EFI_HANDLE handle = NULL; (handle = firmware_next(guid, handle)) != NULL;) {
    EFI_PCI_IO_PROTOCOL *pci_io = firmware_interface(handle, guid);
    const struct firmware_nic *nic =
        (const struct firmware_nic *)((uint8_t *)pci_io - offsetof(struct firmware_nic, pci_io));
    assert_string_equal(firmware_complaint(nic), "");
  }
}

/* Whatever is said fits a console of 80 columns; what reaches the last one makes some of them add an empty line. */
static void check_columns(const char *line) {
  size_t columns = 0;
  if(strstr(line, "--json") || strncmp(line, "monitor", 7) == 0) {
    return; /* a document's strings are not broken, which cmd_json.h measures; a page is as wide as the console */
  }
  for(const char *c = console_text(); *c; c++) {
    /* see console_attribute; a line that is shown over another begins with '\r' */
    columns = *c == '\n' || *c == '\r' || *c == '\f' || *c == '\v' ? 0 : columns + 1U;
    if(columns == 80U) {
      fail_msg("'%s' says more than 79 columns in a line:\n%s", line, console_text());
    }
  }
}

EFI_STATUS cmd_that_stays(const char *line) {
  UINTN children = stack_children();
  EFI_STATUS status = run(line);
  check_simulators();
  check_columns(line);
  assert_int_equal(firmware_tpl(), TPL_APPLICATION);
  assert_int_equal(stack_children(), children);
  return status;
}

EFI_STATUS cmd(const char *line) {
  struct firmware_counts before;
  struct firmware_counts after;
  firmware_count(&before);
  EFI_STATUS status = cmd_that_stays(line);
  firmware_count(&after);
  if(memcmp(&before, &after, sizeof(before)) != 0) {
    fail_msg("'%s' leaves: handles %zd, protocols %zd, opens %zd, events %zd, pool %zd, pages %zd, buffers %zd, "
             "mappings %zd, tables %zd",
             line, after.handles - before.handles, after.protocols - before.protocols, after.opens - before.opens,
             after.events - before.events, after.pool - before.pool, after.pages - before.pages,
             after.buffers - before.buffers, after.mappings - before.mappings, after.tables - before.tables);
  }
  return status;
}

/* Text ----------------------------------------------------------------------------------------------------------- */

/* What was said, with the lines that were too long for the console in one piece again: netdiag continues these eight
 * columns from the left, and begins none there. */
static const char *said(void) {
  static const char joint[] = "\n        ";
  static char *flat;
  const char *from = console_text();
  free(flat);
  flat = calloc(1, strlen(from) + 1U);
  assert_non_null(flat);
  for(char *to = flat; *from; to++) {
    bool joined = strncmp(from, joint, sizeof(joint) - 1U) == 0 && from[sizeof(joint) - 1U] != ' ';
    *to = joined ? ' ' : *from;
    from += joined ? sizeof(joint) - 1U : 1U;
  }
  return flat;
}

void cmd_assert_said(const char *text, bool wanted, const char *file, int line) {
  if((strstr(said(), text) != NULL) != wanted) {
    print_error("%s: \"%s\" in:\n%s\n", wanted ? "not said" : "said", text, said());
    _fail(file, line);
  }
}

size_t cmd_times_said(const char *text) {
  size_t times = 0;
  for(const char *at = said(); (at = strstr(at, text)) != NULL; at += strlen(text)) {
    times++;
  }
  return times;
}

uint64_t cmd_number_after(const char *text) {
  cmd_assert_said(text, true, __FILE__, __LINE__);
  const char *at = strstr(said(), text);
  char *end;
  at += strlen(text);
  uint64_t value = strtoull(at, &end, 10);
  if(end == at) {
    fail_msg("no number behind \"%s\" in:\n%s", text, said());
  }
  return value;
}

uint64_t cmd_number_before(const char *text) {
  const char *start = said();
  for(const char *at = start; (at = strstr(at, text)) != NULL; at++) {
    const char *end = at;
    while(end > start && end[-1] == ' ') {
      end--;
    }
    const char *number = end;
    while(number > start && number[-1] >= '0' && number[-1] <= '9') {
      number--;
    }
    if(number < end) {
      return strtoull(number, NULL, 10);
    }
  }
  fail_msg("no number before \"%s\" in:\n%s", text, start);
  return 0;
}
