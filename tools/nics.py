"""nics - every NIC model that the tools and tests know, in one table."""

import typing


class Nic(typing.NamedTuple):
    name: str              # what NIC=, NICS= and the tests call it
    device: str            # QEMU's -device, without what differs from NIC to NIC
    part: str              # what netdiag calls it
    vendor: int            # PCI
    device_id: int         # PCI
    rom: str | None        # our option ROM in build/
    ipxe_rom: str          # iPXE's, which QEMU's models carry by default
    port: bool = False     # sits below a PCI Express root port, which only q35 has

    @property
    def pci_id(self):
        return f"{self.vendor:04x}:{self.device_id:04x}"

    @property
    def driver(self):
        """The family's name; NAME.efi is its driver."""
        return "virtio-net" if self.vendor == VIRTIO_VENDOR else "e1000"


INTEL, VIRTIO_VENDOR = 0x8086, 0x1AF4

E1000 = (
    Nic("e1000", "e1000", "82540EM", INTEL, 0x100E, "e1000.rom", "efi-e1000.rom"),
    Nic("e1000-82544gc", "e1000-82544gc", "82544GC", INTEL, 0x100C, "e1000-82544gc.rom", "efi-e1000.rom"),
    Nic("e1000-82545em", "e1000-82545em", "82545EM", INTEL, 0x100F, "e1000-82545em.rom", "efi-e1000.rom"),
    Nic("e1000e", "e1000e", "82574L", INTEL, 0x10D3, "e1000e.rom", "efi-e1000e.rom"),
)

MODERN, TRANSITIONAL = "virtio-net.rom", "virtio-net-transitional.rom"
VIRTIO = (
    Nic("virtio-net-pci", "virtio-net-pci,disable-legacy=on", "virtio-net", VIRTIO_VENDOR, 0x1041, MODERN, "efi-virtio.rom"),
    Nic("virtio-net-transitional", "virtio-net-pci,disable-legacy=off", "virtio-net", VIRTIO_VENDOR, 0x1000, TRANSITIONAL,
        "efi-virtio.rom"),
    Nic("virtio-net-iommu", "virtio-net-pci,disable-legacy=on,iommu_platform=on", "virtio-net", VIRTIO_VENDOR, 0x1041, MODERN,
        "efi-virtio.rom"),
    Nic("virtio-net-port", "virtio-net-pci,disable-legacy=on", "virtio-net", VIRTIO_VENDOR, 0x1041, MODERN, "efi-virtio.rom",
        port=True),
)

TABLE = {nic.name: nic for nic in E1000 + VIRTIO}
EVERY = tuple(nic.name for nic in E1000)
PAIR = ("e1000", "e1000e")  # one of each family of e1000: 8254x, and 82574L with PCI Express and MSI-X
VIRTIO_PAIR = ("virtio-net-pci", "virtio-net-transitional")  # one of each PCI device ID
