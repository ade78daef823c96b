"""test_loaders - what a boot loader does with the NIC after `netdiag handoff` does not undo the handoff."""

import os
import subprocess
import unittest

from harness import BUILD, hub, qemulib, test_frame
from test_boot import BootTest

FRAMES = 50
KERNEL_OPTIONS = f"--frames {FRAMES}"
GRUB_CONFIG = f"""net_bootp efinet0
multiboot2 (tftp,{{server}})/kernel.elf {KERNEL_OPTIONS} {{interrupts}}
boot
"""
IPXE_SCRIPT = f"#!ipxe\nchain kernel.efi {KERNEL_OPTIONS}\n"
SLIRP = "10.0.2.2"


class Loaders(BootTest):
    def images(self):
        return super().images() | self.boot_programs("kernel", "pxeboot")

    def setUp(self):
        super().setUp()
        self.serve(os.path.join(BUILD, "tests/kernel.efi"))
        self.serve(os.path.join(BUILD, "tests/kernel.elf"))

    def grub(self, interrupts):
        config, image = os.path.join(self.folder, "early.cfg"), os.path.join(self.folder, "grub.efi")
        with open(config, "w", encoding="utf-8") as file:
            file.write(GRUB_CONFIG.format(server=SLIRP, interrupts=interrupts))
        subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-p", "/grub", "-c", config, "-o", image, "efinet", "tftp", "net",
                        "normal", "multiboot2", "boot"], check=True, capture_output=True)
        return image

    def frames_arrive(self, machine, peer, origin="adopted"):
        """The kernel runs, and gets every frame that is sent from then on."""
        self.expect(machine, "kernel: running")
        for sequence in range(1, FRAMES + 1):
            peer.send(test_frame(b"\xff" * 6, peer.mac, 1, sequence, 100))
        self.expect(machine, rf"kernel: {origin} firmware \d+ kernel {FRAMES} first 1 last {FRAMES} lost 0 duplicated 0 ")

    def start(self, model, commands, bootfile="none", files=None):
        """(machine, peer): QEMU's own DHCP and TFTP servers and our peer on one wire."""
        peer = self.peer(answer=False)
        nic = hub(model, peer.netdev(), f"user,id={{id}},tftp={self.served},bootfile={bootfile}")
        return self.machine(commands, [nic], files=files), peer

    def test_grub(self):
        """GRUB opens SNP exclusively, loads by TFTP, shuts SNP down, and leaves boot services itself."""
        for model, mode, interrupts in (("e1000", "--live", "intx"), ("e1000e", "--live", "msix"),
                                        ("e1000e", "--quiet", "msi")):
            with self.subTest(f"{model} {mode}"):
                machine, peer = self.start(model, [f"netdiag handoff {mode}", "grub"],
                                           files={"grub.efi": self.grub(f"--interrupts {interrupts}")})
                self.frames_arrive(machine, peer)

    def test_pxe(self):
        """The firmware's PXE leaves SNP initialised and its own receive running."""
        for model, mode in (("e1000", "--live"), ("e1000e", "--live"), ("e1000e", "--quiet")):
            with self.subTest(f"{model} {mode}"):
                machine, peer = self.start(model, [f"netdiag handoff {mode}", f"pxeboot {KERNEL_OPTIONS}"], "kernel.efi")
                self.frames_arrive(machine, peer)

    def boot_ipxe(self, image):
        """(machine, peer): PXE loads an iPXE, which loads the kernel. Two boot files need dnsmasq."""
        qemulib.need(f"/usr/lib/ipxe/{image}", "ipxe")
        self.serve(f"/usr/lib/ipxe/{image}")
        with open(os.path.join(self.served, "script.ipxe"), "w", encoding="ascii") as file:
            file.write(IPXE_SCRIPT)
        peer = self.peer(answer=False)
        return self.boot_in_network("e1000e", image, disk_commands=["netdiag handoff --live", "pxeboot"],
                                    second=peer.netdev()), peer

    def test_ipxe_on_our_snp(self):
        """iPXE runs on our SNP, and the handoff stays."""
        self.frames_arrive(*self.boot_ipxe("snponly.efi"))

    def test_ipxe_with_its_own_driver(self):
        """iPXE's own driver has the NIC taken from ours: the handoff is withdrawn, and the kernel starts the NIC afresh."""
        self.frames_arrive(*self.boot_ipxe("ipxe.efi"), origin="fresh")


if __name__ == "__main__":
    unittest.main()
