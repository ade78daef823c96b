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
import socket
import struct
import sys
import threading

from wire import (ETHERTYPE_TEST, FRAME_MAX, IPV4, REPLY, REQUEST, Wire, arp, echo_of, ethernet, icmp,  # noqa: F401
                  parse_test_frame, sealed, tagged, test_frame)

LATE_S = 0.5
MAC = bytes.fromhex("5254000000fe")
ROUTER = socket.inet_aton("10.9.9.254")
RIVAL_MAC = bytes.fromhex("525400000066")
MOVED_MAC = bytes.fromhex("525400000077")


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


class Peer(Wire):
    """Answers in a thread of its own between start() and stop(); everything received is in `frames`."""

    def __init__(self, local, remote, address=None, mac=MAC, answer=True, faults=()):
        """`faults`: pairs of a Faulty name and an address."""
        super().__init__(local, remote)
        self.faulty = [Faulty(fault, place, mac) for fault, place in faults]
        self.address = socket.inet_aton(address) if address else None
        self.mac = mac
        self.answer = answer
        self.echoed = 0

    def take(self, frame):
        reply = self.reply_to(frame) if self.answer else None
        if reply:
            self.send_answer(reply)
        for host in self.faulty:
            for delay_s, answer in host.answers(frame):
                if delay_s:
                    self.later(delay_s, self.send_answer, answer)
                else:
                    self.send_answer(answer)

    def send_answer(self, frame):
        try:
            self.send(frame)
            self.echoed += 1
        except OSError:
            pass  # QEMU has ended

    def reply_to(self, frame):
        echo = echo_of(frame, self.mac)
        if echo:
            return echo
        if self.address and frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == self.address:
            return arp(frame[6:12], self.mac, 2, self.address, frame[22:28], frame[28:32])
        if self.address and frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 8 and \
                frame[30:34] == self.address:
            total = struct.unpack(">H", frame[16:18])[0]
            header = frame[14:26] + frame[30:34] + frame[26:30]
            return ethernet(frame[6:12], self.mac, IPV4, sealed(header, icmp(0, 0, frame[38:42], frame[42:14 + total])))
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--local", required=True, help="our unix datagram socket (made, and removed at the end)")
    parser.add_argument("--remote", required=True, help="QEMU's socket: its local.path")
    parser.add_argument("--addr", help="our IPv4 address, to answer ARP and pings")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=ADDRESS",
                        help="a host with a fault: see above")
    options = parser.parse_args()
    try:
        faults = [fault.split("=", 1) for fault in options.fault]
        peer = Peer(options.local, options.remote, options.addr, faults=faults)
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
