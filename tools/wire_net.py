"""wire_net - badnet's network: hosts, router and switch on one wire, and the faults between them.

  10.77.0.1  gateway        10.77.0.2  boot server: DHCP from 10.77.0.50 on, TFTP, HTTP, DNS
  10.77.0.3  second server: DHCP from 10.77.0.150 on          10.77.0.4  proxyDHCP
  10.78.0.2  the boot server beyond the gateway               fd77::1, fd77::2  gateway and boot server by IPv6"""

import collections
import os
import random
import struct

import wire_faults
import wire_hostile
import wire_http
import wire_ipv4
import wire_ipv6
import wire_speakers
import wire_tftp
from wire import ARP, BROADCAST, IPV4, IPV6, UDP, VLAN, Wire, echo_of, tagged, udp

MESSAGE_MAC = bytes.fromhex("02bad000")  # then one of these, and the fault's number
ALONE, AS_WELL, NO_MORE = range(3)
QUEUE_MAX = 512
AGAIN_S = 0.002
OVERTAKEN_S = 0.1  # how long a frame waits for the next one, which overtakes it
NO_PROGRAM = b"<!DOCTYPE html><title>404</title><p>This is the page that a captive portal shows.</p>\n"
ARM64 = 0xAA64


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
        self.http = wire_http.Server(self)
        self.speakers = wire_speakers.Speakers(self)
        self.fresh()

    def fresh(self):
        """Hosts that remember nothing."""
        self.four = wire_ipv4.Hosts(self)
        self.six = wire_ipv6.Hosts(self, self.four.macs[self.four.gateway], self.four.macs[self.four.server])

    # Faults

    def fault(self, *words):
        """From now on the network has these faults alone: "name" or "name=value"; none or "healthy" is a sound network.
        What was on its way is lost, the servers forget what was before, and the counters begin at 0. ValueError, and
        no change, for an unknown word."""
        faults = self.judge(words)
        with self.lock:
            self.tftp.close()
            self.http.close()
            self.queue.clear()
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
        for name in faults:
            self.speakers.begin(name)
        self.six.begin()

    def add(self, word):
        """One fault more; nothing is forgotten."""
        faults = self.judge([word])
        with self.lock:
            for name, value in faults.items():
                if name not in self.faults or self.faults[name] != value:
                    self.faults[name] = value
                    self.speakers.begin(name)

    def remove(self, name):
        """One fault less; nothing is forgotten."""
        name, _ = wire_faults.parse(name)
        with self.lock:
            self.faults.pop(name, None)
            self.port_open = self.port_open or name == "slow-port"

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
        echo = echo_of(frame, self.four.macs[self.four.server])
        if echo:
            self.emit(echo)
        elif frame[12:14] == ARP:
            self.four.take_arp(frame)
        elif frame[12:14] == IPV4:
            self.four.take(frame)
        elif frame[12:14] == IPV6:
            self.six.take(frame)

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

    # Frames that go

    def send_ip(self, source, destination, protocol, body):
        """A packet of one of our addresses."""
        (self.four if len(source) == 4 else self.six).send(source, destination, protocol, body)

    def send_udp(self, source, destination, source_port, destination_port, data):
        self.send_ip(source, destination, UDP, udp(source, destination, source_port, destination_port, data))

    def send_hostile(self):
        """Something that belongs to no exchange."""
        self.offer(wire_hostile.packet(self.random, self.station)[1])

    def offer(self, frame):
        """A frame that nobody misses, where the NIC takes none now."""
        if not self.queue:
            self.put(frame)

    def emit(self, frame):
        """A frame on its way to the NIC, with what happens to it there."""
        if self.has("silent") or not self.port_open or self.vanishes(frame) or self.lost():
            return
        if self.has("vlan-needed"):
            frame = tagged(frame, int(self.value("vlan-needed")))
        elif self.has("priority-tags"):
            frame = tagged(frame, 0xA000)
        frames = [frame]
        if self.has("hostile"):
            frames.insert(0, wire_hostile.damaged(self.random, frame))
        if self.has("duplicate") and self.random.random() * 100 < self.value("duplicate"):
            frames.append(frame)
        if self.held:
            frames.append(self.held)
            self.held = None
        elif self.has("reorder") and self.random.random() * 100 < self.value("reorder"):
            self.held = frame
            self.later(OVERTAKEN_S, self.release, frame)
            return
        for one in frames:
            if self.has("slow"):
                self.later(self.value("slow") / 1000, self.put_late, one, self.generation)
            else:
                self.put(one)

    def put_late(self, frame, generation):
        """Unless the network is another one by now."""
        if generation == self.generation:
            self.put(frame)

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
