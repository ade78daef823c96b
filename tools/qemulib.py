"""qemulib - boots UEFI firmware in QEMU with a disk of our images, and watches its serial port."""

import collections
import itertools
import json
import os
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import nics
import processors

NICS = nics.EVERY
MACHINES = processors.TABLE["x86_64"].machines
# A folder with another build of OVMF than Debian's (tests/run --firmware), for x86-64
OVMF = os.environ.get("OVMF")
# Debian's OVMF that enforces Secure Boot, and variables with Debian's key for tests enrolled; its passphrase is public.
# Debian 13 has one that besides takes memory to be either writable or executable.
SECURE_CODE = ("/usr/share/OVMF/OVMF_CODE_4M.secboot.strictnx.fd", "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
SECURE = (next((path for path in SECURE_CODE if os.path.exists(path)), SECURE_CODE[-1]),
          "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd")
SNAKEOIL, SNAKEOIL_PASSPHRASE = "/usr/share/ovmf/PkKek-1-snakeoil", "snakeoil"
BOOT_FILE = processors.TABLE["x86_64"].boot_file
# iPXE's option ROMs: Debian 12 and Debian 13
IPXE_ROMS = ("/usr/lib/ipxe/qemu", "/usr/share/qemu")
# The bound of every wait for a state. A machine is given up long after it should be done, also where it gets a tenth of
# a processor: what ends, or comes to a prompt, without what is waited for is noticed at once and not by the time.
TIMEOUT_S = 1200
MAC = "52:54:00:12:34:56"

ACCESS = re.compile(r"memory_region_ops_(read|write) .*?addr 0x([0-9a-f]+) value 0x([0-9a-f]+) .*?name '([^']*)'")
# Doorbells of virtio-net are seen with ioeventfd=off alone.
NIC_REGION = re.compile(r"e1000e?-mmio|virtio-pci-(common|isr|device|notify)-virtio-net")
ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class QemuError(Exception):
    """Something a person can act on."""


class Transcripts(threading.local):
    """Where the machines that this thread starts leave what they said: nowhere, or in the folder $TRANSCRIPTS."""

    numbers = itertools.count(1)

    def __init__(self):
        self.folder = os.environ.get("TRANSCRIPTS")

    def keep(self, command, output):
        if self.folder:
            os.makedirs(self.folder, exist_ok=True)
            path = os.path.join(self.folder, f"{os.getpid()}-{next(self.numbers):03}.txt")
            with open(path, "w", encoding="utf-8", errors="replace") as file:
                file.write(f"{shlex.join(command)}\n\n{output}")


transcripts = Transcripts()


def need(path, package):
    if not os.path.exists(path) and not shutil.which(path):
        raise QemuError(f"{path} is missing: install the Debian package {package} (`make deps` does)")


def firmware(arch="x86_64"):
    """The paths of the firmware's code, and of the variables that a machine starts with."""
    processor = processors.TABLE[arch]
    folder = OVMF if arch == "x86_64" and OVMF else processor.folder
    found = processors.firmware(processor, folder)
    if not found:
        wanted = " nor ".join(" and ".join(names) for names in processor.firmware)
        raise QemuError(f"{folder} has neither {wanted}: install the Debian package {processor.firmware_package} "
                        "(`make deps` does)")
    return found


def ipxe_rom(model):
    """The path of iPXE's option ROM for a NIC of nics.TABLE."""
    paths = [os.path.join(folder, nics.TABLE[model].ipxe_rom) for folder in IPXE_ROMS]
    found = next((path for path in paths if os.path.exists(path)), None)
    if not found:
        raise QemuError(f"{' and '.join(paths)} are missing: install the Debian package ipxe-qemu (`make deps` does)")
    return found


def make_disk(path, files, arch="x86_64"):
    """A FAT disk without partitions, with room left. `files` maps names on the disk to paths or bytes. Where there is a
    Shell to put on it, the firmware boots that, unless `files` has something else to boot."""
    processor = processors.TABLE[arch]
    shell = processors.shell(processor, OVMF if arch == "x86_64" else None)
    files = ({processor.boot_file: shell} if shell else {}) | files
    size = sum(len(content) if isinstance(content, bytes) else os.path.getsize(content) for content in files.values())
    megabytes = 64 + size * 9 // 8 // (1 << 20)
    with open(path, "wb") as disk:
        disk.truncate(megabytes << 20)
    need("mformat", "mtools")
    run_tool(["mformat", "-i", path, "-F", "::"])
    fill_disk(path, files)


def fill_disk(image, files):
    """Copies files, as make_disk takes them, to a FAT image; with @@BYTES behind its path it begins there."""
    for name, content in files.items():
        folders = name.split("/")[:-1]
        for depth in range(len(folders)):
            subprocess.run(["mmd", "-i", image, "-D", "s", "::" + "/".join(folders[: depth + 1])],
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if isinstance(content, bytes):
            with tempfile.NamedTemporaryFile() as temporary:
                temporary.write(content)
                temporary.flush()
                run_tool(["mcopy", "-o", "-i", image, temporary.name, "::" + name])
        else:
            run_tool(["mcopy", "-o", "-i", image, content, "::" + name])


def read_from_disk(path, name):
    """The content of a file on a disk that make_disk made; None when it is not there."""
    result = subprocess.run(["mtype", "-i", path, "::" + name], capture_output=True, check=False)
    return result.stdout if result.returncode == 0 else None


def run_tool(command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise QemuError(f"{' '.join(command)}: {result.stderr.strip()}")


def script(commands, finish="reset -s"):
    """A startup.nsh that runs `commands` one by one, printing the exit status of each."""
    lines = ["@echo -off", "fs0:"]
    for command in commands:
        lines += [f"echo \"=== {command}\"", command, "echo \"=== status %lasterror%\""]
    lines += ["echo \"=== end\"", finish]
    return ("\r\n".join(lines) + "\r\n").encode()


def mac(index):
    """The address that the NIC with this index gets."""
    return f"52:54:00:12:34:{0x56 + index:02x}"


def nic_arguments(model, netdev, mac=MAC, index=0, rom="", properties="", port=False):
    """The arguments for one NIC of nics.TABLE; "{id}" in `netdev` becomes its name. QEMU's default option ROM is iPXE,
    which would bind the NIC first: none unless asked for (None is QEMU's own). `properties` are more of the device's,
    and with `port` it sits below a root port of its own, so that it can be unplugged."""
    nic = nics.TABLE[model]
    words = [nic.device, f"netdev=n{index}", f"mac={mac}", f"id=nic{index}"]
    arguments = ["-netdev", netdev.format(id=f"n{index}")]
    if rom is not None:
        words.append(f"romfile={rom}")
    if nic.port or port:
        arguments += ["-device", f"pcie-root-port,id=port{index},chassis={index + 1},slot={index + 1}"]
        words.append(f"bus=port{index}")
    if properties:
        words.append(properties)
    return arguments + ["-device", ",".join(words)]


def hub_arguments(model, *netdevs):
    """The arguments for one NIC with several network back-ends on its wire; "{id}" in each becomes its name."""
    arguments = []
    for index, netdev in enumerate(netdevs):
        arguments += ["-netdev", netdev.format(id=f"end{index}"),
                      "-netdev", f"hubport,id=hub{index},hubid=0,netdev=end{index}"]
    return arguments + nic_arguments(model, "hubport,id={id},hubid=0")


def count_accesses(trace):
    """{mark: [writes, reads]} of the NIC's registers in a trace (Machine.trace_accesses), by the mark that was last
    written to port 0x80 before them; 0 before the first."""
    counts = collections.defaultdict(lambda: [0, 0])
    mark = 0
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = ACCESS.search(line)
            if not match:
                continue
            kind, _, value, name = match.groups()
            if name == "ioport80" and kind == "write":
                mark = int(value, 16)
            elif NIC_REGION.fullmatch(name):
                counts[mark][kind == "read"] += 1
    return counts


def graphics_arguments(processor):
    """A screen in a window where there is a desktop, else by VNC on this host; QEMU says where."""
    arguments = list(processor.screen)
    listed = subprocess.run([processor.qemu, "-display", "help"], capture_output=True, text=True, check=False)
    kinds = listed.stdout.split()
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    window = [kind for kind in ("gtk", "sdl") if desktop and kind in kinds]
    return arguments + ["-display", window[0] if window else "vnc=localhost:0,to=99"]


def snakeoil_key(folder):
    """Debian's key for tests without its passphrase, in this folder; the certificate is SNAKEOIL's .pem."""
    need("openssl", "openssl")
    key = os.path.join(folder, "snakeoil.key")
    run_tool(["openssl", "rsa", "-in", SNAKEOIL + ".key", "-passin", f"pass:{SNAKEOIL_PASSPHRASE}", "-out", key])
    return key


class Console:
    """A program whose terminal a machine's serial port is. A context manager; `output` collects what it says."""

    def __init__(self, command, folder=None, echo=None):
        self.command = command
        self.folder = folder  # where it runs
        self.output = ""
        self.echo = echo
        self.pending = b""
        self.hurried = False
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, bufsize=0)
        return self

    def close(self):
        """Ends the program, and leaves the transcript where one is wanted."""
        if not self.process or self.process.stdout.closed:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()
        transcripts.keep(self.command, self.output)

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def _feed(self, data):
        self.pending += data
        # Keep an escape sequence that is not complete for the next round.
        cut = len(self.pending)
        last = self.pending.rfind(b"\x1b")
        if last >= 0 and cut - last < 12 and not ANSI.match(self.pending, last):
            cut = last
        text = ANSI.sub(b"", self.pending[:cut]).decode("utf-8", "replace")
        self.pending = self.pending[cut:]
        self.output += text
        if self.echo:
            self.echo(text)
        if "to skip startup.nsh or any other key to continue" in self.output[-400:] and not self.hurried:
            self.hurried = True
            self.type(" ")

    def wait_for(self, pattern=None, timeout=TIMEOUT_S, since=0):
        """Reads until `pattern` (a regular expression) appears after offset `since`, or the machine ends when it is
        None. Returns the match, or True; False at the end of the machine or of the time."""
        deadline = time.monotonic() + timeout
        expression = re.compile(pattern, re.M) if pattern else None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while True:
                if expression:
                    match = expression.search(self.output, since)
                    if match:
                        return match
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                if not selector.select(min(remaining, 0.5)):
                    continue
                data = self.process.stdout.read(65536)
                if not data:
                    self.process.wait()
                    if expression:
                        return expression.search(self.output, since) or False
                    return True
                self._feed(data)


class Machine(Console):
    """One QEMU with UEFI firmware."""

    def __init__(self, disk=None, machine=None, nics=(), extra=(), memory="512M", echo=None, interactive=False,
                 graphics=False, paused=False, wrapper=(), secure=False, arch="x86_64"):
        """`nics` are arguments of QEMU's, one list a NIC. A `paused` machine does nothing before go(), a `secure` one
        starts nothing without a signature. `arch` is a processor's name, `machine` one of its -M, or None for the
        usual."""
        processor = processors.TABLE[arch]
        need(processor.qemu, processor.qemu_package)
        code, original = SECURE if secure else firmware(arch)
        need(original, processor.firmware_package)
        super().__init__([], echo=echo)
        self.scratch = tempfile.mkdtemp(prefix="netdiag-")
        self.monitor = None
        variables = os.path.join(self.scratch, "vars.fd")
        shutil.copy(original, variables)
        self.qmp_path = os.path.join(self.scratch, "qmp")
        screen = graphics_arguments(processor) if graphics else ["-display", "none", "-vga", "none"]
        self.command = [processor.qemu, "-M", machine or processor.machines[0], "-cpu", processor.cpu,
                        "-m", memory, "-no-reboot", "-nodefaults", *screen,
                        "-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                        "-drive", f"if=pflash,format=raw,file={variables}"]
        if secure or processor.secure_only:  # the variables are then written in system management mode alone
            self.command[2] += ",smm=on"
            self.command += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
            self.command.remove("-no-reboot")  # Debian 13's starts over once when its variables are fresh
        if interactive:
            self.command += ["-serial", "mon:stdio"]
        else:
            self.command += ["-serial", "stdio", "-qmp", f"unix:{self.qmp_path},server=on,wait=off"]
        if disk:
            # Named first in the boot order, and with no boot loader on it but a Shell: the quickest way into one.
            self.command += ["-drive", f"if=none,id=disk,format=raw,file={disk}",
                             "-device", "virtio-blk-pci,drive=disk,bootindex=0"]
        for nic in nics:
            self.command += nic
        if paused:
            self.command.append("-S")
        self.command = list(wrapper) + self.command + list(extra)

    def close(self):
        if self.monitor:
            self.monitor.close()
            self.monitor = None
        super().close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def run_interactive(self):
        return subprocess.run(self.command, check=False).returncode

    def go(self):
        self.qmp("cont")

    def set_link(self, up, index=0):
        """The cable of the NIC with this index."""
        answer = self.qmp("set_link", name=f"nic{index}", up=up)
        if answer != {"return": {}}:
            raise QemuError(f"set_link: {answer}")

    def read_register(self, offset, index=0):
        """A register of the NIC with this index, as the processor would read it (so none that reading clears); None
        while its BAR 0 is not decoded."""
        devices = re.split(r"(?m)^  Bus ", self.qmp("human-monitor-command", **{"command-line": "info pci"})["return"])
        device = next(text for text in devices if f'id "nic{index}"' in text)
        bar = re.search(r"BAR0: 32 bit memory at (0x[0-9a-f]+) ", device)
        if not bar or int(bar[1], 16) == 0xFFFFFFFF:
            return None
        command = f"xp /1wx {int(bar[1], 16) + offset:#x}"
        answer = self.qmp("human-monitor-command", **{"command-line": command})["return"]
        value = re.search(r": (0x[0-9a-f]{8})", answer)
        return int(value[1], 16) if value else None

    def trace_accesses(self):
        """From now on every access to a device's registers is in the trace, the file of -D in `extra`."""
        for event in ("memory_region_ops_read", "memory_region_ops_write"):
            self.qmp("trace-event-set-state", name=event, enable=True)

    def qmp(self, execute, **arguments):
        """One QMP command; returns its answer."""
        if not self.monitor:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(TIMEOUT_S)
            while not os.path.exists(self.qmp_path) and self.process.poll() is None:
                time.sleep(0.01)
            connection.connect(self.qmp_path)
            self.monitor = connection.makefile("rw")
            self.monitor.readline()
            self.qmp("qmp_capabilities")
        json.dump({"execute": execute, "arguments": arguments}, self.monitor)
        self.monitor.write("\n")
        self.monitor.flush()
        while True:
            answer = json.loads(self.monitor.readline())
            if "return" in answer or "error" in answer:
                return answer
