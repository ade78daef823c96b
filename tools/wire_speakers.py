"""wire_speakers - who else is on badnet's wire: a switch (LLDP, CDP, spanning tree) and stations of other VLANs.

Each is a function that returns a frame, and starts when its fault is switched on."""

import struct

from wire import BROADCAST, IPV4, UDP, arp, checksum, ethernet, ipv4, tagged, udp

SWITCH_MAC = bytes.fromhex("0200badbad01")
SWITCH_PORT_MAC = bytes.fromhex("0200badbad07")
SWITCH_NAME, SWITCH_PORT, SWITCH_VLAN = b"badnet-switch", b"GigabitEthernet1/0/7", 77
SWITCH_ADDRESS = bytes([10, 77, 0, 9])
LLDP_GROUP, LLDP_ETHERTYPE = bytes.fromhex("0180c200000e"), b"\x88\xcc"
CDP_GROUP = bytes.fromhex("01000ccccccc")
STP_GROUP = bytes.fromhex("0180c2000000")
DISCARDING, LEARNING, FORWARDING = 0x00, 0x10, 0x30  # RSTP's flags, 802.1D-2004, 9.3.3: learning 0x10, forwarding 0x20
DESIGNATED = 0x0C
HELLO_S = 2


def lldp():
    """802.1AB: chassis, port, time to live, descriptions, names, abilities, where it is managed, the port's VLAN."""
    def field(kind, value):
        return struct.pack(">H", kind << 9 | len(value)) + value
    fields = [(1, b"\4" + SWITCH_MAC), (2, b"\5" + SWITCH_PORT), (3, struct.pack(">H", 120)), (4, b"desk 12"),
              (5, SWITCH_NAME), (6, b"badnet, a switch with faults"), (7, struct.pack(">HH", 0x14, 0x04)),
              (8, b"\5\1" + SWITCH_ADDRESS + b"\2\0\0\0\7\0"),
              (127, b"\x00\x80\xc2\1" + struct.pack(">H", SWITCH_VLAN)),
              (127, b"\x00\x12\x0f\1\3\x80\0\0\x1e"), (0, b"")]
    return ethernet(LLDP_GROUP, SWITCH_PORT_MAC, LLDP_ETHERTYPE, b"".join(field(*pair) for pair in fields))


def cdp():
    """Version 2, in an 802.3 frame with an LLC and SNAP header."""
    def field(kind, value):
        return struct.pack(">HH", kind, 4 + len(value)) + value
    address = b"\0\0\0\1\1\1\xcc\0\4" + SWITCH_ADDRESS
    fields = [(1, SWITCH_NAME), (2, address), (3, SWITCH_PORT), (4, struct.pack(">I", 0x28)), (5, b"badnet 1.00"),
              (6, b"badnet"), (10, struct.pack(">H", SWITCH_VLAN)), (11, b"\1")]
    body = b"".join(field(*pair) for pair in fields)
    # Of an even length: of others people compute different sums
    message = b"\2\xb4\0\0" + body
    message = message[:2] + struct.pack(">H", checksum(message)) + message[4:]
    return in_802_3(CDP_GROUP, b"\xaa\xaa\3\0\0\x0c\x20\0" + message)


def in_802_3(to, payload):
    return ethernet(to, SWITCH_PORT_MAC, struct.pack(">H", len(payload)), payload)


def bpdu(state=FORWARDING):
    """A rapid spanning tree BPDU of a designated port in that state (802.1D-2004, 9.3.3)."""
    bridge = struct.pack(">H", 0x8000) + SWITCH_MAC
    flags = DESIGNATED | state
    # protocol, version, type, flags, root, cost, bridge, port; age, greatest age, hello and delay in 1/256 s
    message = struct.pack(">HBBB8sI8sHHHHHB", 0, 2, 2, flags, bridge, 0, bridge, 0x8007, 0, 20 << 8, 2 << 8, 15 << 8, 0)
    return in_802_3(STP_GROUP, b"\x42\x42\3" + message)


def vlan_traffic(number):
    """The frame with that number of stations in VLAN 10 and 20: an ARP request and a broadcast datagram in turn."""
    identifier = 10 if number % 2 == 0 else 20
    mac = bytes.fromhex("0200000000") + bytes([identifier])
    address = bytes([10, identifier, 0, 5])
    if number % 4 < 2:
        return tagged(arp(BROADCAST, mac, 1, address, b"\0" * 6, bytes([10, identifier, 0, 1])), identifier)
    packet = ipv4(address, b"\xff" * 4, UDP, udp(address, b"\xff" * 4, 138, 138, b"somebody else's"))
    return tagged(ethernet(BROADCAST, mac, IPV4, packet), identifier)


def same_mac(mac):
    """A station with the NIC's own MAC address and another IPv4 address looks for the gateway."""
    return arp(BROADCAST, mac, 1, bytes([10, 77, 0, 66]), b"\0" * 6, bytes([10, 77, 0, 1]))


class Speakers:
    """Sends what the network's faults want, from begin() to the next one."""

    def __init__(self, network):
        self.network = network
        self.number = 0
        self.begun = {}  # the number at which each fault began

    def begin(self, name):
        """Starts what goes with this fault, if anything does."""
        start = {"lldp": self.lldp, "cdp": self.cdp, "stp": self.stp, "slow-port": self.slow_port,
                 "vlan-traffic": self.vlan_traffic, "same-mac": self.same_mac, "hostile": self.hostile}.get(name)
        if start:
            self.number += 1
            self.begun[name] = self.number
            start((self.number, name, self.network.value(name)))

    def lasts(self, period):
        """Whether the fault that this belongs to has neither gone nor begun anew."""
        number, name, _ = period
        return self.network.has(name) and self.begun[name] == number

    def lldp(self, period):
        self.repeat(period, period[2], lambda: self.switch_says(lldp()), self.lldp)

    def cdp(self, period):
        self.repeat(period, period[2], lambda: self.switch_says(cdp()), self.cdp)

    def stp(self, period):
        self.repeat(period, period[2], lambda: self.switch_says(bpdu()), self.stp)

    def vlan_traffic(self, period):
        self.repeat(period, 1 / period[2], lambda: self.station_says(vlan_traffic(self.number)), self.vlan_traffic)

    def same_mac(self, period):
        def say():
            if self.network.station != BROADCAST:
                self.station_says(same_mac(self.network.station))
        self.repeat(period, 1 / period[2], say, self.same_mac)

    def hostile(self, period):
        self.repeat(period, 1 / period[2], self.network.send_hostile, self.hostile)

    def repeat(self, period, seconds, action, function):
        if self.lasts(period):
            action()
            self.number += 1
            self.network.later(seconds, function, period)

    def slow_port(self, period, step=0):
        """BPDUs: half of them of a port that discards, half of one that learns; then it forwards. At least
        eight, else one each hello time."""
        if not self.lasts(period):
            return
        count = max(8, round(period[2] / HELLO_S / 2) * 2)
        state = DISCARDING if step < count / 2 else LEARNING if step < count else FORWARDING
        self.network.port_open = state == FORWARDING
        if not self.network.has("silent"):
            self.network.put(bpdu(state))  # none is left out
        seconds = HELLO_S if state == FORWARDING else period[2] / count
        self.network.later(seconds, self.slow_port, period, min(step + 1, count))

    def switch_says(self, frame):
        """Whatever state the port is in; the frame itself has no tag on a trunk."""
        if not self.network.has("silent"):
            self.network.offer(frame)

    def station_says(self, frame):
        if not self.network.has("silent") and self.network.port_open:
            self.network.offer(frame)
