"""wire - the socket at the other end of a QEMU NIC's wire, and the frames on it. What wirepeer.py and badnet share."""

import heapq
import itertools
import os
import select
import socket
import struct
import threading
import time
import traceback

ETHERTYPE_TEST = 0x88B5
TEST_HEADER = struct.Struct(">4sBBHII")  # magic, version, kind, length, session, sequence: see driver/lib/testframe.h
MAGIC = b"NDTF"
REQUEST, REPLY = 1, 2
FRAME_MAX = 2048
TIMEOUT_S = 1200  # as qemulib.TIMEOUT_S: the end of patience, not a time that anything takes
BROADCAST = b"\xff" * 6
ARP, IPV4, IPV6, VLAN = b"\x08\x06", b"\x08\x00", b"\x86\xdd", b"\x81\x00"
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58


def test_frame(to, source, session, sequence, length, kind=REQUEST):
    """A test frame, written down here a second time, from the description in driver/lib/testframe.h."""
    header = TEST_HEADER.pack(MAGIC, 1, kind, length, session, sequence)
    frame = to + source + struct.pack(">H", ETHERTYPE_TEST) + header
    return frame + bytes((sequence * 31 + i) & 0xFF for i in range(len(frame), length))


def parse_test_frame(frame):
    """(kind, session, sequence, intact), or None."""
    if len(frame) < 60 or frame[12:14] != struct.pack(">H", ETHERTYPE_TEST) or frame[14:18] != MAGIC:
        return None
    _, version, kind, length, session, sequence = TEST_HEADER.unpack_from(frame, 14)
    intact = version == 1 and length == len(frame) and frame == test_frame(frame[:6], frame[6:12], session, sequence,
                                                                           length, kind)
    return kind, session, sequence, intact


def echo_of(frame, mac):
    """The answer of the station `mac` to a test frame that is intact and asks for one, or None."""
    test = parse_test_frame(frame)
    if test and test[0] == REQUEST and test[3]:
        return frame[6:12] + mac + frame[12:19] + bytes([REPLY]) + frame[20:]
    return None


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tagged(frame, control):
    return frame[:12] + b"\x81\0" + struct.pack(">H", control) + frame[12:]


def sealed(header, body):
    """An IPv4 packet of this header and body (a message or a part of one), the header's length and checksum right."""
    header = bytearray(header)
    header[2:4] = struct.pack(">H", len(header) + len(body))
    header[10:12] = b"\0\0"
    header[10:12] = struct.pack(">H", checksum(bytes(header)))
    return bytes(header) + body


def icmp(kind, code, rest, data):
    body = bytes([kind, code, 0, 0]) + rest + data
    return body[:2] + struct.pack(">H", checksum(body)) + body[4:]


def arp(to, source_mac, operation, sender, target_mac, target):
    return (to + source_mac + b"\x08\x06\0\1\x08\0\6\4" + struct.pack(">H", operation) + source_mac + sender +
            target_mac + target).ljust(60, b"\0")


def ethernet(to, source, ethertype, payload):
    return (to + source + ethertype + payload).ljust(60, b"\0")


def ipv4(source, destination, protocol, payload, ttl=64, identification=0, flags=0):
    """A packet; `flags` are those of the header's bytes 6 and 7, the fragment's offset in them."""
    header = struct.pack(">BBHHHBBH", 0x45, 0, 0, identification, flags, ttl, protocol, 0)
    return sealed(header + source + destination, payload)


def ipv6(source, destination, protocol, payload, hops=64):
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, hops) + source + destination + payload


def transport_sum(source, destination, protocol, data):
    """What UDP, TCP and ICMPv6 check: their data under a pseudo-header of either kind of address."""
    size = len(data)
    pseudo = struct.pack(">BBH", 0, protocol, size) if len(source) == 4 else struct.pack(">II", size, protocol)
    return checksum(source + destination + pseudo + data)


def udp(source, destination, source_port, destination_port, data):
    header = struct.pack(">HHHH", source_port, destination_port, 8 + len(data), 0)
    total = transport_sum(source, destination, UDP, header + data) or 0xFFFF
    return header[:6] + struct.pack(">H", total) + data


MARK = b"caught up"  # too short for a frame


class Wire:
    """One end of the wire, in a thread of its own between start() and stop(). Everything received is in `frames`, after
    take(), which somebody who inherits from this writes, has had it. What later() is given runs in the same thread, and
    `lock` is held there for both. If one of them raises something, it goes on, and stop() raises that."""

    def __init__(self, local, remote):
        self.local = local
        self.remote = remote
        self.frames = []
        self.marks = 0
        self.arrived = threading.Condition()
        self.lock = threading.RLock()
        self.stopping = False
        self.failure = None
        self.timers = []
        self.order = itertools.count()
        if os.path.exists(local):
            os.unlink(local)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self.socket.bind(local)
        except OSError as error:
            raise OSError(error.errno, error.strerror, local) from None  # which the kernel leaves out
        # A machine that no longer takes frames holds the sender back; not for ever.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", TIMEOUT_S, 0))
        self.bell = socket.socketpair()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def netdev(self):
        """The -netdev argument for QEMU's end."""
        return (f"dgram,id={{id}},local.type=unix,local.path={self.remote},"
                f"remote.type=unix,remote.path={self.local}")

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping = True
        self.ring()
        self.thread.join()
        self.socket.close()
        for end in self.bell:
            end.close()
        os.unlink(self.local)
        if self.failure:
            raise self.failure

    def ring(self):
        """Lets the thread look at its timers and at `stopping`."""
        self.bell[0].send(b"!")

    def later(self, delay_s, function, *arguments):
        """Runs function(*arguments) in the thread after that time."""
        with self.lock:
            heapq.heappush(self.timers, (time.monotonic() + delay_s, next(self.order), function, arguments))
        if threading.current_thread() is not self.thread:
            self.ring()

    def send(self, frame):
        self.socket.sendto(frame, self.remote)

    def try_send(self, frame, give_up=lambda: True):
        """As a wire that does not wait, or not for long: False when the frame was dropped, after give_up() said so."""
        while True:
            try:
                self.socket.sendto(frame, socket.MSG_DONTWAIT, self.remote)
                return True
            except BlockingIOError:
                if give_up():
                    return False

    def wait(self, condition, timeout=TIMEOUT_S):
        """Waits until condition(frames) is true; returns whether it was."""
        with self.arrived:
            return self.arrived.wait_for(lambda: condition(self.frames), timeout)

    def catch_up(self, timeout=TIMEOUT_S):
        """Waits until all that was sent to this end so far is in `frames`: it stays on the socket when a machine has
        ended, and a mark that is sent behind it is read last. Returns whether it was."""
        seen = self.marks + 1
        self.socket.sendto(MARK, self.local)
        with self.arrived:
            return self.arrived.wait_for(lambda: self.marks >= seen, timeout)

    def take(self, frame):
        """A frame has come."""
        raise NotImplementedError

    def run_timers(self):
        """Runs those that are due, and returns how long it is until the next one is, in seconds; None without one."""
        while self.timers and self.timers[0][0] <= time.monotonic():
            _, _, function, arguments = heapq.heappop(self.timers)
            self.attempt(function, *arguments)
        return max(0, self.timers[0][0] - time.monotonic()) if self.timers else None

    def attempt(self, function, *arguments):
        """Calls it with the lock held. Returns what it does, and None when it raises something."""
        try:
            with self.lock:
                return function(*arguments)
        except Exception as error:  # whatever it is, the wire does not go dead without a word
            traceback.print_exc()
            self.failure = self.failure or error
            return None

    def run(self):
        while not self.stopping:
            patience_s = self.attempt(self.run_timers)
            ready = select.select([self.socket, self.bell[1]], [], [], patience_s)[0]
            if self.bell[1] in ready:
                self.bell[1].recv(4096)
            if self.socket in ready:
                frame = self.socket.recv(FRAME_MAX)
                if frame == MARK:
                    with self.arrived:
                        self.marks += 1
                        self.arrived.notify_all()
                    continue
                self.attempt(self.take, frame)
                with self.arrived:
                    self.frames.append(frame)
                    self.arrived.notify_all()
