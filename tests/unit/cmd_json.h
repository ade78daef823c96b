/* cmd_json.h - what netdiag printed with --json, judged by Python. Wants popen: _POSIX_C_SOURCE before all includes. */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include <stdio.h>

#include "cmd_machine.h"

/* What went to the console proper is one JSON document, `d`, no line of it is longer than a console's unless it is one
 * string, and the Python expression is true. No double quotes or dollar signs in it. */
static inline void cmd_assert_json(const char *expression, const char *file, int line) {
  char command[2048];
  (void)snprintf(command, sizeof(command),
                 "python3 -c \"import json, sys\n"
                 "t = sys.stdin.read()\n"
                 "d = json.loads(t)\n"
                 "sys.exit(0 if not [l for l in t.splitlines() if len(l) > 79 and l.count(chr(34)) not in (2, 4)] "
                 "and (%s) else 1)\"",
                 expression);
  FILE *python = popen(command, "w");
  assert_non_null(python);
  (void)fputs(console_output(), python);
  if(pclose(python) != 0) {
    print_message("%s", console_output());
    print_error("not so: %s\n", expression);
    _fail(file, line);
  }
}
#define assert_json(expression) cmd_assert_json(expression, __FILE__, __LINE__)

#endif
