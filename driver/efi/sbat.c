/* sbat.c - the SBAT section that every image carries: shim and firmware that know it refuse a generation with a hole,
 * without a hash of each image that has it. */
#include "efi/version.h"

_Static_assert(NETDIAG_VERSION_MAJOR <= 255 && NETDIAG_VERSION_MINOR <= 255, "two bytes in an option ROM");

/* Goes up by one when a hole in Secure Boot is closed, and never otherwise. */
#define SBAT_GENERATION "1"

/* One line a component, in CSV: the format's own first, then component, generation, vendor, package, version and where
 * to report. The section is all of it; what is behind it on its page is NUL. */
__attribute__((used, section(".sbat"), aligned(4096))) static const char sbat[] = {
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
    "netdiag," SBAT_GENERATION ",The menios network driver authors,netdiag," NETDIAG_VERSION ",see README.md\n"};
