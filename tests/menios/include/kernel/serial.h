/* serial.h - menios' serial port. */
#ifndef MENIOS_STUB_SERIAL_H
#define MENIOS_STUB_SERIAL_H

int serial_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
