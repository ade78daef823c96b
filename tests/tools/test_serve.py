"""test_serve - tools/serve as a machine under test sees it: HTTP on loopback; DHCP, PXE, TFTP on a wire of its own."""

import hashlib
import http.client
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.abspath(__file__)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
SERVE = os.path.join(ROOT, "tools/serve")
INSIDE = "--inside"  # this file, run in a network of its own
BOOT_FILE = "EFI/BOOT/BOOTX64.EFI"
PXE_CLASS, HTTP_CLASS = b"PXEClient:Arch:00007:UNDI:003000", b"HTTPClient:Arch:00016:UNDI:003000"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Serving:
    """A running tools/serve; `lines` is what it has said so far."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([SERVE, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        self.lines = ""

    def wait_for(self, pattern):
        while not re.search(pattern, self.lines):
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"it ended without '{pattern}':\n{self.lines}")
            self.lines += line

    def stop(self):
        """Ctrl-C; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        if not self.process.stdout.closed:
            self.lines += self.process.stdout.read()
            self.process.stdout.close()
        return self.process.wait()


def serve_once(*command, **options):
    """Runs it to its end, which is at once when something is wrong."""
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **options)


class ServeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="serve-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.tree = os.path.join(folder.name, "tree")
        os.makedirs(os.path.join(self.tree, "EFI/BOOT"))
        self.write(BOOT_FILE, b"MZ a loader")
        self.write("kernel.elf", bytes(range(256)) * 1000)
        self.port = free_port()

    def write(self, name, content):
        with open(os.path.join(self.tree, name), "wb") as file:
            file.write(content)

    def serve(self, *arguments):
        serving = Serving(self.tree, "--port", str(self.port), *arguments)
        self.addCleanup(serving.stop)
        serving.wait_for("HTTP +http://")
        return serving

    def get(self, path, method="GET", address="127.0.0.1", **headers):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection(address, self.port)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.headers), body


class Http(ServeTest):
    def test_files_and_ranges(self):
        serving = self.serve("--http-only")
        content = bytes(range(256)) * 1000
        status, headers, body = self.get("/kernel.elf")
        self.assertEqual((status, body, headers["Accept-Ranges"]), (200, content, "bytes"))
        for wanted, span in (("bytes=5-9", (5, 10)), ("bytes=255990-", (255990, 256000)),
                             ("bytes=-3", (255997, 256000)), ("bytes=10-999999", (10, 256000)),
                             ("bytes=-999999", (0, 256000)), ("bytes=0-0", (0, 1))):
            with self.subTest(wanted):
                status, headers, body = self.get("/kernel.elf", Range=wanted)
                self.assertEqual((status, body), (206, content[slice(*span)]))
                self.assertEqual(headers["Content-Range"], f"bytes {span[0]}-{span[1] - 1}/256000")
        for wanted in ("bytes=256000-", "bytes=-0", "bytes=9-5"):
            status, headers, body = self.get("/kernel.elf", Range=wanted)
            self.assertEqual((status, body, headers["Content-Range"]), (416, b"", "bytes */256000"))
        for wanted in ("bytes=", "bytes=a-b", "bytes=0-1,5-6", "lines=0-1", "bytes=--5"):
            self.assertEqual(self.get("/kernel.elf", Range=wanted)[0], 200, wanted)  # RFC 9110, 14.2: ignored
        status, headers, body = self.get("/kernel.elf", method="HEAD")
        self.assertEqual((status, body, headers["Content-Length"]), (200, b"", "256000"))
        self.assertEqual(self.get("/no.elf")[0], 404)
        self.assertEqual(self.get("/../../etc/passwd")[0], 404)
        self.assertIn(b"kernel.elf", self.get("/")[2])
        self.assertEqual(serving.stop(), 0)
        self.assertIn("GET /kernel.elf HTTP/1.1 206 (bytes=5-9)", serving.lines)
        self.assertIn("GET /no.elf HTTP/1.1 404", serving.lines)
        self.assertNotIn("Traceback", serving.lines)

    def test_hash(self):
        self.serve("--http-only")
        digest = hashlib.sha256(bytes(range(256)) * 1000).hexdigest()
        self.assertEqual(self.get("/kernel.elf.sha256")[2], f"{digest}  kernel.elf\n".encode())
        self.write("kernel.elf.sha256", b"mine\n")
        self.assertEqual(self.get("/kernel.elf.sha256")[2], b"mine\n")
        self.assertEqual(self.get("/no.elf.sha256")[0], 404)
        image = self.get("/image.img")[2]
        self.assertEqual(self.get("/image.img.sha256")[2], f"{hashlib.sha256(image).hexdigest()}  image.img\n".encode())

    def file_in_image(self, name):
        path = os.path.join(self.folder, "fetched.img")
        with open(path, "wb") as file:
            file.write(self.get("/image.img")[2])
        shown = subprocess.run(["mtype", "-i", path, "::" + name], capture_output=True, check=False)
        return shown.stdout if shown.returncode == 0 else None

    def test_image(self):
        """Made when it is asked for, and again only when something has changed."""
        serving = self.serve("--http-only")
        self.assertNotIn("made in", serving.lines)
        self.assertEqual(self.file_in_image(BOOT_FILE), b"MZ a loader")
        self.assertEqual(self.file_in_image("kernel.elf"), bytes(range(256)) * 1000)
        self.write("kernel.elf", b"newer")
        self.assertEqual(self.file_in_image("kernel.elf"), b"newer")
        self.write("limine.conf", b"timeout: 0\n")
        self.assertEqual(self.file_in_image("limine.conf"), b"timeout: 0\n")
        os.unlink(os.path.join(self.tree, "limine.conf"))
        self.assertIsNone(self.file_in_image("limine.conf"))
        status, _, body = self.get("/image.img", Range="bytes=510-511")
        self.assertEqual((status, body), (206, b"\x55\xaa"))
        self.assertEqual(serving.stop(), 0)
        self.assertEqual(serving.lines.count("made in"), 4, serving.lines)

    def test_image_of_ones_own(self):
        self.write("image.img", b"mine")
        self.serve("--http-only")
        self.assertEqual(self.get("/image.img")[2], b"mine")

    def test_transfer_that_breaks_off(self):
        """The machine is switched off in the middle: said in a line, and the next one is served."""
        self.write("large.img", bytes(64 << 20))
        serving = self.serve("--http-only")
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"GET /large.img HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(1000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        serving.wait_for("went away in the middle of a transfer")
        self.assertEqual(self.get("/kernel.elf")[0], 200)
        self.assertEqual(serving.stop(), 0)
        self.assertNotIn("Traceback", serving.lines)


class Mistakes(ServeTest):
    def refused(self, *arguments, status=2, **options):
        result = serve_once(SERVE, *arguments, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        return result.stderr

    def test_mistakes(self):
        missing = os.path.join(self.folder, "none")
        self.assertIn(f"{missing} is no folder", self.refused(missing, "--http-only"))
        self.assertIn("has no linux.efi to boot", self.refused(self.tree, "--http-only", "--boot", "linux.efi"))
        self.assertIn("one of the arguments --interface --http-only --qemu is required", self.refused(self.tree))
        self.assertIn("--proxy is for DHCP", self.refused(self.tree, "--http-only", "--proxy"))
        self.assertIn("--command is for the machine", self.refused(self.tree, "--http-only", "--command", "list"))
        self.assertIn("--port 70000 is no port", self.refused(self.tree, "--http-only", "--port", "70000"))
        self.assertIn("invalid choice: 'rtl8139'", self.refused(self.tree, "--qemu", "--nic", "rtl8139"))
        text = self.refused(self.tree, "--qemu", "--build", self.folder, "--port", str(self.port))
        self.assertIn("netdiag.efi is missing: run `make all` first", text)

    def test_port_in_use(self):
        with socket.socket() as other:
            other.bind(("0.0.0.0", self.port))
            other.listen()
            text = self.refused(self.tree, "--http-only", "--port", str(self.port))
            self.assertIn(f"port {self.port}: address already in use: take another with --port", text)

    def test_interface(self):
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        os.chmod(self.folder, 0o755)
        result = serve_once(*as_user, sys.executable, SERVE, self.tree, "--interface", "lo")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("DHCP and TFTP need root", result.stderr)


class Wire(ServeTest):
    """In a network of its own: serve on one end of a cable, this file again on the other."""

    def inside(self, *arguments):
        # Root needs no user namespace, and in a chroot could not have one.
        namespaces = "-npf" if os.geteuid() == 0 else "-Urnpf"
        result = subprocess.run(["unshare", namespaces, "--kill-child", sys.executable, HERE, INSIDE, self.tree,
                                 str(self.port), *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_dhcp_and_tftp(self):
        said = self.inside()
        self.assertIn("sent", said)

    def test_proxy(self):
        self.inside("--proxy")


# On the wire ----------------------------------------------------------------------------------------------------------

def discover(vendor_class, arch):
    """The answer to a machine's DHCP DISCOVER on wire1: {option or field: value}."""
    from scapy.all import BOOTP, DHCP, IP, UDP, Ether, conf, get_if_hwaddr, mac2str, srp1  # slow, and not for HTTP

    conf.checkIPaddr = False  # the answer goes to another address than the question came from
    mac = get_if_hwaddr("wire1")
    options = [("message-type", "discover"), ("vendor_class_id", vendor_class), (93, struct.pack(">H", arch)),
               (94, b"\x01\x03\x00"), (97, b"\x00" + bytes(16)), ("param_req_list", [1, 3, 43, 54, 60, 66, 67]), "end"]
    frame = (Ether(dst="ff:ff:ff:ff:ff:ff", src=mac) / IP(src="0.0.0.0", dst="255.255.255.255")
             / UDP(sport=68, dport=67) / BOOTP(chaddr=mac2str(mac) + bytes(10), xid=0x12345678, flags=0x8000)
             / DHCP(options=options))
    answer = srp1(frame, iface="wire1", timeout=30, retry=10, verbose=False, filter=None)
    found = {option[0]: option[1] for option in answer[DHCP].options if isinstance(option, tuple)}
    return found | {"yiaddr": answer[BOOTP].yiaddr, "siaddr": answer[BOOTP].siaddr,
                    "file": (answer[BOOTP].file.strip(b"\0") or found.get("boot-file-name", b"").strip(b"\0")).decode()}


def tftp(server, name):
    """A file by TFTP (RFC 1350)."""
    content = b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.settimeout(60)
        end.sendto(b"\0\1" + name.encode() + b"\0octet\0", (server, 69))
        while True:
            packet, peer = end.recvfrom(2000)
            kind, number = struct.unpack_from(">HH", packet)
            assert kind == 3, packet
            content += packet[4:]
            end.sendto(struct.pack(">HH", 4, number), peer)
            if len(packet) < 516:
                return content


def inside(tree, port, *arguments):
    for line in ("link set lo up", "link add wire0 type veth peer name wire1", "addr add 192.168.77.1/24 dev wire0",
                 "link set wire0 up", "link set wire1 up"):
        subprocess.run(["ip", *line.split()], check=True)
    for interface, text in (("wire7", "there is no interface wire7; there are lo, wire0, wire1"),
                            ("wire1", "wire1 has no IPv4 address")):
        refused = serve_once(SERVE, tree, "--interface", interface)
        assert refused.returncode == 2 and text in refused.stderr, refused.stderr
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("192.168.77.1", 69))
        refused = serve_once(SERVE, tree, "--port", port, "--interface", "wire0")
        assert refused.returncode == 2, refused
        assert "ports 67 and 69 must be free" in refused.stderr and "Address already in use" in refused.stdout, refused
    serving = Serving(tree, "--port", port, "--interface", "wire0", *arguments)
    serving.wait_for("HTTP +http://")
    offer = discover(PXE_CLASS, 7)
    if "--proxy" in arguments:
        assert offer["yiaddr"] == "0.0.0.0", offer
        assert offer["vendor_class_id"] == b"PXEClient", offer
        assert offer["siaddr"] == "192.168.77.1", offer
    else:
        assert re.fullmatch(r"192\.168\.77\.1\d\d", offer["yiaddr"]), offer
        assert (offer["siaddr"], offer["file"]) == ("192.168.77.1", BOOT_FILE), offer
        offer = discover(HTTP_CLASS, 16)
        assert offer["file"] == f"http://192.168.77.1:{port}/image.img", offer
        assert offer["vendor_class_id"] == b"HTTPClient", offer
    assert tftp("192.168.77.1", BOOT_FILE) == b"MZ a loader"
    serving.wait_for("sent .*BOOTX64.EFI")
    with open(os.path.join(tree, BOOT_FILE), "wb") as file:
        file.write(b"MZ the next build")
    assert tftp("192.168.77.1", BOOT_FILE) == b"MZ the next build"
    connection = http.client.HTTPConnection("192.168.77.1", int(port))
    connection.request("GET", "/image.img")
    assert connection.getresponse().status == 200
    status = serving.stop()
    assert status == 0 and "Traceback" not in serving.lines, serving.lines
    print(serving.lines)


if __name__ == "__main__":
    if INSIDE in sys.argv:
        inside(*sys.argv[2:])
    else:
        unittest.main()
