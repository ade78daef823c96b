"""wire_net - badnet's network: hosts, router and switch on one wire, and the faults between them.

  10.77.0.1  gateway        10.77.0.2  boot server: DHCP from 10.77.0.50 on, TFTP, HTTP, DNS
  10.77.0.3  second server: DHCP from 10.77.0.150 on          10.77.0.4  proxyDHCP
  10.78.0.2  the boot server beyond the gateway               fd77::1, fd77::2  gateway and boot server by IPv6"""

import collections
import json
import os
import random
import socket
import struct

import wire_dhcp
import wire_faults
import wire_tftp
from wire import (ARP, BROADCAST, ICMP, IPV4, IPV6, UDP, VLAN, Wire, arp, checksum, echo_of, ethernet, icmp, ipv4,
                  tagged, udp)

GATEWAY, SERVER, SECOND, PROXY, FAR = "10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4", "10.78.0.2"
BOOT_HOST = "boot.badnet.example"
RIVAL_MAC = bytes.fromhex("525400000066")  # who has the address that DHCP offers
LIAR_MAC = bytes.fromhex("525400000077")
MESSAGE_MAC = bytes.fromhex("02bad000")  # then one of these, and the fault's number
ALONE, AS_WELL, NO_MORE = range(3)
MTU = 1500
DONT_FRAGMENT = 0x4000
QUEUE_MAX = 512
AGAIN_S = 0.002
NO_PROGRAM = b"<!DOCTYPE html><title>404</title><p>This is the page that a captive portal shows.</p>\n"
ARM64 = 0xAA64


def mac_of(address):
    """The MAC address of one of the network's hosts."""
    return b"\x02\x00" + address


def for_machine(image, machine):
    """A PE image that says it is for another machine."""
    if len(image) < 64 or image[:2] != b"MZ":
        return image
    place = struct.unpack_from("<I", image, 0x3C)[0] + 4
    return image[:place] + struct.pack("<H", machine) + image[place + 2:]


class Network(Wire):
    """`boot` and `signed` are the boot files' content, `folder` holds what TFTP and HTTP serve beside it. Between
    start() and stop() it answers in a thread of its own; fault() may be called at any time, and holds for all that
    comes after."""

    def __init__(self, local, remote, boot=b"", boot_name="boot.efi", signed=None, folder=None, seed=1):
        super().__init__(local, remote)
        self.frames = collections.deque(maxlen=20000)
        self.boot, self.boot_name, self.signed, self.folder = boot, boot_name, signed, folder
        self.random = random.Random(seed)
        self.faults = {}
        self.generation = 0
        self.counts = collections.Counter()
        self.tell = None  # called with a line for each event that is worth one
        self.neighbours = {}  # the MAC address of each IP address that was heard
        self.station = BROADCAST  # the MAC address of QEMU's NIC, once it was heard
        self.queue = collections.deque()
        self.held = None  # a frame that the next one overtakes
        self.port_open = True
        self.tftp = wire_tftp.Server(self)
        self.fresh()

    def fresh(self):
        """Servers that remember nothing."""
        self.servers = [wire_dhcp.Server(self, SERVER, "10.77.0.50", GATEWAY),
                        wire_dhcp.Server(self, SECOND, "10.77.0.150")]
        self.proxy = wire_dhcp.Proxy(self, PROXY, SERVER)
        addresses = [socket.inet_aton(host) for host in (GATEWAY, SERVER, SECOND, PROXY)]
        self.hosts = {address: mac_of(address) for address in addresses}
        self.far = socket.inet_aton(FAR)

    # Faults

    def fault(self, *words):
        """From now on the network has these faults alone: "name" or "name=value"; none or "healthy" is a sound network.
        The servers forget what was before, and the counters begin at 0. ValueError, and no change, for an unknown
        word."""
        faults = self.judge(words)
        with self.lock:
            self.tftp.close()
            self.switch(faults)

    def judge(self, words):
        """The faults that these words name, with their values, or ValueError."""
        faults = dict(wire_faults.parse(word) for word in words)
        if "bootfile-signed" in faults and self.signed is None:
            raise ValueError("'bootfile-signed' needs the file: --signed FILE")
        faults.pop(wire_faults.HEALTHY, None)
        return faults

    def switch(self, faults):
        self.faults = faults
        self.generation += 1
        self.counts.clear()
        self.held = None
        self.fresh()
        self.port_open = True

    def add(self, word):
        """One fault more; nothing is forgotten."""
        faults = self.judge([word])
        with self.lock:
            self.faults.update(faults)

    def remove(self, name):
        """One fault less; nothing is forgotten."""
        wire_faults.parse(name)
        with self.lock:
            self.faults.pop(name, None)

    def has(self, name):
        return name in self.faults

    def value(self, name):
        """The fault's value; None where the network has not got it."""
        return self.faults.get(name)

    # Counters

    def count(self, event):
        self.counts[event] += 1
        if self.tell:
            self.tell(event)

    def seen(self, event):
        """How often it came since the last fault()."""
        with self.lock:
            return self.counts[event]

    def all_counts(self):
        with self.lock:
            return dict(self.counts)

    # Files

    def boot_place(self, by_http, server):
        """(address of the next server, name or URL of the boot file)."""
        if self.has("far-server"):
            server = self.far
        if not by_http:
            return server, self.boot_name.encode()
        host = BOOT_HOST if self.has("no-dns") else socket.inet_ntoa(server)
        return server, f"http://{host}/{self.boot_name}".encode()

    def file(self, name):
        """What TFTP and HTTP serve under that name, or None."""
        name = name.lstrip("/")
        if name.startswith("badnet/"):
            return self.switch_by_name(name.removeprefix("badnet/"))
        if name != self.boot_name:
            return self.from_folder(name)
        has = self.has
        if has("bootfile-missing"):
            return None
        content = self.signed if has("bootfile-signed") else self.boot
        if has("bootfile-arm64"):
            content = for_machine(content, ARM64)
        if has("bootfile-cut"):
            content = content[:len(content) // 2]
        return NO_PROGRAM if has("bootfile-text") else b"" if has("bootfile-empty") else content

    def from_folder(self, name):
        if not self.folder:
            return None
        path = os.path.realpath(os.path.join(self.folder, name))
        if not path.startswith(os.path.realpath(self.folder) + os.sep) or not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()

    def switch_by_name(self, words):
        """A file whose name is a fault, or several with commas: reading it switches. The transfer goes on."""
        try:
            self.switch(self.judge(words.split(",")))
        except ValueError as error:
            return f"{error}\n".encode()
        return f"from now on: {words}\n".encode()

    # Frames that come

    def take(self, frame):
        if len(frame) < 14:
            return
        self.count("frame")
        self.station = frame[6:12]
        if frame[:4] == MESSAGE_MAC:
            self.message(frame)
            return
        frame = self.inbound(frame)
        if frame is None:
            return
        echo = echo_of(frame, mac_of(socket.inet_aton(SERVER)))
        if echo:
            self.emit(echo)
        elif frame[12:14] == ARP and len(frame) >= 42:
            self.take_arp(frame)
        elif frame[12:14] == IPV4:
            self.take_ipv4(frame)

    def message(self, frame):
        """A test frame to a MAC address that names a fault by its number. It is answered in any network."""
        how, number = frame[4], frame[5]
        if how <= NO_MORE and number < len(wire_faults.FAULTS):
            fault = wire_faults.FAULTS[number]
            wanted = {} if number == 0 else {fault.name: fault.default}
            if how == ALONE and wanted != self.faults:
                self.fault(fault.name)
            elif how == AS_WELL and fault.name not in self.faults:
                self.add(fault.name)
            elif how == NO_MORE:
                self.remove(fault.name)
            echo = echo_of(frame, frame[:6])
            if echo:
                self.put(echo)

    def inbound(self, frame):
        """What reaches the network of a frame, None for nothing."""
        if self.has("silent") or not self.port_open or self.lost():
            return None
        if frame[12:14] == VLAN and len(frame) >= 18:
            identifier = struct.unpack(">H", frame[14:16])[0] & 0xFFF
            if identifier not in (0, int(self.value("vlan-needed") or 0)):
                return None
            if identifier == 0 and self.has("vlan-needed"):
                return None
            frame = frame[:12] + frame[16:]
        elif self.has("vlan-needed"):
            self.count("untagged")
            return None
        return None if self.vanishes(frame) else frame

    def lost(self):
        return self.has("loss") and self.random.random() * 100 < self.value("loss")

    def vanishes(self, frame):
        hole = self.value("mtu-hole")
        if hole is None or frame[12:14] not in (IPV4, IPV6) or len(frame) - 14 <= hole:
            return False
        self.count("mtu-hole")
        return True

    def take_arp(self, frame):
        operation, mac, sender, target = frame[20:22], frame[22:28], frame[28:32], frame[38:42]
        if operation != b"\0\1":
            return
        self.count("arp-request")
        if sender != b"\0" * 4:
            self.neighbours[sender] = mac
        owners = []
        if target in self.hosts and not self.away(target):
            owners.append(self.hosts[target])
        if self.has("duplicate-address") and any(server.pool(target) for server in self.servers):
            owners.append(RIVAL_MAC)
        if self.has("arp-liar") and target != sender:
            owners.append(LIAR_MAC)
        for owner in owners:
            self.emit(arp(mac, owner, 2, target, mac, sender))

    def away(self, address):
        """Whether this host of the wire is switched off."""
        name = socket.inet_ntoa(address)
        return (name == GATEWAY and self.has("gateway-down")) or (name == SECOND and not self.has("two-servers")) or \
            (name == PROXY and not self.has("proxy-dhcp"))

    def take_ipv4(self, frame):
        header_size = (frame[14] & 15) * 4 if len(frame) >= 34 else 0
        total = struct.unpack(">H", frame[16:18])[0] if header_size >= 20 else 0
        if frame[14] >> 4 != 4 or not header_size <= total <= len(frame) - 14 or checksum(frame[14:14 + header_size]):
            self.count("bad-ipv4")
            return
        packet = frame[14:14 + total]
        source, destination, flags = packet[12:16], packet[16:20], struct.unpack(">H", packet[6:8])[0]
        if source != b"\0" * 4:
            self.neighbours[source] = frame[6:12]
        gateway = socket.inet_aton(GATEWAY)
        local = destination in self.hosts and frame[:6] in (self.hosts[destination], BROADCAST)
        if local or destination == b"\xff" * 4 or destination == socket.inet_aton("10.77.0.255"):
            if local and self.away(destination):
                return
            if flags & 0x3FFF:
                self.count("fragment")
                return
            self.deliver(packet, destination if local else None)
        elif frame[:6] == self.hosts[gateway] and not self.away(gateway):
            self.route(packet, gateway, flags)

    def route(self, packet, gateway, flags):
        """What the gateway does with a packet for beyond."""
        limit = self.value("icmp-mtu")
        source, destination = packet[12:16], packet[16:20]
        quoted = packet[:28]
        if packet[8] <= 1:
            self.count("ttl-exceeded")
            self.send_ipv4(gateway, source, ICMP, icmp(11, 0, b"\0" * 4, quoted))
        elif destination != self.far:
            self.send_ipv4(gateway, source, ICMP, icmp(3, 0, b"\0" * 4, quoted))
        elif limit is not None and len(packet) > limit and flags & DONT_FRAGMENT:
            self.count("too-big")
            self.send_ipv4(gateway, source, ICMP, icmp(3, 4, struct.pack(">HH", 0, int(limit)), quoted))
        elif flags & 0x3FFF:
            self.count("fragment")
        else:
            self.deliver(packet, self.far)

    def deliver(self, packet, host):
        """A packet that has arrived at `host`, or at each one where it is None."""
        size = (packet[0] & 15) * 4
        protocol, source, body = packet[9], packet[12:16], packet[size:]
        if protocol == ICMP and len(body) >= 8 and body[0] == 8 and host and not checksum(body):
            self.count(f"ping {socket.inet_ntoa(host)}")
            self.send_ipv4(host, source, ICMP, icmp(0, 0, body[4:8], body[8:]))
        elif protocol == UDP and len(body) >= 8:
            self.take_udp(packet, source, host, body)

    def take_udp(self, packet, source, host, body):
        source_port, port, length = struct.unpack(">HHH", body[:6])
        if not 8 <= length <= len(body):
            self.count("bad-udp")
            return
        data = body[8:length]
        if port in (wire_dhcp.SERVER_PORT, wire_dhcp.PROXY_PORT):
            self.take_dhcp(port, source_port, host, data)
        elif host and not self.tftp.take(host, port, source, source_port, data):
            self.count("port-unreachable")
            self.send_ipv4(host, source, ICMP, icmp(3, 3, b"\0" * 4, packet[:28]))

    def take_dhcp(self, port, source_port, host, data):
        try:
            ask = wire_dhcp.Ask(data)
        except ValueError:
            self.count("bad-dhcp")
            return
        ask.port = source_port
        kind = wire_dhcp.KINDS.get(ask.kind, "unknown")
        self.count(f"dhcp-{kind} {ask.client}" if port == wire_dhcp.SERVER_PORT else f"dhcp-{kind} {ask.client} {port}")
        if self.has("no-dhcp"):
            return
        servers = self.servers if self.has("two-servers") else self.servers[:1]
        if port == wire_dhcp.SERVER_PORT:
            for server in servers:
                if host in (None, server.address):
                    server.take(ask)
        if self.has("proxy-dhcp") and host in (None, self.proxy.address):
            self.proxy.take(ask, port)

    def reply_dhcp(self, source, ask, message, port=wire_dhcp.SERVER_PORT, always_broadcast=False):
        """A DHCP server's way out."""
        mac, destination = wire_dhcp.destination(ask, message, always_broadcast)
        client_port = wire_dhcp.CLIENT_PORT if port == wire_dhcp.SERVER_PORT else ask.port
        packet = ipv4(source, destination, UDP, udp(source, destination, port, client_port, message))
        self.emit(ethernet(mac, mac_of(source), IPV4, packet))

    # Frames that go

    def send_udp(self, source, destination, source_port, destination_port, data):
        self.send_ipv4(source, destination, UDP, udp(source, destination, source_port, destination_port, data))

    def send_ipv4(self, source, destination, protocol, body):
        """From one of the hosts, those beyond the gateway too, to who was heard before."""
        mac = self.neighbours.get(destination, self.station)
        limit = MTU
        if source == self.far:
            if self.has("gateway-down"):
                return
            limit = int(self.value("icmp-mtu") or MTU)
        step = (limit - 20) // 8 * 8
        identification = self.random.randrange(65536)
        for start in range(0, max(len(body), 1), step):
            part = body[start:start + step]
            flags = start // 8 | (0x2000 if start + step < len(body) else 0)
            packet = ipv4(source, destination, protocol, part, 63 if source == self.far else 64, identification, flags)
            via = mac_of(socket.inet_aton(GATEWAY)) if source == self.far else mac_of(source)
            self.emit(ethernet(mac, via, IPV4, packet))

    def emit(self, frame):
        """A frame on its way to the NIC, with what happens to it there."""
        if self.has("silent") or not self.port_open or self.vanishes(frame) or self.lost():
            return
        if self.has("vlan-needed"):
            frame = tagged(frame, int(self.value("vlan-needed")))
        elif self.has("priority-tags"):
            frame = tagged(frame, 0xA000)
        frames = [frame]
        if self.has("duplicate") and self.random.random() * 100 < self.value("duplicate"):
            frames.append(frame)
        if self.held:
            frames.append(self.held)
            self.held = None
        elif self.has("reorder") and self.random.random() * 100 < self.value("reorder"):
            self.held = frame
            self.later(0.1, self.release, frame)
            return
        for one in frames:
            if self.has("slow"):
                self.later(self.value("slow") / 1000, self.put, one)
            else:
                self.put(one)

    def release(self, frame):
        """None came that could overtake it."""
        if self.held is frame:
            self.held = None
            self.put(frame)

    def put(self, frame):
        """Onto the wire; a NIC that takes nothing now makes it wait, and in the end lose frames."""
        if len(self.queue) >= QUEUE_MAX:
            self.count("wire-full")
            return
        self.queue.append(frame)
        if len(self.queue) == 1:
            self.flush()

    def flush(self):
        while self.queue:
            try:
                if not self.try_send(self.queue[0]):
                    self.later(AGAIN_S, self.flush)
                    return
            except OSError:
                pass  # no QEMU there, or no more
            self.queue.popleft()


def command(network, line):
    """A line of the control socket; returns the answer. "A B": these faults alone. "+A", "-A": one more, one less."""
    words = line.split()
    try:
        if words == ["counts"]:
            return json.dumps(network.all_counts(), sort_keys=True)
        if words == ["faults"]:
            names = (name if value is None else f"{name}={value:g}" for name, value in network.faults.items())
            return " ".join(names) or wire_faults.HEALTHY
        if not words:
            return "error: no fault named"
        if all(word[0] in "+-" for word in words):
            for word in words:
                if word[0] == "+":
                    network.add(word[1:])
                else:
                    network.remove(word[1:])
        else:
            network.fault(*words)
    except ValueError as error:
        return f"error: {error}"
    return "ok"
