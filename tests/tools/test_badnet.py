"""test_badnet - tools/badnet's network without a machine and without faults, and the tool; scapy sees each packet."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import types
import unittest

from scapy.all import ARP, BOOTP, ICMP, IP, UDP, Ether, Raw
from station import (FAR, FIRST, GATEWAY, HTTP, NIC_MAC, PXE, ROOT, SECOND, SERVER, NetworkTest, Station, dhcp, mac_of,
                     options, ping, via, who_has)

import wire
import wire_faults
import wire_hostile
import wire_ipv4
import wire_tftp


class Healthy(NetworkTest):
    def test_dhcp(self):
        for extra, name in ((PXE, b"boot.efi"), (HTTP, b"http://10.77.0.2/boot.efi"), ([], b"boot.efi")):
            with self.subTest(extra):
                offer, = self.offers(*extra)
                said = options(offer)
                self.assertEqual((offer[Ether].src, offer[IP].src), (mac_of(SERVER), SERVER))
                self.assertEqual((offer[Ether].dst, offer[IP].dst), ("ff:ff:ff:ff:ff:ff", "255.255.255.255"))
                self.assertEqual((offer[BOOTP].yiaddr, offer[BOOTP].siaddr, offer[BOOTP].xid), (FIRST, SERVER, 0x1234))
                self.assertEqual((said["message-type"], said["server_id"]), (2, SERVER))
                self.assertEqual((said["subnet_mask"], said["router"]), ("255.255.255.0", GATEWAY))
                self.assertEqual((said["lease_time"], said["boot-file-name"]), (3600, name))
                self.assertEqual(offer[BOOTP].file.rstrip(b"\0"), name)
                acknowledged, = self.request(extra=extra)
                self.assertEqual(options(acknowledged) | {"message-type": 2}, said)
                self.assertEqual(options(acknowledged)["message-type"], 5)
        self.assertEqual([self.network.seen(f"dhcp-discover {kind}") for kind in ("pxe", "http", "plain")], [1, 1, 1])

    def test_classes(self):
        self.assertEqual(options(self.offers(*PXE)[0])["vendor_class_id"], b"PXEClient")
        self.assertEqual(options(self.offers(*PXE)[0])["vendor_specific"], bytes([6, 1, 8, 255]))
        self.assertEqual(options(self.offers(*HTTP)[0])["vendor_class_id"], b"HTTPClient")
        self.assertNotIn("vendor_class_id", options(self.offers()[0]))

    def test_unicast(self):
        """Without the broadcast flag the offer goes to the client alone."""
        offer, = self.offers(flags=0)
        self.assertEqual((offer[Ether].dst, offer[IP].dst), (NIC_MAC, FIRST))

    def test_what_else_is_asked(self):
        self.offers()
        self.assertEqual(self.request(server="10.77.0.9"), [], "another server was chosen")
        refused, = self.request("10.77.0.200")
        self.assertEqual(options(refused)["message-type"], 6, "an address that was never given")
        renewed, = self.ask(dhcp("request", ciaddr=FIRST, source=FIRST))
        self.assertEqual((options(renewed)["message-type"], renewed[IP].dst), (5, FIRST))
        informed, = self.ask(dhcp("inform", ciaddr=FIRST, source=FIRST))
        self.assertEqual((options(informed)["message-type"], informed[BOOTP].yiaddr), (5, "0.0.0.0"))
        self.ask(dhcp("decline", [("requested_addr", FIRST), ("server_id", SERVER)]))
        self.assertEqual(self.offers()[0][BOOTP].yiaddr, "10.77.0.51", "the declined address is not given again")

    def test_arp(self):
        for address in (GATEWAY, SERVER):
            answer, = self.ask(who_has(address))
            self.assertEqual((answer[ARP].op, answer[ARP].hwsrc, answer[ARP].psrc), (2, mac_of(address), address))
            self.assertEqual((answer[ARP].hwdst, answer[ARP].pdst), (NIC_MAC, FIRST))
        self.assertEqual(self.ask(who_has(SECOND), who_has(FAR), who_has(FIRST), who_has("10.77.0.99")), [])

    def test_ping(self):
        for address, ttl in ((GATEWAY, 64), (SERVER, 64), (FAR, 63)):
            for size in (0, 1, 56, 1472):
                answer, = self.ask(ping(address, size))
                self.assertEqual((answer[IP].src, answer[IP].dst, answer[IP].ttl), (address, FIRST, ttl))
                self.assertEqual((answer[ICMP].type, answer[ICMP].id, answer[ICMP].seq), (0, 5, 1))
                self.assertEqual(answer[IP].len, 28 + size)

    def test_router(self):
        exceeded, = self.ask(ping(FAR, ttl=1))
        self.assertEqual((exceeded[IP].src, exceeded[ICMP].type, exceeded[ICMP].code), (GATEWAY, 11, 0))
        unreachable, = self.ask(ping("192.0.2.1"))
        self.assertEqual((unreachable[IP].src, unreachable[ICMP].type, unreachable[ICMP].code), (GATEWAY, 3, 0))
        port, = self.ask(via(SERVER, UDP(sport=4000, dport=33434) / Raw(b"x")))
        self.assertEqual((port[IP].src, port[ICMP].type, port[ICMP].code), (SERVER, 3, 3))

    def test_tftp(self):
        asked = [("blksize", "1468"), ("tsize", "0"), ("windowsize", "4")]
        agreed = {"blksize": 1468, "tsize": 3000, "windowsize": 4}
        self.assertEqual(self.read(extra=asked), (self.BOOT, agreed, [1, 2, 3]))
        self.assertEqual(self.read(), (self.BOOT, {}, [1, 2, 3, 4, 5, 6]))
        self.assertEqual(self.read(extra=[("blksize", "9000"), ("nonsense", "1")])[1], {"blksize": 1468})
        self.assertEqual(self.read(extra=[("blksize", "7")])[1], {})
        self.assertEqual(self.read("none")[0], 1)
        for data in (b"\0\2boot.efi\0octet\0", b"\0\1", b"\0\1boot.efi", b"\0\x09boot.efi\0octet\0"):
            answer, = self.ask(via(SERVER, UDP(sport=4000, dport=69) / Raw(data)))
            self.assertEqual(bytes(answer[UDP].payload)[:4], b"\0\5\0\4", "an illegal operation")
        self.assertEqual(self.network.seen("tftp-read boot.efi"), 4)
        self.assertEqual(self.network.seen("tftp-done"), 4)

    def test_tftp_folder(self):
        with open(os.path.join(self.folder, "full"), "wb") as file:
            file.write(bytes(1024))
        self.assertEqual(self.read("/full"), (bytes(1024), {}, [1, 2, 3]), "a last block of no bytes")
        os.symlink("/etc/passwd", os.path.join(self.folder, "link"))
        self.assertEqual([self.read(name)[0] for name in ("../" * 9 + "etc/passwd", "link", ".")], [1, 1, 1])

    def test_numbers_run_over(self):
        """More than 65535 blocks; without the wire, and without scapy, which would take minutes."""
        content, sent = bytes(range(256)) * 2200, []
        server = types.SimpleNamespace(network=self.network, send=lambda place, data: sent.append(data))
        transfer = wire_tftp.Transfer(server, None, content, {"blksize": 8, "windowsize": 64})
        transfer.go_on()
        transfer.take(b"\0\4\0\0")
        received = b""
        while not transfer.over:
            received += b"".join(data[4:] for data in sent if data[1] == wire_tftp.DATA)
            number = sent[-1][2:4]
            sent.clear()
            transfer.take(b"\0\4" + number)
        self.assertEqual(received, content)
        self.assertEqual(self.network.seen("tftp-done"), 1)

    def test_test_frames(self):
        mac = bytes.fromhex(NIC_MAC.replace(":", ""))
        self.station.send(wire.test_frame(b"\xff" * 6, mac, 1, 1, 1514))
        echo = self.station.receive()
        self.assertEqual(wire.parse_test_frame(echo), (wire.REPLY, 1, 1, True))
        self.assertEqual(echo[6:12], wire_ipv4.mac_of(socket.inet_aton(SERVER)))


class Tool(unittest.TestCase):
    """The program itself, as a process."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="b-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.boot = self.path("boot.efi")
        with open(self.boot, "wb") as file:
            file.write(b"MZ" * 600)

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def run_tool(*arguments):
        return subprocess.run([os.path.join(ROOT, "tools/badnet"), *arguments], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)

    def begin(self, *arguments):
        """A badnet that listens, and a client on its wire."""
        station = Station(self.folder)
        self.addCleanup(station.close)
        process = subprocess.Popen([os.path.join(ROOT, "tools/badnet"), "--local", station.net, "--remote",
                                    station.path, "--boot", self.boot, *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), f"badnet: listening on {station.net}; Ctrl-C stops\n")
        return station, process

    def test_life(self):
        """From its start over the control socket to a clean end, by either signal."""
        control = self.path("control")
        for number in (signal.SIGINT, signal.SIGTERM):
            station, process = self.begin("--control", control, "--fault", "no-dhcp", "--fault", "tftp-stall=7")

            def tell(*words):
                result = self.run_tool("--tell", control, *words)
                return result.returncode, result.stdout.rstrip("\n")
            self.assertEqual(tell("faults"), (0, "no-dhcp tftp-stall=7"))
            self.assertEqual(station.ask(dhcp("discover")), [])
            self.assertEqual(tell("-no-dhcp", "+lldp=60"), (0, "ok"))
            offer, = [packet for packet in station.ask(dhcp("discover")) if BOOTP in packet]
            self.assertEqual(options(offer)["boot-file-name"], b"boot.efi")
            self.assertEqual(tell("no-dhc"), (1, "error: no fault 'no-dhc'; did you mean 'no-dhcp'?"))
            self.assertEqual(json.loads(tell("counts")[1])["dhcp-discover plain"], 2)
            self.assertEqual(tell("healthy"), (0, "ok"))
            process.send_signal(number)
            self.assertEqual(process.stdout.read(), "badnet: 0 frames received since the last switch\n")
            self.assertEqual(process.wait(), 0)
            self.assertEqual((os.path.exists(station.net), os.path.exists(control)), (False, False))
            station.close()
            os.unlink(station.path)
        self.assertIn("is badnet running with --control?", self.run_tool("--tell", control, "faults").stderr)

    def test_verbose(self):
        station, process = self.begin("-v")
        station.ask(dhcp("discover", PXE))
        self.assertRegex(process.stdout.readline(), r"^ +\d+\.\d{3} dhcp-discover pxe\n$")

    def test_help(self):
        text = self.run_tool("--help").stdout
        for fault in wire_faults.FAULTS:
            self.assertRegex(text, rf"(?m)^  [0-9a-f]{{2}}  {fault.name}\b.* \w")
        self.assertLessEqual(max(map(len, self.run_tool("--list").stdout.split("\n"))), 110)

    def test_corpus(self):
        self.assertEqual(self.run_tool("--corpus", self.path("corpus")).returncode, 0)
        names = sorted(os.listdir(self.path("corpus")))
        self.assertEqual(len(names), 256)
        self.assertEqual({name.rpartition("-")[0] for name in names}, {kind.__name__ for kind in wire_hostile.KINDS})

    def test_mistakes(self):
        sockets = ["--local", self.path("n"), "--remote", self.path("m"), "--boot", self.boot]
        for arguments, message in (([], "--local and --remote are needed"), (["--tell"], "--tell SOCKET WORD"),
                                   ([*sockets, "--fault", "tftp-block"], "did you mean 'tftp-blocked'?"),
                                   ([*sockets, "--fault", "bootfile-signed"], "needs the file: --signed FILE"),
                                   ([*sockets, "--signed", "/nowhere"], "No such file or directory: '/nowhere'"),
                                   (["--local", "/nowhere/n", *sockets[2:]],
                                    "No such file or directory: '/nowhere/n'")):
            with self.subTest(arguments):
                result = self.run_tool(*arguments)
                self.assertEqual(result.returncode, 2)
                self.assertIn(message, result.stderr)
                self.assertNotIn("Traceback", result.stderr)
                self.assertFalse(os.path.exists(self.path("n")))

    def test_machine(self):
        """tools/qemu --badnet with a mistake; without one it is in qemu/test_tools.py."""
        build = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
        result = subprocess.run([os.path.join(ROOT, "tools/qemu"), "--build", build, "--badnet", "lldp nodhcp"],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr, "qemu: BADNET=lldp nodhcp: no fault 'nodhcp'; did you mean 'no-dhcp'?\n")

    def test_linux(self):
        """Linux' own TCP, ARP and neighbour discovery as the client."""
        station, _ = self.begin()
        station.close()
        os.unlink(station.path)
        namespaces = "-npf" if os.geteuid() == 0 else "-Urnpf"
        result = subprocess.run(["unshare", namespaces, "--kill-child", sys.executable,
                                 os.path.join(ROOT, "tests/tools/badnet_kernel.py"), station.path, station.net],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        said = json.loads(result.stdout)
        self.assertEqual([said.pop(name) for name in ("near", "far", "six", "none")], [1200, 1200, 1200, 404])
        self.assertEqual(said.pop("ping"), [64, 63])
        self.assertEqual({name: answer for name, (_, answer) in said.items()},
                         {"http-chunked": 1200, "http-redirect": 1200, "http-404": 404, "http-cut": "IncompleteRead",
                          "http-refused": "ConnectionRefusedError", "mtu-hole=1500": 1200, "reorder": 1200,
                          "duplicate=100": 1200, "loss=5": 1200, "icmp-mtu,far-server": 1200})
        self.assertEqual([text for text, _ in said.values()], [f"from now on: {name}" for name in said])


if __name__ == "__main__":
    unittest.main()
