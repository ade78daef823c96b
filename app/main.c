/* main.c - netdiag.efi: finds its arguments, picks the sub-command, returns its result. */
#include "netdiag.h"

#include <efishell.h>

#define ARGUMENTS_MAX   POSITIONAL_MAX
#define ARGUMENT_BYTES  2048U
#define VALUES_SIZE_MAX 128U

static const struct command *const commands[] = {
    &command_list, &command_info, &command_stats, &command_ping, &command_frames, &command_echo, &command_handoff,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* Help ----------------------------------------------------------------------------------------------------------- */

static void out_usage(const struct command *command) {
  out("Usage: netdiag %s%s%s%s\n", command->name, command->options->name ? " [options]" : "",
      command->arguments[0] ? " " : "", command->arguments);
  out("%s\n", command->summary);
  if(command->details[0]) {
    out("%s\n", command->details);
  }
  if(command->options->name) {
    out("Options:\n");
  }
  for(const struct option *option = command->options; option->name; option++) {
    out("  %-11s %-13s %s\n", option->name, option->argument ? option->argument : "", option->help);
  }
}

static void out_overview(void) {
  out("netdiag " NETDIAG_VERSION ": looks at, drives and tests Intel 8254x and 82574L network controllers.\n");
  out("Usage: netdiag COMMAND [options]     'netdiag COMMAND --help' explains one.\n");
  for(UINTN i = 0; i < COMMAND_COUNT; i++) {
    out("  %-8s %s\n", commands[i]->name, commands[i]->summary);
  }
  out("  %-8s %s\n", "help", "this text, or the help of a command");
  out("  %-8s %s\n", "version", "the version of this program");
  out("Esc or Ctrl-C stops whatever takes long. The exit status is in %%lasterror%%.\n");
}

static const struct command *find_command(const char *name) {
  for(UINTN i = 0; i < COMMAND_COUNT; i++) {
    if(text_equal(commands[i]->name, name)) {
      return commands[i];
    }
  }
  return NULL;
}

/* Dispatch ------------------------------------------------------------------------------------------------------- */

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
  if(count >= 0 && count < command->words_min) {
    complain("%s: %s is missing", command->name, command->arguments);
  } else if(count < 0) {
    complain("%s: %s", command->name, error);
  } else {
    return command->run(values, words, count);
  }
  out("Try 'netdiag %s --help'.\n", command->name);
  return EFI_INVALID_PARAMETER;
}

static EFI_STATUS run(int argc, char *const argv[]) {
  if(argc == 0 || text_equal(argv[0], "help") || text_equal(argv[0], "-h") || text_equal(argv[0], "--help")) {
    const struct command *about = argc > 1 ? find_command(argv[1]) : NULL;
    if(argc > 1 && !about) {
      complain("no command '%s'; 'netdiag help' lists them", argv[1]);
      return EFI_INVALID_PARAMETER;
    }
    if(about) {
      out_usage(about);
    } else {
      out_overview();
    }
    return EFI_SUCCESS;
  }
  if(text_equal(argv[0], "version") || text_equal(argv[0], "--version")) {
    out("netdiag " NETDIAG_VERSION "\n");
    return EFI_SUCCESS;
  }
  const struct command *command = find_command(argv[0]);
  if(!command) {
    complain("no command '%s'; 'netdiag help' lists them", argv[0]);
    return EFI_INVALID_PARAMETER;
  }
  return run_command(command, argc - 1, argv + 1);
}

/* Arguments ------------------------------------------------------------------------------------------------------ */

static struct {
  char bytes[ARGUMENT_BYTES];
  char *argv[ARGUMENTS_MAX];
  int argc;
} arguments;

/* Everything netdiag understands is ASCII; a character that is not cannot match anything and becomes '?'. */
static UINTN copy_ascii(const CHAR16 *from, UINTN length, UINTN at) {
  for(UINTN i = 0; i < length && from[i] && at < ARGUMENT_BYTES; i++) {
    arguments.bytes[at++] = from[i] < 0x80 ? (char)from[i] : '?';
  }
  if(at < ARGUMENT_BYTES) {
    arguments.bytes[at++] = '\0';
    return at;
  }
  return ARGUMENT_BYTES + 1U; /* it does not fit */
}

/* From the Shell: an argument vector, whose first word is our own name. From a boot option: one line of load options.
 * False when there is more than fits. */
static bool collect_arguments(EFI_HANDLE image) {
  EFI_GUID parameters_guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;
  EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
  EFI_SHELL_PARAMETERS_PROTOCOL *parameters;
  EFI_LOADED_IMAGE *loaded;
  UINTN at = 0;

  if(!EFI_ERROR(BS->HandleProtocol(image, &parameters_guid, (VOID **)&parameters))) {
    for(UINTN i = 1; i < parameters->Argc && at <= ARGUMENT_BYTES; i++) {
      if(arguments.argc == ARGUMENTS_MAX) {
        return false;
      }
      arguments.argv[arguments.argc++] = &arguments.bytes[at];
      at = copy_ascii(parameters->Argv[i], ARGUMENT_BYTES, at);
    }
  } else if(!EFI_ERROR(BS->HandleProtocol(image, &image_guid, (VOID **)&loaded)) && loaded->LoadOptions) {
    at = copy_ascii(loaded->LoadOptions, loaded->LoadOptionsSize / sizeof(CHAR16), 0);
    if(at <= ARGUMENT_BYTES) {
      arguments.argc = args_split(arguments.bytes, arguments.argv, ARGUMENTS_MAX);
    }
  }
  return at <= ARGUMENT_BYTES;
}

static EFI_HANDLE image_handle;

EFI_HANDLE session_image(void) {
  return image_handle;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* Called by gnu-efi's start-up code, in the System V calling convention. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  InitializeLib(image, system_table);
  image_handle = image;
  if(!collect_arguments(image)) {
    complain("the command line is too long: at most %u words and %u characters", ARGUMENTS_MAX, ARGUMENT_BYTES);
    return EFI_INVALID_PARAMETER;
  }
  return run(arguments.argc, arguments.argv);
}
