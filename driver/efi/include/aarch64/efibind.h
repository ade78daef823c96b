/* efibind.h - UEFI's types for AArch64 (UEFI 2.10, 2.3.1 and 2.3.6), as gnu-efi's other headers want them. Its package
 * for this processor has such a file; Debian's for the build machine has those of x86-64 and ia32 only. */
#ifndef EFI_BIND_AARCH64_H
#define EFI_BIND_AARCH64_H

#include <stdint.h>

typedef uint8_t UINT8;
typedef int8_t INT8;
typedef uint16_t UINT16;
typedef int16_t INT16;
typedef uint32_t UINT32;
typedef int32_t INT32;
typedef uint64_t UINT64;
typedef int64_t INT64;
typedef uint64_t UINTN;
typedef int64_t INTN;
typedef __WCHAR_TYPE__ WCHAR; /* 16 bits, by -fshort-wchar */
typedef UINT16 CHAR16;        /* these two stand here since gnu-efi 3.0.18, in efidef.h before: C11 takes both */
typedef UINT8 CHAR8;
#define VOID void

/* The procedure call standard of the processor's ABI is UEFI's too. */
#define EFIAPI
#define EFI_FUNCTION
#define uefi_call_wrapper(function, count, ...) function(__VA_ARGS__)

#define EFI_ERROR_MASK   0x8000000000000000U
#define EFIERR(code)     (EFI_ERROR_MASK | (code))
#define EFIERR_OEM(code) (0xC000000000000000U | (code))

#define EFI_SIGNATURE_16(a, b)       ((a) | ((b) << 8))
#define EFI_SIGNATURE_32(a, b, c, d) (EFI_SIGNATURE_16(a, b) | (EFI_SIGNATURE_16(c, d) << 16))
#define EFI_SIGNATURE_64(a, b, c, d, e, f, g, h)                                                                       \
  (EFI_SIGNATURE_32(a, b, c, d) | ((UINT64)(EFI_SIGNATURE_32(e, f, g, h)) << 32))

#define INTERFACE_DECL(x) struct x
#define BOOTSERVICE
#define RUNTIMESERVICE
#define RUNTIMEFUNCTION
#define VOLATILE volatile

#endif
