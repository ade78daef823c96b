"""test_badnet - tools/badnet without a machine: a client on the other end of the wire, scapy judging each packet."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import types
import unittest

from scapy.all import ARP, BOOTP, DHCP, ICMP, IP, TFTP, UDP, Dot1Q, Ether, Raw, conf
from scapy.layers.tftp import (TFTP_ACK, TFTP_DATA, TFTP_ERROR, TFTP_OACK, TFTP_RRQ, TFTP_Option,  # noqa: F401
                               TFTP_Options)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import wire  # noqa: E402
import wire_faults  # noqa: E402
import wire_net  # noqa: E402
import wire_tftp  # noqa: E402

conf.checkIPaddr = False
NIC_MAC = "52:54:00:12:34:56"
GATEWAY, SERVER, SECOND, FAR = wire_net.GATEWAY, wire_net.SERVER, wire_net.SECOND, wire_net.FAR
FIRST = "10.77.0.50"
PXE = [("vendor_class_id", b"PXEClient:Arch:00007:UNDI:003000"), (93, b"\0\7")]
HTTP = [("vendor_class_id", b"HTTPClient:Arch:00016:UNDI:003000"), (93, b"\0\x10")]
TIMEOUT_S = 1200


def pe(size=3000, machine=0x8664):
    """As much of a program as anybody here looks at."""
    head = b"MZ".ljust(0x3C, b"\0") + (0x80).to_bytes(4, "little")
    body = head.ljust(0x80, b"\0") + b"PE\0\0" + machine.to_bytes(2, "little")
    return body + bytes(i * 7 & 0xFF for i in range(size - len(body)))


class Station:
    """QEMU's end of the wire."""

    def __init__(self, folder):
        self.path, self.net = os.path.join(folder, "nic"), os.path.join(folder, "net")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(TIMEOUT_S)
        self.sequence = 0

    def close(self):
        self.socket.close()

    def send(self, packet):
        self.socket.sendto(bytes(packet), self.net)

    def receive(self):
        return self.socket.recv(4096)

    def barrier(self):
        """A frame that the network answers always and last."""
        self.sequence += 1
        to = wire_net.MESSAGE_MAC + bytes([wire_net.AS_WELL, 0])
        return wire.test_frame(to, bytes.fromhex(NIC_MAC.replace(":", "")), 7, self.sequence, 60)

    def ask(self, *packets):
        """Sends them, and returns all that came before the network had done with them."""
        for packet in packets:
            self.send(packet)
        barrier = self.barrier()
        self.send(barrier)
        frames = []
        while True:
            frame = self.receive()
            if frame[12:14] == barrier[12:14] and frame[14:18] == barrier[14:18] and frame[24:28] == barrier[24:28]:
                return frames
            frames.append(sound(frame))

    def await_frame(self, condition):
        """The next packet for which it is true."""
        while True:
            packet = sound(self.receive())
            if condition(packet):
                return packet


def sound(frame):
    """The packet that scapy sees, with every checksum and length as scapy would make it."""
    packet = Ether(frame)
    again = packet.copy()
    for layer in (IP, UDP, ICMP):
        if layer in again and not (IP in again and (again[IP].frag or again[IP].flags.MF)):
            del again[layer].chksum
            if layer is not ICMP:
                del again[layer].len
    if bytes(again) != frame:
        raise AssertionError(f"{packet.show(dump=True)}\n{frame.hex()}, of which scapy makes\n{bytes(again).hex()}")
    return packet


def dhcp(kind, options=(), xid=0x1234, flags=0x8000, **fields):
    source = fields.pop("source", "0.0.0.0")
    mac = bytes.fromhex(NIC_MAC.replace(":", ""))
    return (Ether(src=NIC_MAC, dst="ff:ff:ff:ff:ff:ff") / IP(src=source, dst="255.255.255.255") /
            UDP(sport=68, dport=67) / BOOTP(chaddr=mac.ljust(16, b"\0"), xid=xid, flags=flags, **fields) /
            DHCP(options=[("message-type", kind), *options, "end"]))


def options(packet):
    return {option[0]: option[1:] if len(option) > 2 else option[1] for option in packet[DHCP].options
            if isinstance(option, tuple)}


def mac_of(address):
    return ":".join(f"{byte:02x}" for byte in wire_net.mac_of(socket.inet_aton(address)))


def via(address, payload, source=FIRST, mac=None):
    """A packet from the NIC's address to a host of the wire, or beyond the gateway."""
    to = mac or mac_of(address if address.startswith("10.77.0.") else GATEWAY)
    return Ether(src=NIC_MAC, dst=to) / IP(src=source, dst=address) / payload


def ping(address, size=32, **fields):
    return Ether(src=NIC_MAC, dst=mac_of(address if address.startswith("10.77.0.") else GATEWAY)) / \
        IP(src=FIRST, dst=address, **fields) / ICMP(id=5, seq=1) / Raw(bytes(size))


def who_has(address, source=FIRST):
    return Ether(src=NIC_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=NIC_MAC, psrc=source, pdst=address)


class NetworkTest(unittest.TestCase):
    BOOT = pe()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="b-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.station = Station(self.folder)
        self.addCleanup(self.station.close)
        self.ask = self.station.ask
        self.network = wire_net.Network(self.station.net, self.station.path, self.BOOT, signed=pe(2000),
                                        folder=self.folder)
        self.network.start()
        self.addCleanup(self.network.stop)

    def offers(self, *extra, **fields):
        """What the servers offer to a DISCOVER with these options."""
        return [packet for packet in self.ask(dhcp("discover", extra, **fields)) if DHCP in packet]

    def request(self, address=FIRST, server=SERVER, extra=()):
        answers = self.ask(dhcp("request", [("requested_addr", address), ("server_id", server), *extra]))
        return [packet for packet in answers if DHCP in packet]

    def read(self, name="boot.efi", server=SERVER, extra=(), loss=()):
        """Reads a file as a client does. Returns (content or error code, options, numbers of the blocks that came)."""
        self.station.send(via(server, UDP(sport=4000, dport=69) / TFTP() / TFTP_RRQ(filename=name, mode="octet") /
                              TFTP_Options(options=[TFTP_Option(oname=key, value=value) for key, value in extra])))
        agreed, content, numbers, size, window = {}, b"", [], 512, 1
        while True:
            answer = self.station.await_frame(lambda packet: UDP in packet and packet[UDP].dport == 4000)
            message = TFTP(bytes(answer[UDP].payload)[:answer[UDP].len - 8])
            port = answer[UDP].sport
            if TFTP_ERROR in message:
                return message[TFTP_ERROR].errorcode, agreed, numbers
            if TFTP_OACK in message:
                agreed = {option.oname.decode(): int(option.value) for option in message[TFTP_Options].options}
                size, window = agreed.get("blksize", 512), agreed.get("windowsize", 1)
                block = 0
            else:
                block, data = message[TFTP_DATA].block, bytes(message[TFTP_DATA].payload)
                numbers.append(block)
                if block != len(content) // size + 1:
                    continue
                content += data
                if len(data) == size and block % window:
                    continue
            self.station.send(via(server, UDP(sport=4000, dport=port) / TFTP() / TFTP_ACK(block=block)))
            if block and len(data) < size:
                return content, agreed, numbers


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
        self.assertEqual(echo[6:12], wire_net.mac_of(socket.inet_aton(SERVER)))


if __name__ == "__main__":
    unittest.main()
