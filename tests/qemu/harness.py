"""harness - boots the built images for one test and takes the transcript apart."""

import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import nics  # noqa: E402, F401
import qemulib  # noqa: E402
import version  # noqa: E402
import wire_control  # noqa: E402
from nics import EVERY, PAIR  # noqa: E402, F401
from wirepeer import Peer, test_frame  # noqa: E402, F401

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))  # tools run in folders of their own
PAGE = 4096
BINDING = f"{0x100 + version.revision():08X}"  # our driver's version, as the Shell's `drivers` has it
# Asks for an address for the first NIC, and goes on when it has come (tests/efi/lease.c).
LEASE = ["ifconfig -s eth0 dhcp", "lease"]
SUCCESS, INVALID, DEVICE_ERROR, NO_MEDIA, NOT_FOUND, DENIED, TIMEOUT, ABORTED = \
    "0x0", "0x2", "0x7", "0xC", "0xE", "0xF", "0x12", "0x15"
hub = qemulib.hub_arguments


class Command:
    """What one Shell command printed, and its exit status as the Shell shows it."""

    def __init__(self, line, text, status):
        self.line = line
        self.printed = text
        # netdiag breaks lines that are longer than 79 columns, and goes on eight columns from the left
        self.text = re.sub(r"\n {8}(?=\S)", " ", text)
        self.status = status

    def __repr__(self):
        return f"{self.line} -> {self.status}\n{self.text}"


def split(output):
    """The commands of a qemulib.script transcript, in order."""
    pattern = re.compile(r"^=== (?!status|end)(.*?)\n(.*?)^=== status (\S+)", re.M | re.S)
    return [Command(*match.groups()) for match in pattern.finditer(output)]


class Badnet(qemulib.Console):
    """tools/badnet in a process of its own, so that nothing that this one does delays its answers. It is switched by
    .fault("name", ...) and says by .seen("event") what came since. The NIC's netdev is .netdev()."""

    def __init__(self, base, folder, boot, signed):
        self.local, self.remote, self.control = base + "p", base + "q", base + "c"
        file = os.path.join(base + "b", "boot.efi")
        os.mkdir(base + "b")
        shutil.copy(boot, file)
        command = [os.path.join(ROOT, "tools/badnet"), "--local", self.local, "--remote", self.remote, "--boot", file,
                   "--folder", folder, "--control", self.control]
        super().__init__(command + (["--signed", signed] if signed else []))

    def start(self, test):
        super().start()
        test.assertTrue(self.wait_for("^badnet: listening"), self.output)
        return self

    def netdev(self):
        return f"dgram,id={{id}},local.type=unix,local.path={self.remote},remote.type=unix,remote.path={self.local}"

    def tell(self, words):
        answer = wire_control.tell(self.control, words)
        if answer.startswith("error"):
            raise ValueError(answer)
        return answer

    def fault(self, *words):
        """These faults from now on, and no others; none is a sound network."""
        self.tell(" ".join(words) or "healthy")

    def faults(self):
        return self.tell("faults").split()

    def seen(self, event):
        return json.loads(self.tell("counts")).get(event, 0)


class QemuTest(unittest.TestCase):
    """Gives each test a folder of its own and machines that are stopped at its end."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="t-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.count = 0

    def peer(self, address=None, answer=True, faults=()):
        self.count += 1
        base = os.path.join(self.folder, f"w{self.count}")
        peer = Peer(base + "p", base + "q", address, answer=answer, faults=faults).start()
        self.addCleanup(peer.stop)
        return peer

    def badnet(self, *faults, boot="tests/hello.efi", signed=None):
        """A Badnet with these faults. `boot` and `signed` are boot files in the build folder; the former is called
        boot.efi. self.folder is what it serves beside them."""
        self.count += 1
        network = Badnet(os.path.join(self.folder, f"w{self.count}"), self.folder, os.path.join(BUILD, boot),
                         signed and os.path.join(BUILD, signed))
        self.addCleanup(network.close)
        network.start(self)
        network.fault(*faults)
        return network

    @staticmethod
    def flap_link(machine, times=1, index=0):
        """Pulls the cable of the NIC with this index and puts it back, as often as that; it is in at the end."""
        for _ in range(times):
            machine.set_link(False, index)
            machine.set_link(True, index)

    def images(self):
        """The files on every disk. More of build/tests: boot_programs()."""
        images = {name: os.path.join(BUILD, name) for name in os.listdir(BUILD) if name.endswith(".efi")}
        return images | self.boot_programs("lease")

    @staticmethod
    def boot_programs(*names):
        return {f"{name}.efi": os.path.join(BUILD, "tests", f"{name}.efi") for name in names}

    @staticmethod
    def tool(name, *arguments):
        """Runs one of tools/ to its end; what its machine says is kept if the test fails."""
        environment = dict(os.environ, TRANSCRIPTS=qemulib.transcripts.folder) if qemulib.transcripts.folder else None
        return subprocess.run([os.path.join(ROOT, "tools", name), "--build", BUILD, *arguments], capture_output=True,
                              text=True, check=False, env=environment)

    def machine(self, commands, nics, finish="reset -s", files=None, **options):
        """A started machine whose startup.nsh runs `commands`. `nics` is a list of (model, netdev) or of ready -device
        lists; netdev None is QEMU's user network."""
        self.count += 1
        disk = os.path.join(self.folder, f"disk{self.count}.img")
        content = self.images()
        content["startup.nsh"] = qemulib.script(commands, finish)
        content.update(files or {})
        qemulib.make_disk(disk, content, options.get("arch", "x86_64"))
        arguments = []
        for index, nic in enumerate(nics):
            if isinstance(nic, tuple):
                nic = qemulib.nic_arguments(nic[0], nic[1] or "user,id={id}", index=index, mac=qemulib.mac(index))
            arguments.append(nic)
        machine = qemulib.Machine(disk=disk, nics=arguments, **options).start()
        machine.disk = disk
        self.addCleanup(machine.close)
        return machine

    def diskless(self, nics, **options):
        """A started machine without a disk: it boots from the network or not at all."""
        machine = qemulib.Machine(nics=nics, **options).start()
        self.addCleanup(machine.close)
        return machine

    def wait_until(self, machine, condition, what):
        """Until condition(), asked again and again while the machine runs on, is true."""
        deadline = time.monotonic() + qemulib.TIMEOUT_S
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"never {what}; last lines:\n{machine.output[-1500:]}")
            self.assertFalse(machine.wait_for(None, 0.05),
                             f"the machine has ended before {what}:\n{machine.output[-1500:]}")

    def boot(self, commands, nics, **options):
        """Runs the commands to the end; returns one Command each."""
        machine = self.machine(commands, nics, **options)
        ended = machine.wait_for(None)
        results = split(machine.output)
        self.assertTrue(ended, f"time-out; last lines:\n{machine.output[-1500:]}")
        self.assertEqual(len(results), len(commands), machine.output[-3000:])
        return results

    def assert_status(self, command, status):
        self.assertEqual(command.status, status, repr(command))

    def assert_ping(self, command, count):
        self.assertIn(f"{count} packets transmitted, {count} received, 0% packet loss", command.text, repr(command))
        self.assert_status(command, SUCCESS)


class Prompt:
    """Types into the Shell of a machine and reads the answers."""

    PROMPT = r"(?m)^(FS\d:\\|Shell)> "

    def __init__(self, test, machine, ready="=== end"):
        self.test = test
        self.machine = machine
        self.offset = 0
        test.assertTrue(machine.wait_for(ready), machine.output[-1000:])
        self.read()

    def read(self, timeout=qemulib.TIMEOUT_S):
        match = self.machine.wait_for(self.PROMPT, timeout, self.offset)
        self.test.assertTrue(match, f"no prompt; last lines:\n{self.machine.output[-1500:]}")
        text = self.machine.output[self.offset:match.start()]
        self.offset = match.end()
        return text

    def __call__(self, line):
        self.machine.type(line + "\r")
        return self.read()

    def until(self, line, pattern, tries=100):
        """Types `line` until its answer matches; returns that answer."""
        for _ in range(tries):
            text = self(line)
            if re.search(pattern, text):
                return text
        self.test.fail(f"{tries} times '{line}', and never '{pattern}':\n{text}")
        return ""


def end_of_image(path):
    """Where a PE32+ image that is loaded at its preferred base ends: its newest sections begin there. Offsets are the
    PE/COFF specification's."""
    with open(path, "rb") as file:
        image = file.read()
    optional = struct.unpack_from("<I", image, 0x3C)[0] + 24
    base, = struct.unpack_from("<Q", image, optional + 24)
    size, = struct.unpack_from("<I", image, optional + 56)
    return base + -(-size // PAGE) * PAGE


def make_uki(folder, words=""):
    """The distribution's kernel, our init and a command line in one EFI image; `words` go to the command line. Returns
    its path."""
    initrd, root = os.path.join(folder, "initrd"), os.path.join(folder, "root")
    command_line, uki = os.path.join(folder, "cmdline"), os.path.join(folder, "linux.efi")
    os.makedirs(os.path.join(root, "dev"), exist_ok=True)
    subprocess.run(["gcc", "-static", "-Os", "-o", os.path.join(root, "init"),
                    os.path.join(ROOT, "tests/linux/init.c")], check=True)
    with open(initrd, "wb") as output:
        subprocess.run(["sh", "-c", "find . | cpio --quiet -o -H newc"], cwd=root, stdout=output, check=True)
    with open(command_line, "w", encoding="ascii") as file:
        file.write(f"console=ttyS0 panic=-1 quiet {words}\0")
    kernels = sorted(glob.glob("/boot/vmlinuz-*-cloud-amd64") or glob.glob("/boot/vmlinuz-*-generic"))
    if not kernels or not os.access(kernels[-1], os.R_OK):
        raise qemulib.QemuError("no kernel: install Debian's package linux-image-cloud-amd64, or Ubuntu's "
                                "linux-image-virtual, whose kernels only root may read until somebody changes that")
    stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
    sections, address = [], end_of_image(stub)
    for name, path in ((".cmdline", command_line), (".linux", kernels[-1]), (".initrd", initrd)):
        sections += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={address:#x}"]
        address += -(-os.path.getsize(path) // PAGE) * PAGE
    subprocess.run(["objcopy", *sections, stub, uki], check=True)
    return uki
