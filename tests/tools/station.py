"""station - a client on the other end of badnet's wire, in place of a machine; scapy judges each packet that comes."""

import os
import socket
import sys
import tempfile
import unittest

from scapy.all import ARP, BOOTP, DHCP, ICMP, IP, TFTP, UDP, Dot3, Ether, ICMPv6ND_RA, Raw, conf
from scapy.layers.tftp import TFTP_ACK, TFTP_DATA, TFTP_ERROR, TFTP_OACK, TFTP_RRQ, TFTP_Option, TFTP_Options

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import wire  # noqa: E402
import wire_ipv4  # noqa: E402
import wire_net  # noqa: E402

conf.checkIPaddr = False
NIC_MAC = "52:54:00:12:34:56"
GATEWAY, SERVER, SECOND, FAR = wire_ipv4.GATEWAY, wire_ipv4.SERVER, wire_ipv4.SECOND, wire_ipv4.FAR
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
        self.judge = True  # otherwise what comes need not be sound, and ask() returns bytes

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
            packet = sound(frame) if self.judge else frame
            if not self.judge or ICMPv6ND_RA not in packet:  # which come unasked
                frames.append(packet)

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
    if not (IP in again and (again[IP].frag or again[IP].flags.MF)):
        layer = again
        while layer:
            for name in ("chksum", "cksum", "len", "plen", "dlen", "dataofs", "ihl"):
                if name in layer.fields and not isinstance(layer, Dot3 | Ether | DHCP):
                    delattr(layer, name)
            # What ICMP quotes is cut off
            layer = layer.payload if not isinstance(layer, ICMP) or layer.type in (0, 8) else None
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
    return ":".join(f"{byte:02x}" for byte in wire_ipv4.mac_of(socket.inet_aton(address)))


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
