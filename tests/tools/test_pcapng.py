"""test_pcapng - capture files and filters against tshark and scapy: what they read, which frames they would take."""

import os
import subprocess
import tempfile
import unittest

from scapy.all import (ARP, BOOTP, DHCP, Dot1AD, Dot1Q, Ether, ICMP, IP, IPv6, LLC, Raw, STP, TCP, UDP,
                       ICMPv6EchoRequest, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PcapNgReader,
                       wrpcap)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
GOLDEN = os.path.join(ROOT, "tests", "tools", "golden")
TOOL = os.path.join(BUILD, "capture_tool")
A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "ff:ff:ff:ff:ff:ff"


def ip(source="10.0.0.1", target="10.0.0.2", **fields):
    return IP(src=source, dst=target, **fields)


def inner():
    """What a frame may carry, with and without tags."""
    rrq, data, ack = b"\0\1boot.efi\0octet\0", b"\0\3\0\1" + b"x" * 512, b"\0\4\0\1"
    yield from (
        ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"), ARP(op=2, psrc="10.0.0.9", pdst="10.0.0.1"),
        ARP(hwtype=1, ptype=0x86DD, hwlen=6, plen=16),
        ip() / ICMP() / (b"p" * 56), ip(target="10.0.0.99") / ICMP(type=3),
        ip() / UDP(sport=1000, dport=2000) / b"u", ip() / UDP(sport=53, dport=33000) / b"d",
        ip() / TCP(sport=33000, dport=80) / b"GET / HTTP/1.0\r\n\r\n", ip() / TCP(sport=8080, dport=33001),
        ip() / TCP(sport=22, dport=69) / b"s", ip(proto=47) / b"gre",
        ip(options=b"\x94\x04\0\0") / UDP(sport=5, dport=6) / b"o",
        ip("0.0.0.0", "255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(op=1) /
        DHCP(options=[("message-type", "discover"), "end"]),
        ip() / UDP(sport=4000, dport=69) / Raw(rrq),
        ip("10.0.0.2", "10.0.0.1") / UDP(sport=5000, dport=4000) / Raw(data),
        ip() / UDP(sport=4000, dport=5000) / Raw(ack), ip() / UDP(sport=4001, dport=5000) / Raw(ack),
        IPv6(src="fe80::1", dst="fe80::2") / ICMPv6EchoRequest(),
        IPv6(src="fe80::1", dst="fe80::2") / UDP(sport=7, dport=80) / b"6",
        IPv6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP(sport=9, dport=80), IPv6(nh=59),
        IPv6() / IPv6ExtHdrFragment(offset=0, m=1, id=9) / UDP(sport=53, dport=5) / b"frag",
        LLC() / STP(), Raw(b"\0" * 46))


def frames():
    """Of each: untagged, a VLAN, a priority tag, two tags."""
    for number, payload in enumerate(inner()):
        header = Ether(src=A, dst=C if number % 3 == 0 else B)
        if LLC in payload:
            yield Ether(src=A, dst="01:80:c2:00:00:00", type=len(payload)) / payload
            continue
        if isinstance(payload, Raw):
            header.type = 0x9000
        yield header / payload
        for tags in (Dot1Q(vlan=5), Dot1Q(vlan=0, prio=6), Dot1AD(vlan=100) / Dot1Q(vlan=7)):
            tagged = Ether(src=B, dst=A) / tags.copy() / payload.copy()
            if isinstance(payload, Raw):
                tagged[Dot1Q].type = 0x9000
            yield tagged


# A filter of ours, and what tshark calls the same. tftp is followed by both: the answers come from another port.
PAIRS = [
    ("arp", "arp"), ("ip", "ip"), ("ip6", "ipv6"), ("icmp", "icmp && !ipv6"), ("icmp6", "icmpv6"), ("udp", "udp"),
    ("tcp", "tcp"), ("port 53", "udp.port == 53 || tcp.port == 53"), ("port 69", "udp.port == 69 || tcp.port == 69"),
    ("host 10.0.0.1", "ip.addr == 10.0.0.1 || arp.src.proto_ipv4 == 10.0.0.1 || arp.dst.proto_ipv4 == 10.0.0.1"),
    ("host 10.0.0.99", "ip.addr == 10.0.0.99"), (f"ether {B}", f"eth.addr == {B}"),
    ("ether host FF:FF:FF:FF:FF:FF", f"eth.addr == {C}"), ("vlan", "vlan"), ("vlan 5", "vlan.id == 5"),
    ("vlan 7", "vlan.id == 7"), ("vlan 100", "ieee8021ad.id == 100 || vlan.id == 100"), ("vlan 0", "vlan.id == 0"),
    ("dhcp", "dhcp"), ("http", "tcp.port == 80 || tcp.port == 8080"), ("tftp", "tftp"), ("not ip", "!ip"),
    ("arp or icmp and host 10.0.0.99", "arp || (icmp && ip.addr == 10.0.0.99)"),
    ("(arp or icmp) and host 10.0.0.99", "(arp || icmp) && ip.addr == 10.0.0.99"),
    ("not arp and not udp", "!arp && !udp"), ("not (arp or udp)", "!(arp || udp)"), ("udp port 53", "udp.port == 53"),
    ("! tcp && vlan || arp", "(!tcp && vlan) || arp"),
]


class Capture(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="capture-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_tool(self, *command):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, f"{command}: {result.stderr}")
        return result.stdout

    def tshark(self, *arguments):
        environment = dict(os.environ, HOME=self.folder)
        command = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_filters(self):
        path = self.path("frames.pcap")
        all_frames = list(frames())
        wrpcap(path, all_frames)
        for ours, theirs in PAIRS:
            with self.subTest(filter=ours):
                mine = self.run_tool(TOOL, "match", path, *ours.split()).split()
                wanted = self.tshark("-r", path, "-Y", theirs, "-T", "fields", "-e", "frame.number").split()
                self.assertEqual(mine, wanted)
                self.assertTrue(0 < len(wanted) < len(all_frames), "a filter that tells nothing apart")

    def test_quoted_words(self):
        path = self.path("frames.pcap")
        wrpcap(path, list(frames()))
        apart = self.run_tool(TOOL, "match", path, "(arp", "or", "icmp)", "and", "not", "vlan")
        self.assertEqual(self.run_tool(TOOL, "match", path, "(arp or icmp)and !vlan"), apart)
        self.assertTrue(apart)

    def test_file(self):
        path = self.path("sample.pcapng")
        self.run_tool(TOOL, "write", path)
        names = ("time_epoch", "len", "cap_len", "packet_flags_direction", "interface_name", "comment")
        fields = self.tshark("-r", path, "-T", "fields", *(word for name in names for word in ("-e", f"frame.{name}")))
        first, second = (line.split("\t") for line in fields.rstrip("\n").split("\n"))
        self.assertEqual(first[:3], ["1795696496.123456000", "60", "60"])
        self.assertEqual(second[:3], ["1795696496.123457000", "1514", "43"])
        self.assertEqual([int(first[3], 0), int(second[3], 0)], [1, 2])
        self.assertEqual(first[4], "eth0")
        self.assertIn("cut, and seven lost before it", second[5])

    def test_screens(self):
        """Golden screens; a new one is what the tool prints."""
        for size in ("80 25", "100 31", "128 40"):
            with self.subTest(size=size), open(os.path.join(GOLDEN, f"monitor_{size.replace(' ', 'x')}.txt"),
                                               encoding="ascii") as file:
                self.assertEqual(self.run_tool(TOOL, "page", *size.split()), file.read())

    def test_readme_shows_the_screen(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            self.assertIn(f"```\n{self.run_tool(TOOL, 'page', '80', '25')}```\n", file.read())

    def test_capinfos(self):
        path = self.path("sample.pcapng")
        self.run_tool(TOOL, "write", path)
        text = self.run_tool("capinfos", "-M", path)
        for line in ("x86-64", "UEFI 2.7, EDK II 0x10000", "netdiag 0.1", "a comment", "Name = eth0",
                     "Description = 82574L at 0000:00:02.0", "Speed = 1000000000", "Filter string = arp or udp",
                     "Capture length = 1514", "Time resolution = 0x06", "Number of packets = 2"):
            self.assertIn(line, text)
        self.assertNotIn("cut short", text)

    def test_scapy(self):
        path = self.path("sample.pcapng")
        self.run_tool(TOOL, "write", path)
        with PcapNgReader(path) as reader:
            packets = list(reader)
        self.assertEqual([len(bytes(packet)) for packet in packets], [60, 43])
        self.assertAlmostEqual(float(packets[0].time), 1795696496.123456, places=4)


if __name__ == "__main__":
    unittest.main()
