/* dhcp_print.h - a DHCP answer as lines of text, or as members of the JSON object that is open. */
#ifndef APP_DHCP_PRINT_H
#define APP_DHCP_PRINT_H

#include "../../driver/lib/dhcp.h"
#include "../netdiag.h"

/* What it says, one field a line; with `fields` left out what an answer to a request repeats. */
void dhcp_print(const struct dhcp_offer *offer);

/* Every option of the message, as it stands there. */
void dhcp_print_options(const void *message, size_t length);

#endif
