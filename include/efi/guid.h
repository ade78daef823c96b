/* guid.h - the initializer of an EFI_GUID from its parts as they are printed. */
#ifndef EFI_GUID_H
#define EFI_GUID_H

/* Three numbers and eight bytes. A macro, since clang-format's versions break nested braces in others differently. */
#define GUID_OF(a, b, c, ...)                                                                                          \
  {                                                                                                                    \
    (a), (b), (c), {                                                                                                   \
      __VA_ARGS__                                                                                                      \
    }                                                                                                                  \
  }

#endif
