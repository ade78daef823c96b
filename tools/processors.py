"""processors - those that the images are built for (make's ARCH), and what a machine of QEMU's with one is made of."""

import os
import typing


class Processor(typing.NamedTuple):
    name: str                    # what ARCH= calls it
    qemu: str                    # QEMU's program
    qemu_package: str            # and Debian's package with it
    machines: tuple              # for QEMU's -M, the usual one first
    cpu: str                     # for its -cpu, with instructions for random numbers
    firmware_name: str
    firmware: tuple              # names of its code and its variables, best first
    folder: str                  # where Debian has them
    firmware_package: str
    boot_file: str               # what a removable medium is started by (UEFI 2.10, 3.5.1.1)
    shells: tuple                # a UEFI Shell to put there, where there is one
    secure_only: bool = False    # the firmware keeps its variables in system management mode, or not at all
    screen: tuple = ("-vga", "std")


# edk2 since 2024 offers no network without a source of random numbers. The processor's own, since the other one, QEMU's
# virtio-rng-pci, hangs edk2's driver for it now and then (tests/README.md).
TABLE = {processor.name: processor for processor in (
    Processor("x86_64", "qemu-system-x86_64", "qemu-system-x86", ("q35", "pc"), "qemu64,+rdrand",
            "OVMF", (("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"), ("OVMF_CODE.fd", "OVMF_VARS.fd")),
            "/usr/share/OVMF", "ovmf", "EFI/BOOT/BOOTX64.EFI", ("/usr/share/efi-shell-x64/shellx64.efi",)),
    Processor("ia32", "qemu-system-i386", "qemu-system-x86", ("q35",), "qemu32,+rdrand",
            "OVMF for ia32", (("OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd"),), "/usr/share/OVMF", "ovmf-ia32",
            "EFI/BOOT/BOOTIA32.EFI", ("/usr/share/efi-shell-ia32/shellia32.efi",), secure_only=True),
    Processor("aarch64", "qemu-system-aarch64", "qemu-system-arm", ("virt",), "max,pauth-impdef=on",
            "AAVMF", (("AAVMF_CODE.no-secboot.fd", "AAVMF_VARS.fd"), ("AAVMF_CODE.fd", "AAVMF_VARS.fd")),
            "/usr/share/AAVMF", "qemu-efi-aarch64", "EFI/BOOT/BOOTAA64.EFI",
            (),  # its own Shell starts, and behind it the network stack
            screen=("-device", "ramfb", "-device", "qemu-xhci", "-device", "usb-kbd")),
)}
NAMES = tuple(TABLE)


def firmware(processor, folder=None):
    """The paths of the firmware's code and of the variables that a machine starts with, from a folder or Debian's; None
    where it is not there."""
    folder = folder or processor.folder
    for names in processor.firmware:
        code, variables = (os.path.join(folder, name) for name in names)
        if os.path.exists(code) and os.path.exists(variables):
            return code, variables
    return None


def shell(processor, folder=None):
    """The path of a UEFI Shell to boot, or None, as on Debian 12. Newer firmware (edk2 2026.08) does not start its
    own by itself."""
    places = (*processor.shells, *([os.path.join(folder, "Shell.efi")] if folder else []))
    return next((path for path in places if os.path.exists(path)), None)
