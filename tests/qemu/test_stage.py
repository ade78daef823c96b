"""test_stage - netdiag fetch and boot: files on the volume, a key in between, GRUB, a Debian kernel, what DHCP says."""

import os
import random
import subprocess
import unittest

from harness import BUILD, Prompt, QemuTest, hub, make_uki, qemulib, test_frame
from http_faults import Server

HOST = "10.0.2.2"
ADDRESS = "10.0.2.15"  # by hand or from QEMU's DHCP; the kernel has it from the handoff's lease


class StageTest(QemuTest):
    def setUp(self):
        super().setUp()
        self.served = os.path.join(self.folder, "served")
        os.mkdir(self.served)
        self.files = {}
        self.server = Server(self.files)
        self.addCleanup(self.server.stop)

    def offer(self, name, content):
        """Serves it by TFTP and HTTP."""
        self.files[name] = content
        with open(os.path.join(self.served, name), "wb") as file:
            file.write(content)

    def offer_file(self, path, name=None):
        with open(path, "rb") as file:
            self.offer(name or os.path.basename(path), file.read())

    def user_net(self):
        return f"user,id={{id}},tftp={self.served}"

    def tftp(self, name):
        return f"tftp://{HOST}/{name}"

    def http(self, name, how="files"):
        return f"http://{HOST}:{self.server.port}/{how}/{name}"


class Fetch(StageTest):
    def test_files(self):
        """What is on the volume afterwards, and a key in the middle."""
        content = random.Random(2).randbytes(100_000)
        self.offer("blob", content)
        machine = self.machine([], [("virtio-net-pci", self.user_net())], finish="")
        shell = Prompt(self, machine)
        self.assertIn("Written to", shell(f"netdiag fetch --take {self.http('blob')} got"))
        machine.type(f"netdiag fetch --take {self.http('blob', 'hold')} never\r")
        self.wait_until(machine, lambda: any(path.startswith("/hold") and method == "GET" for method, path, _, _ in
                                             list(self.server.requests)), "asked")
        machine.type("\x03")
        self.assertIn("stopped", shell.read())
        machine.type("reset -s\r")
        self.assertTrue(machine.wait_for(None))
        self.assertEqual(qemulib.read_from_disk(machine.disk, "got"), content)
        self.assertIsNone(qemulib.read_from_disk(machine.disk, "never"))


class Boot(StageTest):
    def images(self):
        return super().images() | self.boot_programs("lease")

    def expect(self, machine, text):
        self.assertTrue(machine.wait_for(text), f"never '{text}'; last lines:\n{machine.output[-2000:]}")

    def on_wire(self, model, commands, bootfile="none", **options):
        """(machine, peer): our peer and QEMU's own servers on one wire."""
        peer = self.peer(answer=False)
        nic = hub(model, peer.netdev(), f"user,id={{id}},tftp={self.served},bootfile={bootfile}")
        return self.machine(commands, [nic], **options), peer

    def answers_pings(self, machine, peer):
        from scapy.all import ICMP, IP, Ether, Raw
        self.expect(machine, "boot services left")
        for sequence in range(5):
            peer.send(bytes(Ether(src=peer.mac, dst="52:54:00:12:34:56") / IP(src="10.0.2.77", dst=ADDRESS) /
                            ICMP(id=3, seq=sequence) / Raw(b"kernel")))
        replied = lambda frames: [Ether(frame)[ICMP].seq for frame in frames  # noqa: E731
                                  if Ether(frame).haslayer(ICMP) and Ether(frame)[ICMP].type == 0]
        self.assertTrue(peer.wait(lambda frames: len(replied(frames)) >= 5), machine.output[-1500:])
        self.assertEqual(replied(peer.frames), list(range(5)))
        peer.send(test_frame(b"\xff" * 6, peer.mac, 1, 1, 100))
        self.expect(machine, r"kernel: adopted firmware \d+ kernel 1 .* lost 0 duplicated 0 ")

    def test_loaders(self):
        """GRUB finds its server and file by the packets that PXE keeps, and a Debian kernel is started as EFI stub."""
        self.offer_file(os.path.join(BUILD, "tests/kernel.elf"))
        config, image = os.path.join(self.folder, "early.cfg"), os.path.join(self.folder, "grub.efi")
        with open(config, "w", encoding="ascii") as file:
            file.write("multiboot2 (tftp)/kernel.elf --interrupts msix\nboot\n")
        subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-p", "(tftp)/grub", "-c", config, "-o", image, "efinet",
                        "tftp", "net", "normal", "multiboot2", "boot"], check=True, capture_output=True)
        self.offer_file(image)
        self.offer_file(make_uki(self.folder))
        with self.subTest("GRUB"):
            machine, peer = self.on_wire("virtio-net-pci", [f"netdiag boot --take --live {self.tftp('grub.efi')}"])
            self.answers_pings(machine, peer)
            machine.close()
        with self.subTest("Linux"):
            commands = [f"netdiag boot {self.http('linux.efi')}"]
            machine = self.machine(commands, [("e1000e", self.user_net())], memory="1G")
            self.expect(machine, "HELLO FROM INIT")

    def test_no_url(self):
        """What DHCP says: the firmware's own PXE asks."""
        self.offer_file(os.path.join(BUILD, "tests/kernel.efi"))
        machine, peer = self.on_wire("e1000e", ["netdiag boot --live"], bootfile="kernel.efi")
        self.answers_pings(machine, peer)
        self.assertIn(f"DHCP names tftp://{HOST}/kernel.efi", machine.output)


if __name__ == "__main__":
    unittest.main()
