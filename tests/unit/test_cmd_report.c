/* test_cmd_report.c - what all commands share: JSON, colours, examples, suggestions. */
#define _POSIX_C_SOURCE 200809L /* popen */

#include "cmd_json.h"
#include "efi/version.h"

/* Names of all commands, as the overview lists them. */
#define COMMANDS_MAX 40U
static size_t list_commands(char names[COMMANDS_MAX][16]) {
  size_t count = 0;
  assert_int_equal(cmd("help"), EFI_SUCCESS);
  const char *line = strstr(console_text(), "Usage: netdiag COMMAND");
  for(line = line ? strchr(line, '\n') : NULL; line && strncmp(line, "\n  ", 3) == 0; line = strchr(line + 1, '\n')) {
    if(line[3] != ' ' && sscanf(line, " %15s", names[count]) == 1 && strcmp(names[count], "help") != 0 &&
       strcmp(names[count], "version") != 0) {
      count++;
      assert_true(count < COMMANDS_MAX);
    }
  }
  assert_true(count >= 7);
  return count;
}

/* The examples that the help of this command ends with, up to where a redirection or another program's words begin. */
#define EXAMPLES_MAX 4U
static size_t list_examples(const char *command, char examples[EXAMPLES_MAX][96]) {
  char line[32];
  size_t count = 0;
  (void)snprintf(line, sizeof(line), "help %s", command);
  assert_int_equal(cmd(line), EFI_SUCCESS);
  const char *at = strstr(console_text(), "\nExamples:\n");
  (void)snprintf(line, sizeof(line), "\n  netdiag %s", command);
  for(at = at ? at + 10 : NULL; at && strncmp(at, line, strlen(line)) == 0; at = strchr(at + 1, '\n')) {
    const char *end = strchr(at + 1, '\n');
    assert_non_null(end);
    assert_true(count < EXAMPLES_MAX);
    (void)snprintf(examples[count], sizeof(examples[0]), "%.*s", (int)(end - at - 11), at + 11);
    for(const char *const *cut = (const char *const[]){" >a ", " -- ", NULL}; *cut; cut++) {
      char *found = strstr(examples[count], *cut);
      if(found) {
        *found = '\0';
      }
    }
    count++;
  }
  return count;
}

/* There is one, and the command takes it: options before --help are parsed, and nothing is done. */
static void test_examples(void **state) {
  char names[COMMANDS_MAX][16];
  (void)state;
  (void)cmd_begin(SIM_82574L);
  size_t count = list_commands(names);
  for(size_t i = 0; i < count; i++) {
    char examples[EXAMPLES_MAX][96];
    size_t example_count = list_examples(names[i], examples);
    if(example_count == 0) {
      fail_msg("'netdiag help %s' has no example", names[i]);
    }
    for(size_t j = 0; j < example_count; j++) {
      char line[160];
      (void)snprintf(line, sizeof(line), "%s --help", examples[j]);
      if(cmd(line) != EFI_SUCCESS) {
        fail_msg("the example '%s' is refused: %s", examples[j], console_text());
      }
      (void)snprintf(line, sizeof(line), "Usage: netdiag %s", names[i]);
      assert_said(line);
    }
  }
  cmd_end();
}

static void test_suggestions(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("pnig 10.0.0.2"), EFI_INVALID_PARAMETER);
  assert_said("netdiag: no command 'pnig'; did you mean 'ping'? 'netdiag help' lists them all\n");
  assert_int_equal(cmd("help Stat"), EFI_INVALID_PARAMETER);
  assert_said("did you mean 'stats'?");
  assert_int_equal(cmd("hlep"), EFI_INVALID_PARAMETER);
  assert_said("did you mean 'help'?");
  assert_int_equal(cmd("xyzzy"), EFI_INVALID_PARAMETER);
  assert_said("netdiag: no command 'xyzzy'; 'netdiag help' lists them\n");
  assert_int_equal(cmd("info --regsters"), EFI_INVALID_PARAMETER);
  assert_said("netdiag: info: unknown option '--regsters'; did you mean '--registers'?\n");
  assert_int_equal(cmd("info --xyzzy"), EFI_INVALID_PARAMETER);
  assert_said("netdiag: info: unknown option '--xyzzy'\n");
  cmd_end();
}

/* One document, whatever happens; what else is said goes to the other device. */
static void test_json_frame(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("list --json"), EFI_SUCCESS);
  assert_json("d['netdiag'] == '" NETDIAG_VERSION "' and d['command'] == 'list' and d['status'] == 0");
  assert_json("d['status_name'] == 'EFI_SUCCESS' and d['complaints'] == [] and 'error' not in d");
  assert_string_equal(console_errors(), "");
  assert_int_equal(cmd("list --json --xyzzy"), EFI_INVALID_PARAMETER);
  assert_json("d['status'] == 2 and d['error']['name'] == 'EFI_INVALID_PARAMETER'");
  assert_json("d['error']['message'].find('--xyzzy') > 0 and d['complaints'] == [d['error']['message']]");
  assert_non_null(strstr(console_errors(), "Try 'netdiag list --help'"));
  assert_int_equal(cmd("list --json --help"), EFI_SUCCESS);
  assert_non_null(strstr(console_output(), "Usage: netdiag list"));
  assert_int_equal(cmd("list -- --json"), EFI_INVALID_PARAMETER); /* behind -- it is a word */
  assert_string_equal(console_output(), console_text());
  assert_int_equal(cmd("list"), EFI_SUCCESS); /* and nothing of it stays */
  assert_said("82574L");
  cmd_end();
}

static void test_list(void **state) {
  struct stack_config none = {0};
  (void)state;
  (void)cmd_begin(SIM_82574L);
  struct firmware_nic *second = cmd_add_nic(SIM_82540EM, 0x22);
  second->config[2] = 0x01; /* a device that nobody here knows */
  second->config[3] = 0x00;
  assert_int_equal(cmd("list --json"), EFI_SUCCESS);
  assert_json("[n['nic'] for n in d['nics']] == ['eth0', 'eth1']");
  assert_json("d['nics'][0]['model'] == '82574L' and d['nics'][0]['device_id'] == '0x10d3'");
  assert_json("d['nics'][1]['model'] is None and d['nics'][1]['device_id'] == '0x0001'");
  assert_json("d['nics'][0]['bar']['size'] == 131072 and d['nics'][0]['bar']['space'] == 'memory'");
  assert_json("[n['holder'] for n in d['nics']] == [None, None] and d['nics'][1]['link'] is None");
  cmd_resident(&none);
  assert_int_equal(cmd("list --json"), EFI_SUCCESS);
  assert_json("d['nics'][0]['mac'] == '52:54:00:a1:b2:c3' and d['nics'][0]['holder'].startswith('Intel')");
  assert_json("d['nics'][0]['link'] == {'up': True, 'speed_mbps': 1000, 'full_duplex': True}");
  cmd_end();
}

/* Meaning has a colour on a screen, which is put back, and none in a file, with --no-color, or beside a document. */
static void test_colours(void **state) {
  struct stack_config none = {0};
  (void)state;
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  cmd_resident(&none);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_int_equal(console_attribute("1000 Mb/s full"), EFI_LIGHTGREEN);
  assert_int_equal(console_attribute("LINK"), EFI_LIGHTGRAY);
  assert_int_equal(console_attribute(NULL), EFI_LIGHTGRAY);
  (void)ST->ConOut->SetAttribute(ST->ConOut, EFI_WHITE | EFI_BACKGROUND_BLUE);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_int_equal(console_attribute("1000 Mb/s full"), EFI_LIGHTGREEN | EFI_BACKGROUND_BLUE);
  assert_int_equal(console_attribute(NULL), EFI_WHITE | EFI_BACKGROUND_BLUE);
  (void)ST->ConOut->SetAttribute(ST->ConOut, EFI_BLACK | EFI_BACKGROUND_LIGHTGRAY); /* green cannot be read on it */
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_int_equal(console_attribute("1000 Mb/s full"), EFI_BLACK | EFI_BACKGROUND_LIGHTGRAY);
  (void)ST->ConOut->SetAttribute(ST->ConOut, EFI_LIGHTGRAY);
  assert_int_equal(cmd("list --no-color"), EFI_SUCCESS);
  assert_int_equal(console_attribute("1000 Mb/s full"), EFI_LIGHTGRAY);
  programs_redirect(TRUE, FALSE);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_int_equal(console_attribute("1000 Mb/s full"), EFI_LIGHTGRAY);
  programs_redirect(FALSE, FALSE);
  sim_knobs(nic->sim)->link_down = true;
  assert_int_equal(cmd("stats -t 1"), EFI_SUCCESS); /* time for the driver to see it */
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_int_equal(console_attribute("down"), EFI_LIGHTRED);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_examples), cmocka_unit_test(test_suggestions), cmocka_unit_test(test_json_frame),
      cmocka_unit_test(test_list),     cmocka_unit_test(test_colours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
