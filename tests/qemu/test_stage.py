"""test_stage - netdiag fetch and netdiag boot: files by TFTP and HTTP, servers that do it wrong, what is started."""

import gzip
import hashlib
import os
import random
import re
import struct
import subprocess
import unittest

from harness import BUILD, INVALID, NOT_FOUND, SUCCESS, Prompt, QemuTest, hub, make_uki, qemulib, split, test_frame
from http_faults import Server

HOST = "10.0.2.2"
ADDRESS = "10.0.2.15"  # by hand or from QEMU's DHCP; the kernel has it from the handoff's lease
UNSUPPORTED, BAD_SIZE, PROTOCOL_ERROR, END_OF_FILE, DAMAGED = "0x3", "0x4", "0x18", "0x1F", "0x21"


def handles(result):
    """What `dh` lists, without the numbers that count on."""
    return [re.sub(r"^\w+: ", "", line.strip()) for line in result.printed.splitlines() if ":" in line]


def kept_memory(result):
    """Pages of each type that no firmware frees on its own; boot services' own pool comes and goes."""
    return re.findall(r"^ *((?:Reserved|Loader\w+|RT_\w+|ACPI_\w+) *: .*Pages)", result.printed, re.M)


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
    """What servers do, right and wrong, in one boot each."""

    def test_servers(self):
        content = random.Random(1).randbytes(200_000)
        self.offer("blob", content)
        digest = hashlib.sha256(content).hexdigest()
        self.offer("blob.sha256", f"{digest}  blob\n".encode())
        self.offer("wrong", b"x")
        self.offer("wrong.sha256", f"{digest} *wrong\n".encode())
        by_hand = f"--addr {ADDRESS}/24 --gw {HOST}"
        cases = [
            (f"{self.tftp('blob')}", SUCCESS, digest),
            (f"--sha256 {digest} {self.http('blob')} got", SUCCESS, "as it should be"),
            (f"--sha256-file {by_hand} {self.http('blob')}", SUCCESS, "as it should be"),
            (f"{by_hand} tftp://[fec0::2]/blob", SUCCESS, digest),
            (f"{by_hand} {self.http('blob', 'chunked')}", SUCCESS, digest),
            (f"{by_hand} {self.http('blob', 'redirect')}", SUCCESS, "redirected"),
            (f"{by_hand} {self.http('blob', 'cut')}", SUCCESS, "broke off 1 time, went on 1"),
            (f"{by_hand} {self.http('blob', 'cutplain')}", SUCCESS, "broke off 1 time, went on 0"),
            (f"{by_hand} {self.http('blob', 'nohead')}", SUCCESS, digest),
            (f"{by_hand} {self.http('blob', 'plain')}", SUCCESS, digest),
            (f"{by_hand} --sha256-file {self.http('wrong')} never", DAMAGED, "is not what it should be"),
            (f"{by_hand} {self.http('none')} never", NOT_FOUND, "the server answers 404 Not Found"),
            (f"{by_hand} {self.tftp('none')} never", NOT_FOUND, "the server has no such file (TFTP error 1"),
            (f"{by_hand} {self.http('blob', 'loop')}", PROTOCOL_ERROR, "redirects more than 5 times"),
            (f"{by_hand} {self.http('blob', 'more')}", BAD_SIZE, "has 200000 bytes, and now sends 200003"),
            (f"{by_hand} {self.http('blob', 'less')}", BAD_SIZE, "has 200000 bytes, and now sends 199997"),
            (f"{by_hand} {self.http('blob', 'broken')} never", BAD_SIZE, "5120 of 200000 bytes came, then the server"),
            (f"{by_hand} {self.http('blob', 'endless')}", BAD_SIZE, "the file does not end within"),
            (f"{by_hand} http://{HOST}:1/x", None, "asking for the file's size: "),
            (f"{by_hand} ftp://{HOST}/x", INVALID, "a URL begins with tftp://, http:// or https://"),
        ]
        # So little memory that an endless file is over it soon.
        results = self.boot(["dh"] + [f"netdiag fetch {line}" for line, _, _ in cases] + ["dh", "ifconfig -l"],
                            [("e1000", self.user_net())], memory="160M")
        for result, (_, status, text) in zip(results[1:], cases):
            with self.subTest(result.line):
                self.assertIn(text, result.text)
                if status:
                    self.assert_status(result, status)
                else:
                    self.assertNotEqual(result.status, SUCCESS, repr(result))
        self.assertEqual(handles(results[0]), handles(results[-2]), "fetch leaves handles")
        ranges = [request for request in self.server.requests if request[2]]
        self.assertIn(("GET", "/cut/blob", "bytes=100000-", f"{HOST}:{self.server.port}"), ranges)

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

    def test_payloads(self):
        """Every kind on one machine, which is as before after each; at last the kernel, which stays."""
        netdiag = os.path.join(BUILD, "netdiag.efi")
        self.offer_file(netdiag)
        self.offer_file(os.path.join(BUILD, "tests/kernel.efi"))
        self.offer_file(os.path.join(BUILD, "tests/kernel.elf"))
        program = self.files["netdiag.efi"]
        machine_at = struct.unpack_from("<I", program, 0x3C)[0] + 4
        self.offer("arm.efi", program[:machine_at] + b"\x64\xAA" + program[machine_at + 2:])
        self.offer("cut.efi", program[:len(program) // 2])
        self.offer("kernel.gz", gzip.compress(program))
        self.offer("page.html", b"<html>")
        self.offer("module", b"module" * 100)
        for name in ("disk.img", "empty.img"):
            path = os.path.join(self.folder, name)
            qemulib.make_disk(path, {"EFI/BOOT/BOOTX64.EFI": netdiag})
            if name == "empty.img":
                subprocess.run(["mdel", "-i", path, "::EFI/BOOT/BOOTX64.EFI"], check=True)
            self.offer_file(path)
        image_hash = hashlib.sha256(self.files["disk.img"]).hexdigest()
        cases = [
            (f"{self.tftp('netdiag.efi')} --cmdline=list", SUCCESS, "netdiag.efi returned: Success"),
            (f"{self.http('netdiag.efi')} --live --cmdline=version --module {self.tftp('module')}", SUCCESS,
             "returned: Success"),
            (f"{self.http('disk.img')} --sha256 {image_hash}", SUCCESS, "disk.img returned: Success"),
            (f"{self.http('empty.img')}", NOT_FOUND, "has nothing to start: there is no \\EFI\\BOOT\\BOOTX64.EFI"),
            (f"{self.tftp('kernel.elf')}", UNSUPPORTED, "it is an ELF file, which needs a loader before it"),
            (f"{self.tftp('kernel.gz')}", UNSUPPORTED, "it is compressed"),
            (f"{self.http('page.html')}", UNSUPPORTED, "it is a page of HTML"),
            (f"{self.http('arm.efi')}", UNSUPPORTED, "for ARM64 (0xaa64), and this machine is x86-64"),
            (f"{self.http('cut.efi')}", END_OF_FILE, "is cut short: it has"),
            (f"{self.http('kernel.efi')} --sha256 {image_hash}", DAMAGED, "is not what it should be"),
            (f"{self.http('kernel.efi')} --module {self.http('none')}", NOT_FOUND, "404 Not Found"),
            (f"{self.http('kernel.efi', 'broken')}", BAD_SIZE, "bytes came, then the server closed the connection"),
        ]
        by_hand = f"--addr {ADDRESS}/24 --gw {HOST}"
        commands = ["dh", "memmap"] + [f"netdiag boot {by_hand} {line}" for line, _, _ in cases] + [
            "dh", "memmap", "netdiag handoff --show", "ifconfig -l",
            f"netdiag boot {self.tftp('kernel.efi')} --live --cmdline=--interrupts=intx"]
        machine, peer = self.on_wire("e1000", commands)
        self.expect(machine, "Q +leave")  # the disk image's netdiag, which has no command line
        machine.type("q")
        self.answers_pings(machine, peer)
        machine.close()
        results = split(machine.output)
        self.assertGreaterEqual(len(results), len(commands) - 1, machine.output[-2000:])
        for result, (_, status, text) in zip(results[2:], cases):
            with self.subTest(result.line):
                self.assertIn(text, result.text)
                self.assert_status(result, status)
        after = results[2 + len(cases):]
        self.assertEqual(handles(results[0]), handles(after[0]))
        self.assertEqual(kept_memory(results[1]), kept_memory(after[1]))
        self.assertIn("No handoff is published", after[2].text)

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
