/* calendar.c - seconds since 1970 of a date and time. */
#include "calendar.h"

#include <stdbool.h>

static bool is_leap(uint32_t year) {
  return (year % 4U == 0 && year % 100U != 0) || year % 400U == 0;
}

static uint32_t days_of(uint32_t year, uint32_t month) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2U && is_leap(year) ? 29U : days[month - 1U];
}

uint64_t calendar_seconds(const struct calendar *date) {
  if(date->year < 1970U || date->year > 9999U || date->month < 1U || date->month > 12U || date->day < 1U ||
     date->day > days_of(date->year, date->month) || date->hour > 23U || date->minute > 59U || date->second > 59U) {
    return 0;
  }
  uint64_t days = date->day - 1U;
  for(uint32_t year = 1970U; year < date->year; year++) {
    days += is_leap(year) ? 366U : 365U;
  }
  for(uint32_t month = 1U; month < date->month; month++) {
    days += days_of(date->year, month);
  }
  return ((days * 24U + date->hour) * 60U + date->minute) * 60U + date->second;
}
