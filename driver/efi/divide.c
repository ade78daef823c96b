/* divide.c - division of 64-bit numbers on ia32, whose compilers call functions of their own library for it. That
 * library is a package of its own on a 64-bit machine. */
#include <stddef.h>
#include <stdint.h>

#if defined(__i386__) || defined(DIVIDE_TEST)

/* The names and meanings are the compiler's (GCC internals, "Routines for integer arithmetic"). */
uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder);
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);
int64_t __divdi3(int64_t dividend, int64_t divisor);
int64_t __moddi3(int64_t dividend, int64_t divisor);

/* high:low / divisor, where high < divisor, so that the quotient has 32 bits. */
static uint32_t divide_long(uint32_t high, uint32_t low, uint32_t divisor, uint32_t *remainder) {
  uint32_t quotient;
  __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "r"(divisor) : "cc");
  return quotient;
}

/* Two digits of 32 bits by one: on paper. */
static uint64_t divide_short(uint64_t dividend, uint32_t divisor, uint64_t *remainder) {
  uint32_t rest;
  uint32_t high = divide_long(0, (uint32_t)(dividend >> 32), divisor, &rest);
  uint32_t low = divide_long(rest, (uint32_t)dividend, divisor, &rest);
  *remainder = rest;
  return (uint64_t)high << 32 | low;
}

/* A divisor of more than 32 bits: at most 32 bits of quotient, one by one. */
static uint64_t divide_by_long(uint64_t dividend, uint64_t divisor, uint64_t *remainder) {
  uint64_t rest = dividend >> 32;
  uint64_t quotient = 0;
  for(uint32_t bit = 32; bit-- > 0;) {
    rest = rest << 1 | (dividend >> bit & 1U); /* the dividend so far, so that nothing falls out */
    quotient <<= 1;
    if(rest >= divisor) {
      rest -= divisor;
      quotient |= 1U;
    }
  }
  *remainder = rest;
  return quotient;
}

uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder) {
  uint64_t rest;
  uint64_t quotient =
      divisor >> 32 ? divide_by_long(dividend, divisor, &rest) : divide_short(dividend, (uint32_t)divisor, &rest);
  if(remainder) {
    *remainder = rest;
  }
  return quotient;
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor) {
  return __udivmoddi4(dividend, divisor, NULL);
}

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor) {
  uint64_t remainder;
  (void)__udivmoddi4(dividend, divisor, &remainder);
  return remainder;
}

static uint64_t magnitude(int64_t value) {
  return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

int64_t __divdi3(int64_t dividend, int64_t divisor) {
  uint64_t quotient = __udivdi3(magnitude(dividend), magnitude(divisor));
  return (int64_t)((dividend < 0) != (divisor < 0) ? -quotient : quotient);
}

/* The remainder has the dividend's sign (C11 6.5.5). */
int64_t __moddi3(int64_t dividend, int64_t divisor) {
  uint64_t remainder = __umoddi3(magnitude(dividend), magnitude(divisor));
  return (int64_t)(dividend < 0 ? -remainder : remainder);
}

#endif
