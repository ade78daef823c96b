"""test_stage - netdiag fetch and boot: servers that do it wrong, every kind of file on every kind of NIC, GRUB, a
Debian kernel, what DHCP says."""

import gzip
import hashlib
import os
import random
import re
import struct
import subprocess
import unittest

import medialib
from harness import BUILD, NOT_FOUND, SUCCESS, Prompt, QemuTest, make_uki, qemulib, split, test_frame
from http_faults import Server

HOST = "10.0.2.2"
ADDRESS = "10.0.2.15"  # by hand or from QEMU's DHCP; the kernel has it from the handoff's lease
BY_HAND = f"--addr {ADDRESS}/24 --gw {HOST}"
UNSUPPORTED, BAD_SIZE, END_OF_FILE, DAMAGED = "0x3", "0x4", "0x1F", "0x21"
MIB = 1 << 20


def handles(printed):
    """What `dh` lists, without the numbers, which count on, and so the order. And without the hash protocol that newer
    TCP drivers make for themselves: edk2's gives it up as soon as any child of TCP is stopped (TcpDriver.c,
    TcpDestroyService), and makes one anew for the next interface."""
    lines = (re.sub(r"^\w+: ", "", line.strip()) for line in printed.splitlines() if ":" in line)
    return sorted(line for line in lines if line != "Hash2")


def kept_memory(printed):
    """Pages of each type that no firmware frees on its own; boot services' own pool comes and goes."""
    return re.findall(r"^ *((?:Reserved|Loader\w+|RT_\w+|ACPI_\w+) *: .*Pages)", printed, re.M)


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
    def test_servers(self):
        """What servers do, right and wrong, as the firmware's TFTP and HTTP see it; what is on the volume afterwards,
        and a key in the middle. More of it on the host: test_cmd_fetch."""
        content = random.Random(1).randbytes(200_000)
        self.offer("blob", content)
        digest = hashlib.sha256(content).hexdigest()
        self.offer("blob.sha256", f"{digest}  blob\n".encode())
        self.offer("wrong", b"x")
        self.offer("wrong.sha256", f"{digest} *wrong\n".encode())
        machine = self.machine([], [("virtio-net-pci", self.user_net())], finish="")
        shell = Prompt(self, machine)
        before = shell("dh")

        def fetch(line, *texts, status=SUCCESS):
            with self.subTest(line):
                said = " ".join(shell(f"netdiag fetch --take {line}").split())
                for text in texts:
                    self.assertIn(text, said)
                self.assertIn(f"status {status}\n", shell("echo status %lasterror%"), said)

        fetch(f"{self.tftp('blob')}", digest)  # DHCP's address
        fetch(f"{BY_HAND} --sha256 {digest} {self.http('blob')} got", "as it should be", "Written to")
        fetch(f"{BY_HAND} --sha256-file {self.http('blob', 'chunked')}", "as it should be")
        fetch(f"{BY_HAND} {self.http('blob', 'redirect')}", digest, "redirected")
        fetch(f"{BY_HAND} {self.http('blob', 'cut')}", digest, "broke off 1 time, went on 1")
        fetch(f"{BY_HAND} {self.http('blob', 'stall')}", digest, "broke off 1 time, went on 1")
        fetch(f"{BY_HAND} {self.http('blob', 'more')}", "has 200000 bytes, and now sends 200003", status=BAD_SIZE)
        fetch(f"{BY_HAND} {self.http('blob', 'less')}", "has 200000 bytes, and now sends 199997", status=BAD_SIZE)
        fetch(f"{BY_HAND} --sha256-file {self.http('wrong')} never", "is not what it should be", status=DAMAGED)
        fetch(f"{BY_HAND} {self.http('none')} never", "the server answers 404 Not Found", status=NOT_FOUND)
        fetch(f"{BY_HAND} {self.tftp('none')} never", "the server has no such file (TFTP error 1", status=NOT_FOUND)

        machine.type(f"netdiag fetch --take {self.http('blob', 'hold')} never\r")
        self.wait_until(machine, lambda: self.server.asked("GET", "/hold/blob"), "asked")
        machine.type("\x03")
        self.assertIn("stopped", shell.read())
        self.assertEqual(handles(before), handles(shell("dh")), "fetch leaves handles")
        machine.type("reset -s\r")
        self.assertTrue(machine.wait_for(None))
        self.assertEqual(qemulib.read_from_disk(machine.disk, "got"), content)
        self.assertIsNone(qemulib.read_from_disk(machine.disk, "never"))
        self.assertTrue(self.server.asked("GET", "/cut/blob", "bytes=100000-"), self.server.requests)


class Networks(QemuTest):
    def test_networks(self):
        """In tools/badnet: frames that are lost, names, a link that goes, and what DHCP tells HTTP boot."""
        content = random.Random(3).randbytes(60_000)
        large = random.Random(4).randbytes(2 * MIB)
        for name, data in (("blob", content), ("large", large)):
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(data)
        digest = hashlib.sha256(content).hexdigest()
        network = self.badnet(boot="netdiag.efi")
        machine = self.machine(["load e1000.efi"], [("e1000e", network.netdev())], finish="")
        shell = Prompt(self, machine)
        by_hand = "--addr 10.77.0.60/24 --gw 10.77.0.1"
        shell.until("ifconfig6 -l", "FE80::", tries=1000)  # its own address of the link, once nobody else was heard to have it
        before = shell("dh"), shell("ifconfig -l"), shell("ifconfig6 -l")

        def ask(line, *texts, status=SUCCESS):
            with self.subTest(line):
                said = " ".join(shell(f"netdiag {line}").split())
                for text in texts:
                    self.assertIn(text, said)
                self.assertIn(f"status {status}\n", shell("echo status %lasterror%"), said)

        network.fault("tftp-loss=15")
        ask(f"fetch {by_hand} tftp://10.77.0.2/blob", digest)
        self.assertGreater(network.seen("tftp-block-lost"), 0)
        network.fault("loss=5")
        ask(f"fetch {by_hand} http://10.77.0.2/blob", digest)

        # By IPv4, where the name server was named by DHCP; by IPv6 where there is no DHCP
        network.fault()
        ask("fetch http://boot.badnet.example/blob", digest)
        self.assertGreater(network.seen("dns"), 0)
        network.fault("no-dhcp")
        ask("fetch http://boot.badnet.example/blob", "Going on by IPv6 alone.", digest)
        ask("fetch tftp://[fd77::2]/blob", digest)
        self.assertGreater(network.seen("dns ipv6"), 0)

        # The link goes in the middle, and comes back; goes, and a key ends it
        network.fault()
        for key, text in (("", hashlib.sha256(large).hexdigest()), ("\x03", "stopped")):
            start = len(machine.output)
            asked = network.seen("http-get large")
            machine.type(f"netdiag fetch {by_hand} http://10.77.0.2/large\r")
            self.wait_until(machine, lambda: network.seen("http-get large") > asked, "asked")
            frames = network.seen("frame")
            self.wait_until(machine, lambda: network.seen("frame") > frames + 200, "on its way")
            machine.set_link(False)
            self.assertTrue(machine.wait_for("and the link is down", since=start), machine.output[-1000:])
            if key:
                machine.type(key)
                self.assertTrue(machine.wait_for(text, since=start), machine.output[-1000:])
            machine.set_link(True)
            self.assertIn(text, " ".join(shell.read().split()))

        for faults, url in ((("http-only", "boot-name"), "http://boot.badnet.example/boot.efi"),
                            (("pxe-only",), "tftp://10.77.0.2/boot.efi")):
            network.fault(*faults)
            ask("boot --cmdline=version", f"DHCP names {url}", "boot.efi returned: Success")

        self.assertEqual(handles(before[0]), handles(shell("dh")))
        self.assertEqual(before[1:], (shell("ifconfig -l"), shell("ifconfig6 -l")))
        machine.type("reset -s\r")
        self.assertTrue(machine.wait_for(None))


class Boot(StageTest):
    def images(self):
        return super().images() | self.boot_programs("lease")

    def expect(self, machine, text):
        self.assertTrue(machine.wait_for(text), f"never '{text}'; last lines:\n{machine.output[-2000:]}")

    def on_wire(self, model, commands, bootfile="none", more=(), **options):
        """(machine, peer): our peer and QEMU's own servers on one wire. `more` NICs have the servers alone."""
        peer = self.peer(answer=False)
        nics = [qemulib.hub_arguments(model, peer.netdev(), f"user,id={{id}},tftp={self.served},bootfile={bootfile}")]
        nics += [(other, self.user_net()) for other in more]
        return self.machine(commands, nics, **options), peer

    def answers_pings(self, machine, peer):
        from scapy.all import ICMP, IP, Ether, Raw
        self.expect(machine, "boot services left")
        since = len(peer.frames)
        for sequence in range(5):
            peer.send(bytes(Ether(src=peer.mac, dst="52:54:00:12:34:56") / IP(src="10.0.2.77", dst=ADDRESS) /
                            ICMP(id=3, seq=sequence) / Raw(b"kernel")))
        # Files came over the same wire: only what came since is looked at, and of it what is ICMP.
        replied = lambda frames: [struct.unpack_from(">H", frame, 40)[0] for frame in frames[since:]  # noqa: E731
                                  if frame[12:14] == b"\x08\0" and frame[23] == 1 and frame[34] == 0]
        self.assertTrue(peer.wait(lambda frames: len(replied(frames)) >= 5), machine.output[-1500:])
        self.assertEqual(replied(peer.frames), list(range(5)))
        peer.send(test_frame(b"\xff" * 6, peer.mac, 1, 1, 100))
        self.expect(machine, r"kernel: adopted firmware \d+ kernel 1 .* lost 0 duplicated 0 ")

    def image(self, name, make, *arguments, **options):
        path = os.path.join(self.folder, name)
        make(path, *arguments, **options)
        self.offer_file(path)

    def offer_images(self):
        """Disk images of each kind with netdiag as their boot loader, one larger than 64 MiB, and one without."""
        files = {qemulib.BOOT_FILE: os.path.join(BUILD, "netdiag.efi")}
        self.image("disk.img", medialib.fat_image, files)
        self.image("disk.iso", medialib.iso_image, files)
        self.image("large.hdd", medialib.gpt_image, files | {"filling": bytes(63 * MIB)})
        self.image("empty.img", medialib.fat_image, {"readme.txt": b"nothing"}, mib=4)

    def offer_what_cannot_be(self):
        """Files that are no program for this machine."""
        program = self.files["netdiag.efi"]
        machine_at = struct.unpack_from("<I", program, 0x3C)[0] + 4
        self.offer("arm.efi", program[:machine_at] + b"\x64\xAA" + program[machine_at + 2:])
        self.offer("cut.efi", program[:len(program) // 2])
        self.offer("kernel.gz", gzip.compress(program))
        self.offer("page.html", b"<html>")

    def every_kind_on_every_nic(self):
        """(command, status, what it says): by TFTP and by HTTP, on the three NICs of one machine."""
        return [(f"-n eth{nic} --take {place(name)} --cmdline=version", SUCCESS, f"{name} returned: Success")
                for nic in range(3) for name in ("netdiag.efi", "disk.img", "disk.iso")
                for place in (self.tftp, self.http)]

    def test_payloads(self):
        """Every kind on every NIC and what is refused, and the machine as before after it; at last the kernel, which
        stays."""
        for name in ("netdiag.efi", "tests/kernel.efi", "tests/kernel.elf"):
            self.offer_file(os.path.join(BUILD, name))
        self.offer("module", b"module" * 100)
        self.offer_images()
        self.offer_what_cannot_be()
        digest = hashlib.sha256(self.files["large.hdd"]).hexdigest()
        cases = self.every_kind_on_every_nic() + [
            (f"{self.http('large.hdd')} --sha256 {digest}", SUCCESS, "large.hdd returned: Success"),
            (f"{self.http('netdiag.efi')} --live --cmdline=version --module {self.tftp('module')}", SUCCESS,
             "returned: Success"),
            (f"{self.http('empty.img')}", NOT_FOUND, "has nothing to start: there is no \\EFI\\BOOT\\BOOTX64.EFI"),
            (f"{self.tftp('kernel.elf')}", UNSUPPORTED, "it is an ELF file, which needs a loader before it"),
            (f"{self.tftp('kernel.gz')}", UNSUPPORTED, "it is compressed"),
            (f"{self.http('page.html')}", UNSUPPORTED, "it is a page of HTML"),
            (f"{self.http('arm.efi')}", UNSUPPORTED, "for ARM64 (0xaa64), and this machine is x86-64"),
            (f"{self.http('cut.efi')}", END_OF_FILE, "is cut short: it has"),
            (f"{self.http('kernel.efi')} --sha256 {digest}", DAMAGED, "is not what it should be"),
            (f"{self.http('kernel.efi')} --module {self.http('none')}", NOT_FOUND, "404 Not Found"),
            (f"{self.http('kernel.efi', 'broken')}", BAD_SIZE, "bytes came, then the server closed the connection"),
        ]
        # The first run of each kind may leave something for good: a driver of the firmware's that is connected.
        commands = ["connect -r", "dh", "memmap"] + [f"netdiag boot {BY_HAND} {line}" for line, _, _ in cases] + [
            "dh", "memmap", "netdiag handoff --show", "ifconfig -l",
            f"netdiag boot {self.tftp('kernel.efi')} --live --cmdline=--interrupts=intx"]
        machine, peer = self.on_wire("e1000", commands, more=("e1000e", "virtio-net-pci"))
        self.expect(machine, "Q +leave")  # the large image's netdiag, which has no command line
        machine.type("q")
        self.answers_pings(machine, peer)
        machine.close()
        results = split(machine.output)
        self.assertGreaterEqual(len(results), len(commands) - 1, machine.output[-2000:])
        for result, (_, status, text) in zip(results[3:], cases):
            with self.subTest(result.line):
                self.assertIn(text, result.text)
                self.assert_status(result, status)
        after = results[3 + len(cases):]
        self.assertEqual(handles(results[1].printed), handles(after[0].printed))
        self.assertEqual(kept_memory(results[2].printed), kept_memory(after[1].printed))
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
