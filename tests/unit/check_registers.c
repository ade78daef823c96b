/* check_registers.c - compares the driver's register table with the one transcribed from the manuals, row by row. */
#include "net/e1000.h"
#include "registers_manual.h"

#include <stdio.h>
#include <string.h>

static unsigned problems;

static void disagree(const char *name, const char *what, unsigned driver, unsigned manual) {
  printf("%s: %s is 0x%X in the driver, 0x%X in the manual\n", name, what, driver, manual);
  problems++;
}

/* The manuals know no class of their own for a register whose reading takes a semaphore. */
static const char *access_name(enum e1000_access access) {
  switch(access) {
  case E1000_RW:
  case E1000_RS:
    return "RW";
  case E1000_RO:
    return "RO";
  case E1000_WO:
    return "WO";
  case E1000_RC:
    return "RC";
  }
  return "?";
}

static const struct manual_register *find(const char *name) {
  for(size_t i = 0; i < manual_register_count; i++) {
    if(strcmp(manual_registers[i].name, name) == 0) {
      return &manual_registers[i];
    }
  }
  return NULL;
}

static void compare(const struct e1000_register *driver) {
  const struct manual_register *manual = find(driver->name);
  if(!manual) {
    printf("%s: in the driver at 0x%X, not in the manual's table\n", driver->name, (unsigned)driver->offset);
    problems++;
    return;
  }
  if(driver->offset != manual->offset) {
    disagree(driver->name, "the offset", driver->offset, manual->offset);
  }
  if(driver->count != manual->count) {
    disagree(driver->name, "the count", driver->count, manual->count);
  }
  if(driver->stride != manual->stride) {
    disagree(driver->name, "the stride", driver->stride, manual->stride);
  }
  if(strcmp(access_name(driver->access), manual->access) != 0) {
    printf("%s: the access is %s in the driver, %s in the manual\n", driver->name, access_name(driver->access),
           manual->access);
    problems++;
  }
}

static void complain_about(const char *table, const char *left, const char *right, const char *what, unsigned offset) {
  printf("%s: %s and %s have the same %s (0x%X)\n", table, left, right, what, offset);
  problems++;
}

/* Whether some register of one row is a register of the other; RAL and RAH lie between each other without that. */
static bool overlap(const struct e1000_register *left, const struct e1000_register *right) {
  for(uint32_t i = 0; i < left->count; i++) {
    for(uint32_t j = 0; j < right->count; j++) {
      if(left->offset + i * left->stride == right->offset + j * right->stride) {
        return true;
      }
    }
  }
  return false;
}

static void check_unique(void) {
  for(size_t i = 0; i < e1000_register_count; i++) {
    for(size_t j = 0; j < i; j++) {
      const struct e1000_register *left = &e1000_registers[j];
      const struct e1000_register *right = &e1000_registers[i];
      if(overlap(left, right)) {
        complain_about("driver", left->name, right->name, "offset", right->offset);
      }
      if(strcmp(left->name, right->name) == 0) {
        complain_about("driver", left->name, right->name, "name", right->offset);
      }
    }
  }
  for(size_t i = 0; i < manual_register_count; i++) {
    for(size_t j = 0; j < i; j++) {
      if(manual_registers[i].offset == manual_registers[j].offset) {
        complain_about("manual", manual_registers[j].name, manual_registers[i].name, "offset",
                       manual_registers[i].offset);
      }
    }
  }
}

int main(void) {
  for(size_t i = 0; i < e1000_register_count; i++) {
    compare(&e1000_registers[i]);
  }
  check_unique();
  if(e1000_register_count == 0) {
    printf("the driver's table is empty\n");
    problems++;
  }
  if(problems > 0) {
    return 1;
  }
  printf("register table: %zu rows agree with the manual\n", e1000_register_count);
  return 0;
}
