/* main.c - netdiag.efi: finds its arguments, picks the sub-command, returns its result. */
#include "image.h"
#include "netdiag.h"

#include <efishell.h>

#include "../driver/efi/clock.h"
#include "load_options.h"
#include "menu/menu.h"
#include "suggest.h"
#include "watchdog.h"

#define ARGUMENTS_MAX   POSITIONAL_MAX
#define ARGUMENT_BYTES  2048U
#define VALUES_SIZE_MAX 256U

static const struct command *const commands[] = {
    &command_doctor,   &command_list,     &command_info,
    &command_stats,    &command_regs,     &command_rings,
    &command_selftest, &command_identify, &command_ping,
    &command_dhcp,     &command_arp,      &command_route,
    &command_frames,   &command_echo,     &command_capture,
    &command_monitor,  &command_bench,    &command_handoff,
    &command_fetch,    &command_boot,     NULL,
};

static const struct command *find_command(const char *name) {
  for(const struct command *const *each = commands; *each; each++) {
    if(text_same((*each)->name, name)) {
      return *each;
    }
  }
  return NULL;
}

static EFI_STATUS no_command(const char *word) {
  static const char *const others[] = {"help", "version"};
  struct suggestion best = {0};
  for(const struct command *const *each = commands; *each; each++) {
    suggest_try(&best, word, (*each)->name);
  }
  for(UINTN i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    suggest_try(&best, word, others[i]);
  }
  if(best.word) {
    complain("no command '%s'; did you mean '%s'? 'netdiag help' lists them all", word, best.word);
  } else {
    complain("no command '%s'; 'netdiag help' lists them", word);
  }
  return EFI_INVALID_PARAMETER;
}

/* Help ----------------------------------------------------------------------------------------------------------- */

#define OPTION_HANG  29U
#define COMMAND_HANG 11U
#define STATUS_HANG  28U

static void out_option(const char *name, const char *argument, const char *help) {
  out_hanging(OPTION_HANG, "  %-11s %-13s  %s\n", name, argument ? argument : "", help);
}

static void out_usage(const struct command *command) {
  out("Usage: netdiag %s [options]%s%s\n", command->name, command->arguments[0] ? " " : "", command->arguments);
  out_hanging(0, "%s\n", command->summary);
  if(command->details[0]) {
    out_hanging(0, "%s\n", command->details);
  }
  out("Options:\n");
  for(const struct option *option = command->options; option->name; option++) {
    out_option(option->name, option->argument, option->help);
  }
  out_option("-b", NULL, "stop after each screen");
  out_option("--no-color", NULL, "no colours");
  if(command->examples[0]) {
    out("Examples:\n");
  }
  for(const char *const *example = command->examples; *example; example++) {
    out("  netdiag %s\n", *example);
  }
}

static void out_overview(void) {
  out("netdiag " NETDIAG_VERSION ": looks at, drives and tests NICs. It has drivers for:\n");
  for(const struct net_driver *const *driver = net_drivers; *driver; driver++) {
    out("  %s\n", (*driver)->title);
  }
  out("Usage: netdiag COMMAND [options]     'netdiag help COMMAND' explains one.\n");
  for(const struct command *const *each = commands; *each; each++) {
    out_hanging(COMMAND_HANG, "  %-8s %s\n", (*each)->name, (*each)->summary);
  }
  out("  %-8s %s\n", "help", "this text, or the help of a command");
  out("  %-8s %s\n", "version", "the version of this program");
  out("Esc or Ctrl-C stops whatever takes long. The exit status is in %%lasterror%%:\n"
      "'netdiag help status' explains the values.\n");
}

/* What netdiag itself returns. */
static const struct {
  EFI_STATUS status;
  const char *name;
  const char *text;
} statuses[] = {
    {EFI_SUCCESS, "EFI_SUCCESS", "done, and everything was as it should be"},
    {EFI_INVALID_PARAMETER, "EFI_INVALID_PARAMETER", "the command line is wrong"},
    {EFI_UNSUPPORTED, "EFI_UNSUPPORTED",
     "a NIC that no driver here knows; a firmware without the part that is needed; a NEXT.EFI that it cannot run"},
    {EFI_NOT_READY, "EFI_NOT_READY", "the NIC is busy with something else"},
    {EFI_DEVICE_ERROR, "EFI_DEVICE_ERROR", "the NIC failed or is gone, or was not given back whole"},
    {EFI_OUT_OF_RESOURCES, "EFI_OUT_OF_RESOURCES", "no memory, or no place in the handoff table"},
    {EFI_WRITE_PROTECTED, "EFI_WRITE_PROTECTED", "the volume can only be read"},
    {EFI_VOLUME_FULL, "EFI_VOLUME_FULL", "the volume is full; the capture is valid as far as it goes"},
    {EFI_NO_MEDIA, "EFI_NO_MEDIA", "no link"},
    {EFI_NOT_FOUND, "EFI_NOT_FOUND", "no such NIC, file or handoff"},
    {EFI_ACCESS_DENIED, "EFI_ACCESS_DENIED",
     "another driver holds the NIC, or it is armed for a handoff; an address is taken; a DHCP server refuses"},
    {EFI_TIMEOUT, "EFI_TIMEOUT", "an answer is missing: of the peer, a DHCP server, or the NIC"},
    {EFI_PROTOCOL_ERROR, "EFI_PROTOCOL_ERROR", "the network's answers are wrong (doctor)"},
    {EFI_LOAD_ERROR, "EFI_LOAD_ERROR", "the boot file is none for this machine (doctor)"},
    {EFI_NOT_STARTED, "EFI_NOT_STARTED", "the driver did not start on the NIC"},
    {EFI_ABORTED, "EFI_ABORTED", "Esc or Ctrl-C"},
    {EFI_BAD_BUFFER_SIZE, "EFI_BAD_BUFFER_SIZE", "a file is too large, or a server sent more or less than it said"},
    {EFI_COMPROMISED_DATA, "EFI_COMPROMISED_DATA", "a file has another hash, or a handoff table is damaged"},
    {EFI_END_OF_FILE, "EFI_END_OF_FILE", "a file is cut short"},
    {EFI_SECURITY_VIOLATION, "EFI_SECURITY_VIOLATION", "Secure Boot refuses NEXT.EFI or the driver"},
};
#define STATUS_COUNT (sizeof(statuses) / sizeof(statuses[0]))

static const char *status_name(EFI_STATUS status) {
  for(UINTN i = 0; i < STATUS_COUNT; i++) {
    if(statuses[i].status == status) {
      return statuses[i].name;
    }
  }
  return status_text(status);
}

static void out_statuses(void) {
  out("What netdiag exits with, as the Shell shows it in %%lasterror%%:\n");
  for(UINTN i = 0; i < STATUS_COUNT; i++) {
    out_hanging(STATUS_HANG, "  0x%-3x %-21s %s\n", (UINT32)statuses[i].status, statuses[i].name, statuses[i].text);
  }
  out_hanging(0, "A 32-bit Shell shows them with the highest bit set, as 0x80000012.\n");
  out_hanging(0, "Anything else comes from the firmware, which could not do what was asked of it, or from NEXT.EFI.\n");
}

static EFI_STATUS help(const char *topic) {
  const struct command *about = topic ? find_command(topic) : NULL;
  if(!topic) {
    out_overview();
  } else if(about) {
    out_usage(about);
  } else if(text_same(topic, "help")) {
    out("Usage: netdiag help [COMMAND | status]\n"
        "The list of commands, the help of one of them, or the list of exit statuses.\n");
  } else if(text_same(topic, "version")) {
    out("Usage: netdiag version\nThe version of this program.\n");
  } else if(text_same(topic, "status")) {
    out_statuses();
  } else {
    return no_command(topic);
  }
  return EFI_SUCCESS;
}

/* Dispatch ------------------------------------------------------------------------------------------------------- */

/* Whether the command can write a document and is asked to: also on a line that cannot be parsed. */
static bool wants_json(const struct command *command, int argc, char *const argv[]) {
  bool can = false;
  bool asked = false;
  for(const struct option *option = command->options; option->name; option++) {
    can = can || text_equal(option->name, JSON_OPTION);
  }
  for(int i = 0; i < argc && !text_equal(argv[i], "--"); i++) {
    asked = asked || text_equal(argv[i], JSON_OPTION);
  }
  return can && asked;
}

static EFI_STATUS run_parsed(const struct command *command, const void *values, const char *const *words, int count,
                             const char *error) {
  if(count >= 0 && count < command->words_min) {
    complain("%s: %s is missing", command->name, command->arguments);
  } else if(count < 0) {
    complain("%s: %s", command->name, error);
  } else {
    efi_clock_calibrate();
    return command->run(values, words, count);
  }
  out_error("Try 'netdiag %s --help'.\n", command->name);
  return EFI_INVALID_PARAMETER;
}

static EFI_STATUS run_command(const struct command *command, int argc, char *const argv[]) {
  _Alignas(16) char values[VALUES_SIZE_MAX] = {0};
  const char *words[POSITIONAL_MAX];
  char error[ARGS_ERROR_SIZE];
  bool help;

  if(command->values_size > sizeof(values)) {
    return EFI_BUFFER_TOO_SMALL;
  }
  int count = args_parse(command->options, values, argc, argv, words, command->words_max, &help, error);
  if(help) {
    out_usage(command);
    return EFI_SUCCESS;
  }
  if(wants_json(command, argc, argv)) {
    report_begin(NETDIAG_VERSION, command->name);
  }
  EFI_STATUS status = run_parsed(command, values, words, count, error);
  report_finish(status, status_name(status));
  return status;
}

static bool is_help(const char *word) {
  return text_same(word, "help") || text_equal(word, "-h") || text_equal(word, "--help");
}

static EFI_STATUS run(int argc, char *const argv[]) {
  if(argc == 0 || is_help(argv[0])) {
    return help(argc > 1 ? argv[1] : NULL);
  }
  if(text_same(argv[0], "version") || text_equal(argv[0], "--version")) {
    if(argc > 1 && is_help(argv[1])) {
      return help("version");
    }
    out("netdiag " NETDIAG_VERSION "\n");
    return EFI_SUCCESS;
  }
  const struct command *command = find_command(argv[0]);
  if(!command) {
    return no_command(argv[0]);
  }
  return run_command(command, argc - 1, argv + 1);
}

/* Arguments ------------------------------------------------------------------------------------------------------ */

static struct {
  char bytes[ARGUMENT_BYTES];
  char *argv[ARGUMENTS_MAX];
  int argc;
  bool from_shell;    /* who gives none wants help; a boot manager has nobody to read it */
  const char *notice; /* what the menu says at first                                     */
} arguments;

/* From the Shell: an argument vector, whose first word is our own name. Everything netdiag understands is ASCII; a
 * character that is not cannot match anything and becomes '?'. */
static bool copy_vector(const EFI_SHELL_PARAMETERS_PROTOCOL *parameters) {
  UINTN at = 0;
  for(UINTN i = 1; i < parameters->Argc; i++) {
    const CHAR16 *word = parameters->Argv[i];
    UINTN length = StrLen(word) + 1U;
    if(arguments.argc == ARGUMENTS_MAX || length > ARGUMENT_BYTES - at) {
      return false;
    }
    arguments.argv[arguments.argc++] = &arguments.bytes[at];
    for(; length > 0; length--, word++) {
      arguments.bytes[at++] = *word < 0x80 ? (char)*word : '?';
    }
  }
  return true;
}

/* From a boot option: one line of load options. False, and a complaint, when there is more than fits. */
static bool collect_arguments(EFI_HANDLE image) {
  EFI_GUID parameters_guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;
  EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
  EFI_SHELL_PARAMETERS_PROTOCOL *parameters;
  EFI_LOADED_IMAGE *loaded;
  bool fits = true;

  arguments.notice = "";
  if(!EFI_ERROR(BS->HandleProtocol(image, &parameters_guid, (VOID **)&parameters))) {
    arguments.from_shell = true;
    fits = copy_vector(parameters);
  } else if(!EFI_ERROR(BS->HandleProtocol(image, &image_guid, (VOID **)&loaded)) && loaded->LoadOptions) {
    int count = load_options_parse(loaded->LoadOptions, loaded->LoadOptionsSize, arguments.bytes, ARGUMENT_BYTES,
                                   arguments.argv, ARGUMENTS_MAX);
    if(count == LOAD_OPTIONS_NOT_TEXT) {
      arguments.notice = "The load options are no text, and are ignored.";
    }
    fits = count != LOAD_OPTIONS_TOO_LONG;
    arguments.argc = count > 0 ? count : 0;
  }
  if(!fits) {
    complain("the command line is too long: at most %u words and %u characters", ARGUMENTS_MAX, ARGUMENT_BYTES);
  }
  return fits;
}

/* -b and --no-color are for every command, and what they do is done before there is one. */
static void take_common_options(int *argc, char *argv[]) {
  int kept = 0;
  bool only_words = false;
  bool paged = false;
  bool no_colour = false;
  for(int i = 0; i < *argc; i++) {
    only_words = only_words || text_equal(argv[i], "--");
    if(!only_words && text_equal(argv[i], "-b")) {
      paged = true;
    } else if(!only_words && text_equal(argv[i], "--no-color")) {
      no_colour = true;
    } else {
      argv[kept++] = argv[i];
    }
  }
  *argc = kept;
  console_init(image_handle(), paged);
  if(no_colour) {
    console_no_colour();
  }
}

static EFI_STATUS run_line(int argc, char *argv[]) {
  take_common_options(&argc, argv);
  return run(argc, argv);
}

static EFI_STATUS run_from_menu(int argc, char *argv[]) {
  EFI_STATUS status = run_line(argc, argv);
  console_init(image_handle(), false); /* what follows is no part of its pages */
  return status;
}

static bool has_command(const char *name) {
  return find_command(name) != NULL;
}

/* Without a Shell and without orders. Where no menu is to be had, the help says what could be ordered. */
static EFI_STATUS stay(void) {
  static const struct menu_host host = {.version = NETDIAG_VERSION, .has = has_command, .run = run_from_menu};
  EFI_STATUS status = menu_stay(&host, arguments.notice);
  return status == EFI_UNSUPPORTED ? help(NULL) : status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* Called by gnu-efi's start-up code, in the System V calling convention. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  InitializeLib(image, system_table);
  image_set(image);
  watchdog_init(image);
  console_init(image, false);
  EFI_STATUS status = EFI_INVALID_PARAMETER;
  if(collect_arguments(image)) {
    bool menu = !arguments.from_shell && arguments.argc == 0;
    status = menu ? stay() : run_line(arguments.argc, arguments.argv);
  }
  (void)watchdog_give_back();
  return status;
}
