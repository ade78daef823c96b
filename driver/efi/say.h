/* say.h - a line on the firmware's console, for a driver that has no program around it. */
#ifndef EFI_SAY_H
#define EFI_SAY_H

#define SAY_SIZE 256U /* characters of one call; what is beyond is cut */

/* Prints as format_text does (driver/lib/format.h), where there is a console; lines end with "\r\n". TPL_NOTIFY or
 * lower, not after ExitBootServices. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
