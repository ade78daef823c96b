/* calendar.h - seconds since 1970 of a date and time. Pure C. */
#ifndef LIB_CALENDAR_H
#define LIB_CALENDAR_H

#include <stdint.h>

/* Seconds since 1970-01-01 of a date and time of the Gregorian calendar, from 1970 on; month and day from 1. 0 for what
 * is no date: the calendar's own limits are checked, leap seconds are not known. */
struct calendar {
  uint32_t year;
  uint32_t month;
  uint32_t day;
  uint32_t hour;
  uint32_t minute;
  uint32_t second;
};
uint64_t calendar_seconds(const struct calendar *date);

#endif
