"""test_media_boot - machines that boot netdiag itself: from a stick, and under Secure Boot."""

import os
import re
import shutil
import unittest

from harness import BUILD, ROOT, QemuTest, qemulib


class Typing(QemuTest):
    """Types into netdiag's menu and reads on from what came before."""

    def boot_to_menu(self, **options):
        self.under_test = qemulib.Machine(**options).start()
        self.addCleanup(self.under_test.close)
        self.offset = 0
        self.expect("netdiag [0-9.]+: network before the operating system")
        self.expect("Enter starts")

    def expect(self, pattern):
        """Returns all that was said up to the pattern and with it."""
        # A machine that boots nothing ends in the Shell.
        match = self.under_test.wait_for(f"{pattern}|^Shell> ", since=self.offset)
        output = self.under_test.output
        self.assertTrue(match and match[0] != "Shell> ", f"no {pattern}; last lines:\n{output[-1500:]}")
        before, self.offset = self.offset, match.end()
        return output[before:self.offset]

    def type(self, text, pattern):
        self.under_test.type(text)
        return self.expect(pattern)

    def command(self, line):
        """A line of the command line's; returns what was said up to the next prompt, in lines as they were meant."""
        self.type(line, re.escape(line[-20:]) + " *")
        return re.sub(r"\n {8}(?=\S)", " ", self.type("\r", r"\nnetdiag> "))


class Stick(Typing):
    """What `make usb` makes, in a USB port: one image for every processor."""

    def boot_stick(self, **options):
        stick = os.path.join(self.folder, "stick.img")
        qemulib.run_tool(["cp", "--sparse=always", os.path.join(BUILD, "netdiag.img"), stick])
        self.boot_to_menu(nics=[qemulib.nic_arguments("e1000e", "user,id={id}")], extra=[
            "-device", "qemu-xhci", "-drive", f"if=none,id=stick,format=raw,file={stick}",
            "-device", "usb-storage,drive=stick,bootindex=0"], **options)

    def command_line(self):
        self.expect("Press a key for the menu")
        self.type(" ", "Enter starts")
        self.type("c", "netdiag> ")

    def other_processor(self, arch):
        """netdiag starts from the stick, and so does the driver beside it."""
        self.boot_stick(arch=arch)
        self.type("l", "eth0 .* 8086:10d3  82574L ")
        self.command_line()
        self.assertIn("1 packets transmitted, 1 received", self.command("ping 10.0.2.2 --addr 10.0.2.15/24 -c 1"))
        # The driver for this processor, not the one in the stick's root
        self.assertIn("will be handed over quiet", self.command("handoff"))
        self.assertIn("Handoff withdrawn", self.command("handoff --cancel"))


class Usb(Stick):
    def test_menu(self):
        self.boot_stick()
        self.type("l", "eth0 .* 8086:10d3  82574L .* 1000 Mb/s full")
        self.command_line()
        said = self.command("info -n 7")
        self.assertIn("no NIC '7'", said)
        self.assertIn("Exit status 0xe: Not Found", said)
        self.type("\x1b[A\x7f0\r", "82574L")  # the line before, with another number
        self.expect("netdiag> ")
        self.type("\x03", "Enter starts")
        self.type("q", "Boot ?Manager")  # the firmware's own page, edk2 of 2026: BootManagerMenuApp


class UsbOnArm(Stick):
    def test_menu(self):
        self.other_processor("aarch64")


class UsbOnIa32(Stick):
    def test_menu(self):
        self.other_processor("ia32")


class SecureBoot(Typing):
    """Debian's OVMF with Secure Boot on and its test key enrolled: ours are signed with it by tools/sign."""

    def sign(self, name):
        signed = os.path.join(self.folder, os.path.basename(name))
        qemulib.run_tool([os.path.join(ROOT, "tools/sign"), "--key", self.key, "--cert", qemulib.SNAKEOIL + ".pem",
                          os.path.join(BUILD, name), signed])
        return signed

    def setUp(self):
        super().setUp()
        self.key = qemulib.snakeoil_key(self.folder)

    def test_volume(self):
        """First in the boot order is a disk with an unsigned netdiag, which the firmware refuses; then one with all."""
        unsigned, signed = os.path.join(self.folder, "unsigned.img"), os.path.join(self.folder, "signed.img")
        netdiag = os.path.join(BUILD, "netdiag.efi")
        qemulib.make_disk(unsigned, {qemulib.BOOT_FILE: netdiag})
        qemulib.make_disk(signed, {
            qemulib.BOOT_FILE: self.sign("netdiag.efi"), "e1000.efi": self.sign("e1000.efi"),
            "virtio-net.efi": os.path.join(BUILD, "virtio-net.efi"),
            "unsigned.efi": os.path.join(BUILD, "tests/hello.efi")})
        shutil.copy(os.path.join(BUILD, "tests/hello.efi"), os.path.join(self.folder, "unsigned.efi"))
        os.rename(self.sign("tests/hello.efi"), os.path.join(self.folder, "signed.efi"))
        drives = []
        for index, path in enumerate((unsigned, signed)):
            drives += ["-drive", f"if=none,id=d{index},format=raw,file={path}",
                       "-device", f"virtio-blk-pci,drive=d{index},bootindex={index}"]
        models = ("e1000", "virtio-net-pci")
        self.boot_to_menu(secure=True, extra=drives, nics=[
            qemulib.nic_arguments(model, f"user,id={{id}},tftp={self.folder}", index=index, mac=qemulib.mac(index))
            for index, model in enumerate(models)])
        self.assertRegex(self.under_test.output, r"failed to load Boot.*: Access Denied")
        self.type("c", "netdiag> ")
        self.assertIn("1 packets transmitted, 1 received", self.command("ping 10.0.2.2 --addr 10.0.2.15/24 -c 1"))
        # doctor asks the firmware whether it would start what was fetched, and nothing of it stays.
        said = " ".join(self.command("doctor --url tftp://10.0.2.2/unsigned.efi").split())
        self.assertIn("ok image an EFI application for x86-64, not signed FAIL start Secure Boot refuses", said)
        self.assertIn("Diagnosis: It breaks at 'start': Secure Boot refuses the boot file, which is not signed", said)
        self.assertIn("Exit status 0x1a: ", said)
        said = " ".join(self.command("doctor --url tftp://10.0.2.2/signed.efi").split())
        self.assertIn("ok image an EFI application for x86-64, signed ok start the firmware would start it; "
                      "Secure Boot is on", said)
        self.assertIn("Diagnosis: Nothing is in the way of a network boot: tftp://10.0.2.2/signed.efi", said)
        self.assertIn("will be handed over quiet", self.command("handoff"))
        said = self.command(r"handoff \unsigned.efi")
        self.assertIn(r"cannot load '\unsigned.efi'", said)
        self.assertIn("Secure Boot refuses it: sign it", said)
        said = self.command("handoff -n eth1 --take")
        self.assertIn("virtio-net.efi is not resident and cannot be loaded", said)
        self.assertIn("Secure Boot refuses it: sign it", said)
        self.assertIn("Handoff withdrawn", self.command("handoff --cancel"))
        # netdiag boot: what it fetched is judged by the firmware, and nothing of it stays.
        said = self.command("boot tftp://10.0.2.2/unsigned.efi")
        self.assertIn("Secure Boot refuses unsigned.efi: sign it", said)
        self.assertIn("Exit status 0x1a: ", said)
        self.assertIn("No handoff is published", self.command("handoff --show"))
        self.type("boot tftp://10.0.2.2/signed.efi\r", "HELLO FROM THE NETWORK")
        self.assertTrue(self.under_test.wait_for(None), "it switches the machine off")

    def test_rom(self):
        """A signed driver in the NIC's option ROM brings a signed netdiag by PXE; an unsigned one does nothing."""
        served = os.path.join(self.folder, "served")
        os.mkdir(served)
        os.rename(self.sign("netdiag.efi"), os.path.join(served, "netdiag.efi"))
        rom = os.path.join(self.folder, "signed.rom")
        driver = self.sign("e1000.efi")
        qemulib.run_tool([os.path.join(ROOT, "tools/mkrom"), "--vendor", "8086", "--device", "10d3", driver, rom])
        self.boot_to_menu(secure=True, nics=[
            qemulib.nic_arguments("e1000e", f"user,id={{id}},tftp={served},bootfile=netdiag.efi", rom=rom),
            qemulib.nic_arguments("virtio-net-pci", "user,id={id}", index=1, mac=qemulib.mac(1),
                                  rom=os.path.join(BUILD, "virtio-net.rom"))])
        self.assertIn("Start PXE over IPv4", self.under_test.output)
        said = self.type("l", "Press a key for the menu")
        self.assertRegex(said, r"8086:10d3(.*\n)+ +driver Intel")
        self.assertNotRegex(said, r"driver virtio-net \(")


if __name__ == "__main__":
    unittest.main()
