"""wire_hostile - packets that nobody should send: damaged answers, and lies in DHCP, ARP, TFTP, ICMP, LLDP and others.

packet() makes a corpus for fuzzers as well: tools/badnet --corpus FOLDER."""

import struct

import wire_dhcp
import wire_speakers
import wire_tftp
from wire import ARP, BROADCAST, ICMP, IPV4, IPV6, UDP, arp, ethernet, icmp, ipv4, ipv6, udp

SERVER, CLIENT = bytes([10, 77, 0, 2]), bytes([10, 77, 0, 50])
SERVER_MAC = b"\x02\x00" + SERVER
KNOWN_OPTIONS = (1, 3, 6, 15, 28, 43, 51, 52, 53, 54, 58, 59, 60, 61, 66, 67, 82, 93, 97, 119, 121, 209, 210)


def damaged(random, frame):
    """The frame with a few bytes changed, cut off, put in or left out; its addresses stay, so that it gets there."""
    body = bytearray(frame[12:])
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(body)) if body else 0
        how = random.randrange(5)
        if how == 0 and body:
            body[place] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif how == 1 and body:
            body[place] ^= 1 << random.randrange(8)
        elif how == 2:
            del body[place:]
        elif how == 3:
            del body[place:place + random.randint(1, 8)]
        else:
            body[place:place] = bytes(random.randrange(256) for _ in range(random.randint(1, 8)))
    return (frame[:12] + bytes(body[:1502])).ljust(60, b"\0")


def garbage(random, size):
    return bytes(random.randrange(256) for _ in range(size))


def option(random):
    """A DHCP option whose length may lie."""
    value = garbage(random, random.choice((0, 1, 2, 3, 4, 5, 8, 16, 40)))
    length = len(value) if random.randrange(4) else random.randrange(256)
    return bytes([random.choice(KNOWN_OPTIONS), length]) + value


def dhcp(random, mac):
    """A server's message with options that may lie, in all three fields that hold them."""
    kind = random.choice((2, 5, 6, 0, 9, 255))
    head = struct.pack(">BBBBIHH", random.choice((2, 2, 2, 1)), 1, random.choice((6, 6, 0, 16, 255)), 0,
                       random.randrange(1 << 32), 0, 0x8000)
    message = head + b"\0" * 4 + CLIENT + SERVER + b"\0" * 4 + mac.ljust(16, b"\0")
    message += garbage(random, 64) if random.randrange(2) else b"\0" * 64
    message += b"".join(option(random) for _ in range(8))[:128].ljust(128, b"\xff")
    message += wire_dhcp.COOKIE if random.randrange(8) else garbage(random, 4)
    message += bytes([53, 1, kind, 52, 1, random.randrange(5), 54, 4]) + SERVER
    message += b"".join(option(random) for _ in range(random.randrange(12)))
    message += b"\xff" if random.randrange(2) else b""
    return datagram(mac, 67, 68, message)


def datagram(mac, source_port, port, data):
    packet = ipv4(SERVER, b"\xff" * 4, UDP, udp(SERVER, b"\xff" * 4, source_port, port, data))
    return ethernet(mac, SERVER_MAC, IPV4, packet)


def tftp(random, mac):
    data = random.choice((
        struct.pack(">HH", wire_tftp.DATA, random.randrange(65536)) + garbage(random, random.choice((0, 1, 512, 1400))),
        struct.pack(">HH", wire_tftp.ERROR, random.randrange(65536)) + garbage(random, 20),
        struct.pack(">H", wire_tftp.OPTIONS) + b"blksize\0" + garbage(random, 9), struct.pack(">H", wire_tftp.OPTIONS),
        b"\0", b""))
    return datagram(mac, wire_tftp.FIRST_PORT, random.choice((2048, 1024, 4000)), data)


def bad_arp(random, mac):
    frame = bytearray(arp(random.choice((mac, BROADCAST)), SERVER_MAC, random.choice((1, 2, 0, 65535)),
                          random.choice((SERVER, CLIENT, b"\0" * 4, b"\xff" * 4)), mac, CLIENT))
    if random.randrange(2):
        frame[18:20] = bytes([random.randrange(256), random.randrange(256)])
    return bytes(frame[:random.choice((60, 60, 42, 30))]).ljust(60, b"\0")


def bad_ip(random, mac):
    quoted = ipv4(CLIENT, SERVER, UDP, udp(CLIENT, SERVER, 2048, 69, b"\0\1x\0octet\0"))[:random.choice((28, 20, 8, 0))]
    packet = bytearray(ipv4(SERVER, CLIENT, ICMP, icmp(random.choice((0, 3, 5, 11, 12, 255)), random.randrange(16),
                                                      garbage(random, 4), quoted)))
    if random.randrange(2):
        packet[random.randrange(20)] ^= 1 << random.randrange(8)
    return ethernet(mac, SERVER_MAC, IPV4, bytes(packet))


def bad_ipv6(random, mac):
    source, to = b"\xfe\x80" + b"\0" * 13 + b"\1", b"\xff\x02" + b"\0" * 13 + b"\1"
    body = bytes([random.choice((134, 136, 2, 1, 137))]) + garbage(random, random.choice((3, 15, 31, 60)))
    return ethernet(b"\x33\x33\0\0\0\1", SERVER_MAC, IPV6, ipv6(source, to, 58, body, 255))


def switch(random, _):
    frame = random.choice((wire_speakers.lldp, wire_speakers.cdp, wire_speakers.bpdu))()
    return damaged(random, frame)


def unknown(random, mac):
    """Any ethertype or length, and tags upon tags."""
    kind = random.choice((b"\x81\0", b"\x88\xa8", b"\0\0", b"\0\x2e", b"\x05\xdc", b"\xff\xff", ARP, IPV4, IPV6))
    return ethernet(mac, SERVER_MAC, kind, garbage(random, random.choice((0, 1, 2, 46, 1500))))


KINDS = (dhcp, dhcp, dhcp, tftp, bad_arp, bad_ip, bad_ipv6, switch, unknown)


def packet(random, mac):
    """(kind, frame to this MAC address or to a group)."""
    kind = random.choice(KINDS)
    return kind.__name__, kind(random, mac)
