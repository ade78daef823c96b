"""qemulib - boots OVMF in QEMU with a disk of our images, and watches its serial port."""

import collections
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time

NICS = ("e1000", "e1000-82544gc", "e1000-82545em", "e1000e")
MACHINES = ("q35", "pc")
OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
TIMEOUT_S = 120
MAC = "52:54:00:12:34:56"

ACCESS = re.compile(r"memory_region_ops_(read|write) .*?addr 0x([0-9a-f]+) value 0x([0-9a-f]+) .*?name '([^']*)'")
ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class QemuError(Exception):
    """Something a person can act on."""


def need(path, package):
    if not os.path.exists(path) and not shutil.which(path):
        raise QemuError(f"{path} is missing: install the Debian package {package} (`make deps` does)")


def make_disk(path, files, megabytes=64):
    """A FAT disk without partitions. `files` maps names on the disk to paths or bytes."""
    with open(path, "wb") as disk:
        disk.truncate(megabytes << 20)
    run_tool(["mformat", "-i", path, "-F", "::"])
    for name, content in files.items():
        folders = name.split("/")[:-1]
        for depth in range(len(folders)):
            subprocess.run(["mmd", "-i", path, "-D", "s", "::" + "/".join(folders[: depth + 1])],
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if isinstance(content, bytes):
            with tempfile.NamedTemporaryFile() as temporary:
                temporary.write(content)
                temporary.flush()
                run_tool(["mcopy", "-o", "-i", path, temporary.name, "::" + name])
        else:
            run_tool(["mcopy", "-o", "-i", path, content, "::" + name])


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


def nic_arguments(model, netdev, mac=MAC, index=0, rom=""):
    """-device for one NIC. QEMU's default option ROM is iPXE, which would bind the NIC first: none unless asked for."""
    extra = ",disable-legacy=on" if model == "virtio-net-pci" else ""
    romfile = "" if rom is None else f",romfile={rom}"
    return ["-netdev", netdev.format(id=f"n{index}"), "-device", f"{model},netdev=n{index},mac={mac},id=nic{index}{romfile}{extra}"]


def count_accesses(trace):
    """{mark: [writes, reads]} of the NIC's registers in a trace (Machine.trace_accesses), by the mark that was last written
    to port 0x80 before them; 0 before the first."""
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
            elif name in ("e1000-mmio", "e1000e-mmio"):
                counts[mark][kind == "read"] += 1
    return counts


class Machine:
    """One QEMU with OVMF. Use it as a context manager; `output` collects the serial port as text."""

    def __init__(self, disk=None, machine="q35", nics=(), extra=(), memory="512M", echo=None, interactive=False, wrapper=()):
        need("qemu-system-x86_64", "qemu-system-x86")
        need(OVMF_CODE, "ovmf")
        self.folder = tempfile.mkdtemp(prefix="netdiag-")
        self.output = ""
        self.echo = echo
        self.pending = b""
        self.process = None
        self.monitor = None
        variables = os.path.join(self.folder, "vars.fd")
        shutil.copy(OVMF_VARS, variables)
        self.qmp_path = os.path.join(self.folder, "qmp")
        self.command = ["qemu-system-x86_64", "-M", machine, "-m", memory, "-display", "none", "-no-reboot",
                        "-nodefaults", "-vga", "none",
                        "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF_CODE}",
                        "-drive", f"if=pflash,format=raw,file={variables}"]
        if interactive:
            self.command += ["-serial", "mon:stdio"]
        else:
            self.command += ["-serial", "stdio", "-qmp", f"unix:{self.qmp_path},server=on,wait=off"]
        if disk:
            # Named first in the boot order, and without a boot loader on it: the quickest way into the built-in Shell.
            self.command += ["-drive", f"if=none,id=disk,format=raw,file={disk}",
                             "-device", "virtio-blk-pci,drive=disk,bootindex=0"]
        for nic in nics:
            self.command += nic
        self.command = list(wrapper) + self.command + list(extra)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.monitor:
            self.monitor.close()
            self.monitor = None
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process and self.process.stdout:
            self.process.stdout.close()
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run_interactive(self):
        return subprocess.run(self.command, check=False).returncode

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, bufsize=0)
        return self

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
        if "to skip startup.nsh or any other key to continue" in self.output[-400:] and not getattr(self, "hurried", 0):
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

    def trace_accesses(self):
        """From now on every access to a device's registers is in the trace, the file of -D in `extra`."""
        for event in ("memory_region_ops_read", "memory_region_ops_write"):
            self.qmp("trace-event-set-state", name=event, enable=True)

    def qmp(self, execute, **arguments):
        """One QMP command; returns its answer."""
        import json
        if not self.monitor:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(10)
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
