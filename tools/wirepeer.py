#!/usr/bin/python3
"""wirepeer - the other end of a QEMU NIC's wire: echoes netdiag's test frames, answers ARP and pings, and can send.

Start QEMU with  -netdev dgram,id=n0,local.type=unix,local.path=A,remote.type=unix,remote.path=B  and this with
--local B --remote A. The socket holds the sender back, so nothing is lost on it."""

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


class Peer:
    """Answers in a thread of its own between start() and stop(); everything received is in `frames`."""

    def __init__(self, local, remote, address=None, mac=MAC, answer=True):
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
                try:
                    self.send(reply)
                    self.echoed += 1
                except OSError:
                    pass  # QEMU has ended
            with self.arrived:
                self.frames.append(frame)
                self.arrived.notify_all()

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
    options = parser.parse_args()
    peer = Peer(options.local, options.remote, options.addr).start()
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
