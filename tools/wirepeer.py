#!/usr/bin/python3
"""wirepeer - the other end of a QEMU NIC's wire: echoes netdiag's test frames, answers ARP and pings, and can send.

Start QEMU with  -netdev dgram,id=n0,local.type=unix,local.path=A,remote.type=unix,remote.path=B  and this with
--local B --remote A. The socket holds the sender back, so nothing is lost on it.

With --fault NAME=ADDRESS it is a host at that address, too, which has this fault (several may be given):

  late         pings with an odd sequence are answered half a second later than they came
  priority     answers, to ARP as well, are tagged with VLAN 0, as many managed switches do
  vlan         pings are answered with a tag of VLAN 7
  fragments    pings are answered in two fragments
  source       pings are answered from another address
  destination  pings are answered to another address than the asker's
  cut          pings are answered without the last 16 bytes of their data
  ttl          pings are answered by a router: time exceeded
  mtu          pings are answered by a router: too big, its next hop takes 1400 bytes
  checksum     pings are answered with a wrong ICMP checksum
  liar         ARP is answered from ff:ff:ff:ff:ff:ff, and with that address in it
  claim        at each ping somebody else says that the asker's address is his
  move         after the first ping the host has another MAC address, says so, and hears the old one no more"""

import argparse
import os
import select
import socket
import struct
import sys
import threading
import time

ETHERTYPE_TEST = 0x88B5
TEST_HEADER = struct.Struct(">4sBBHII")  # magic, version, kind, length, session, sequence: see driver/lib/testframe.h
MAGIC = b"NDTF"
REQUEST, REPLY = 1, 2
FRAME_MAX = 2048
TIMEOUT_S = 1200  # as qemulib.TIMEOUT_S: the end of patience, not a time that anything takes
MAC = bytes.fromhex("5254000000fe")


def test_frame(to, source, session, sequence, length, kind=REQUEST):
    """A test frame, written down here a second time, from the description in driver/lib/testframe.h."""
    frame = to + source + struct.pack(">H", ETHERTYPE_TEST) + TEST_HEADER.pack(MAGIC, 1, kind, length, session, sequence)
    return frame + bytes((sequence * 31 + i) & 0xFF for i in range(len(frame), length))


def parse_test_frame(frame):
    """(kind, session, sequence, intact), or None."""
    if len(frame) < 60 or frame[12:14] != struct.pack(">H", ETHERTYPE_TEST) or frame[14:18] != MAGIC:
        return None
    _, version, kind, length, session, sequence = TEST_HEADER.unpack_from(frame, 14)
    intact = version == 1 and length == len(frame) and frame == test_frame(frame[:6], frame[6:12], session, sequence,
                                                                           length, kind)
    return kind, session, sequence, intact


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


LATE_S = 0.5
ROUTER = socket.inet_aton("10.9.9.254")
RIVAL_MAC = bytes.fromhex("525400000066")
MOVED_MAC = bytes.fromhex("525400000077")


def tagged(frame, control):
    return frame[:12] + b"\x81\0" + struct.pack(">H", control) + frame[12:]


def sealed(header, body):
    """An IPv4 header and an ICMP message (or a part of one) in a frame's payload, the header's length and checksum right."""
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


class Faulty:
    """A host that does not do what it should. answers() is a list of (seconds from now, frame)."""

    NAMES = ("late", "priority", "vlan", "fragments", "source", "destination", "cut", "ttl", "mtu", "checksum", "liar",
             "claim", "move")

    def __init__(self, fault, address, mac):
        if fault not in self.NAMES:
            raise ValueError(f"no fault '{fault}'; there are: {', '.join(self.NAMES)}")
        self.fault = fault
        self.address = socket.inet_aton(address)
        self.mac = mac

    def answers(self, frame):
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == self.address:
            return [(0, self.arp_answer(frame))]
        if frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 8 and frame[30:34] == self.address and \
                frame[:6] == self.mac:
            return self.ping_answers(frame)
        return []

    def arp_answer(self, frame):
        mac = b"\xff" * 6 if self.fault == "liar" else self.mac
        answer = arp(frame[6:12], mac, 2, self.address, frame[22:28], frame[28:32])
        return tagged(answer, 0xA000) if self.fault == "priority" else answer

    def ping_answers(self, frame):
        total = struct.unpack(">H", frame[16:18])[0]
        ethernet = frame[6:12] + self.mac + frame[12:14]
        header = frame[14:26] + self.address + frame[26:30]
        rest, data = frame[38:42], frame[42:14 + total]
        pong = ethernet + sealed(header, icmp(0, 0, rest, data))
        router = frame[14:26] + ROUTER + frame[26:30]
        asker = frame[26:30]
        fault = self.fault
        if fault == "late":
            return [(LATE_S if frame[41] & 1 else 0, pong)]
        if fault == "priority":
            return [(0, tagged(pong, 0xA000))]
        if fault == "vlan":
            return [(0, tagged(pong, 7))]
        if fault == "fragments":
            body = icmp(0, 0, rest, data)
            return [(0, ethernet + sealed(header[:6] + b"\x20\0" + header[8:], body[:32])),
                    (0, ethernet + sealed(header[:6] + b"\0\4" + header[8:], body[32:]))]
        if fault == "source":
            return [(0, ethernet + sealed(frame[14:26] + ROUTER + asker, icmp(0, 0, rest, data)))]
        if fault == "destination":
            return [(0, ethernet + sealed(header[:16] + ROUTER, icmp(0, 0, rest, data)))]
        if fault == "cut":
            return [(0, ethernet + sealed(header, icmp(0, 0, rest, data[:-16])))]
        if fault == "ttl":
            return [(0, ethernet + sealed(router, icmp(11, 0, b"\0" * 4, frame[14:42])))]
        if fault == "mtu":
            return [(0, ethernet + sealed(router, icmp(3, 4, struct.pack(">HH", 0, 1400), frame[14:42])))]
        if fault == "checksum":
            return [(0, pong[:36] + bytes([pong[36] ^ 1]) + pong[37:])]
        if fault == "claim":
            return [(0, arp(b"\xff" * 6, RIVAL_MAC, 1, asker, b"\0" * 6, asker)), (0, pong)]
        if fault == "move" and self.mac != MOVED_MAC:
            self.mac = MOVED_MAC
            return [(0, arp(b"\xff" * 6, MOVED_MAC, 1, self.address, b"\0" * 6, self.address)), (0, pong)]
        return [(0, pong)]


class Peer:
    """Answers in a thread of its own between start() and stop(); everything received is in `frames`."""

    def __init__(self, local, remote, address=None, mac=MAC, answer=True, faults=()):
        """`faults`: pairs of a Faulty name and an address."""
        self.faulty = [Faulty(fault, place, mac) for fault, place in faults]
        self.timers = []
        self.remote = remote
        self.local = local
        self.address = socket.inet_aton(address) if address else None
        self.mac = mac
        self.answer = answer
        self.frames = []
        self.echoed = 0
        self.arrived = threading.Condition()
        self.stopping = False
        if os.path.exists(local):
            os.unlink(local)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(local)
        # A machine that no longer takes frames holds the sender back; not for ever.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", TIMEOUT_S, 0))
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
        self.thread.join()
        for timer in self.timers:
            timer.cancel()
            timer.join()
        self.socket.close()
        os.unlink(self.local)

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

    def run(self):
        while not self.stopping:
            if not select.select([self.socket], [], [], 0.2)[0]:
                continue
            frame = self.socket.recv(FRAME_MAX)
            reply = self.reply_to(frame) if self.answer else None
            if reply:
                self.send_answer(reply)
            for host in self.faulty:
                for delay_s, answer in host.answers(frame):
                    if delay_s:
                        self.timers.append(threading.Timer(delay_s, self.send_answer, [answer]))
                        self.timers[-1].start()
                    else:
                        self.send_answer(answer)
            with self.arrived:
                self.frames.append(frame)
                self.arrived.notify_all()

    def send_answer(self, frame):
        try:
            self.send(frame)
            self.echoed += 1
        except OSError:
            pass  # QEMU has ended

    def reply_to(self, frame):
        test = parse_test_frame(frame)
        if test and test[0] == REQUEST and test[3]:
            return frame[6:12] + self.mac + frame[12:19] + bytes([REPLY]) + frame[20:]
        if self.address and frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == self.address:
            return (frame[6:12] + self.mac + frame[12:20] + b"\0\2" + self.mac + self.address + frame[22:28] +
                    frame[28:32]).ljust(60, b"\0")
        if self.address and frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 8 and \
                frame[30:34] == self.address:
            total = struct.unpack(">H", frame[16:18])[0]
            icmp = bytearray(frame[34:14 + total])
            icmp[0:4] = b"\0\0\0\0"
            icmp[2:4] = struct.pack(">H", checksum(bytes(icmp)))
            header = bytearray(frame[14:34])
            header[12:16], header[16:20] = frame[30:34], frame[26:30]
            return (frame[6:12] + self.mac + frame[12:14] + bytes(header) + bytes(icmp)).ljust(60, b"\0")
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--local", required=True, help="our unix datagram socket (made, and removed at the end)")
    parser.add_argument("--remote", required=True, help="QEMU's socket: its local.path")
    parser.add_argument("--addr", help="our IPv4 address, to answer ARP and pings")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=ADDRESS", help="a host with a fault: see above")
    options = parser.parse_args()
    try:
        peer = Peer(options.local, options.remote, options.addr, faults=[fault.split("=", 1) for fault in options.fault])
    except (OSError, ValueError) as error:
        parser.error(str(error))
    peer.start()
    print(f"wirepeer: listening on {options.local}; Ctrl-C stops", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    peer.stop()
    print(f"wirepeer: {len(peer.frames)} frames received, {peer.echoed} answered")
    return 0


if __name__ == "__main__":
    sys.exit(main())
