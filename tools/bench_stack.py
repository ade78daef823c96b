"""bench_stack - whole ways through the firmware's network stack for tools/bench: downloads by TFTP and HTTP, and PXE
from power-on to the first byte of the boot file."""

import hashlib
import http.server
import os
import random
import re
import socketserver
import threading
import time

import nics
import qemulib
from wire_net import Network

MIB = 1 << 20
FETCHED = re.compile(r": (\d+) bytes in\s+([\d.]+)\s+s\b")
AS_IT_SHOULD = re.compile(r"as it\s+should\s+be")
OVERRUN = re.compile(r"e1000_receiver_overrun|e1000e_rx_can_recv_rings_full")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One file, whatever is asked for."""

    daemon_threads = True

    def __init__(self, content):
        self.content = content
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        if body:
            self.wfile.write(self.server.content)

    def do_GET(self):
        self.answer(True)

    def do_HEAD(self):
        self.answer(False)

    def log_message(self, *_):
        pass


def load(model):
    return [f"load -nc {nics.TABLE[model].driver}.efi"]


def download(build, folder, model, ours, rom, mebibytes):
    """{"tftp": seconds a MiB, "http": the same, "overruns": frames or moments without a free buffer}."""
    content = random.Random(mebibytes).randbytes(mebibytes * MIB)
    served, trace = os.path.join(folder, "served"), os.path.join(folder, "trace")
    os.makedirs(served, exist_ok=True)
    with open(os.path.join(served, "file"), "wb") as file:
        file.write(content)
    digest = hashlib.sha256(content).hexdigest()
    server = Server(content)
    name = f"{nics.TABLE[model].driver}.efi"
    fetch = f"netdiag fetch --sha256 {digest}"
    run = (load(model) if ours else []) + ["connect -r", f"{fetch} http://10.0.2.2:{server.server_address[1]}/file",
                                           f"{fetch} tftp://10.0.2.2/file"]
    disk = os.path.join(folder, "disk.img")
    qemulib.make_disk(disk, {"netdiag.efi": os.path.join(build, "netdiag.efi"), name: os.path.join(build, name),
                             "startup.nsh": qemulib.script(run)})
    nic = qemulib.nic_arguments(model, f"user,id={{id}},tftp={served}", rom=rom)
    extra = ["-D", trace] + [word for event in ("e1000_receiver_overrun", "e1000e_rx_can_recv_rings_full")
                             for word in ("-trace", event)]
    try:
        with qemulib.Machine(disk=disk, nics=[nic], extra=extra) as machine:
            machine.start()
            ended = machine.wait_for("=== end")
            found = FETCHED.findall(machine.output)
            if not ended or len(found) != 2 or any(int(size) != len(content) for size, _ in found) or \
                    len(AS_IT_SHOULD.findall(machine.output)) != 2:
                raise qemulib.QemuError(f"{model}: a download failed; last lines:\n{machine.output[-1500:]}")
    finally:
        server.shutdown()
        server.server_close()
    with open(trace, encoding="utf-8", errors="replace") as file:
        overruns = sum(1 for line in file if OVERRUN.search(line))
    return {"http": float(found[0][1]) / mebibytes, "tftp": float(found[1][1]) / mebibytes, "overruns": overruns}


def pxe(build, folder, model, rom):
    """Seconds from power-on to the first block of the boot file, from a NIC with this option ROM and no disk."""
    with open(os.path.join(build, "tests", "hello.efi"), "rb") as file:
        boot = file.read()
    base = os.path.join(folder, "pxe")
    network = Network(base + "p", base + "q", boot)
    network.fault()
    network.start()
    try:
        nic = qemulib.nic_arguments(model, network.netdev(), rom=rom, properties="bootindex=0")
        with qemulib.Machine(nics=[nic], paused=True) as machine:
            machine.start()
            machine.go()
            start = time.monotonic()
            while network.counts["tftp-block"] == 0:
                if machine.wait_for(None, 0.002) or time.monotonic() > start + qemulib.TIMEOUT_S:
                    raise qemulib.QemuError(f"{model}: no PXE; last lines:\n{machine.output[-1500:]}")
            return time.monotonic() - start
    finally:
        network.stop()
