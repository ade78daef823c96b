/* costs.c - what the firmware's and the processor's share of a frame costs, for tools/bench: keeping the heartbeat out,
 * and copying.
 *
 * costs SAMPLES
 *
 * `words` is the driver's own memcpy (driver/efi/libc.c, which is linked here), the others are what it could be. */
#include "bench.h"

#define CALLS 200U

static UINT8 from[2048] __attribute__((aligned(64)));
static UINT8 to[2048] __attribute__((aligned(64)));

/* Not known to be memcpy where it is called, or the compiler would do what it likes better. */
typedef VOID (*copy)(VOID *to, const VOID *from, UINTN size);

static VOID copy_words(VOID *out, const VOID *in, UINTN size) {
  static void *(*const volatile words)(void *restrict, const void *restrict, size_t) = memcpy;
  (void)words(out, in, size);
}

static VOID copy_firmware(VOID *out, const VOID *in, UINTN size) {
  BS->CopyMem(out, (VOID *)in, size);
}

#if defined(__x86_64__)
/* On processors with ERMS the fastest for long blocks. */
static VOID copy_bytes(VOID *out, const VOID *in, UINTN size) {
  __asm__ volatile("rep movsb" : "+D"(out), "+S"(in), "+c"(size) : : "memory");
}

static VOID copy_long(VOID *out, const VOID *in, UINTN size) {
  UINTN words = size / sizeof(UINTN);
  UINTN rest = size % sizeof(UINTN);
  __asm__ volatile("rep movsq; mov %3, %2; rep movsb" : "+D"(out), "+S"(in), "+c"(words) : "r"(rest) : "memory");
}
#endif

static struct samples samples;

static VOID measure_copy(const CHAR16 *name, copy work, UINTN size, UINTN wanted) {
  for(UINTN i = 0; i < wanted; i++) {
    UINT64 start = ticks();
    for(UINTN call = 0; call < CALLS; call++) {
      work(to, from, size);
    }
    add(&samples, ticks() - start);
  }
  report(name, size, CALLS, &samples);
}

static VOID measure_tpl(const CHAR16 *name, UINTN wanted) {
  for(UINTN i = 0; i < wanted; i++) {
    UINT64 start = ticks();
    for(UINTN call = 0; call < CALLS; call++) {
      BS->RestoreTPL(BS->RaiseTPL(TPL_CALLBACK));
    }
    add(&samples, ticks() - start);
  }
  report(name, 0, CALLS, &samples);
}

static VOID EFIAPI nothing(EFI_EVENT event, VOID *context) {
  (void)event;
  (void)context;
}

/* With an event that waits for the caller to go below TPL_CALLBACK, as after each tick of a timer while it does not. */
static EFI_STATUS measure_pending(UINTN wanted) {
  EFI_EVENT event;
  EFI_STATUS status = BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, nothing, NULL, &event);
  if(!EFI_ERROR(status)) {
    (void)BS->SignalEvent(event);
    measure_tpl(L"tpl-pending", wanted);
    (void)BS->CloseEvent(event);
  }
  return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  static const UINTN sizes[] = {FRAME_MIN, 512U, FRAME_MAX};
  EFI_LOADED_IMAGE *loaded;
  CHAR16 word[16];
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
  if(EFI_ERROR(status)) {
    return status;
  }
  const CHAR16 *words = loaded->LoadOptions;
  (void)next_word(&words, word, 16);
  UINTN wanted = number_in(next_word(&words, word, 16));
  Print(L"bench: %ld ticks per second\n", ticks_per_second());
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  measure_tpl(L"tpl", wanted);
  status = measure_pending(wanted);
  for(UINTN i = 0; i < 3; i++) {
    measure_copy(L"copy-words", copy_words, sizes[i], wanted);
    measure_copy(L"copy-firmware", copy_firmware, sizes[i], wanted);
#if defined(__x86_64__)
    measure_copy(L"copy-bytes", copy_bytes, sizes[i], wanted);
    measure_copy(L"copy-long", copy_long, sizes[i], wanted);
#endif
  }
  BS->RestoreTPL(tpl);
  Print(L"bench: %r\n", status);
  return status;
}
