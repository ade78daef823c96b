"""badnet_kernel - Linux's own network stack as badnet's client; runs in a network namespace of its own, prints JSON.

usage: badnet_kernel.py NIC NET: a tap device's frames go to and from the wire with these two sockets."""

import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000


def carry(tap, wire, net):
    """Frames, both ways, for ever."""
    while True:
        for ready in select.select([tap, wire], [], [])[0]:
            if ready is wire:
                os.write(tap, wire.recv(2048))
            else:
                wire.sendto(os.read(tap, 2048), net)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def fetch(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return len(answer.read())
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError) as error:
        return type(getattr(error, "reason", error)).__name__
    except Exception as error:  # http.client's own kinds
        return type(error).__name__


def switch(words):
    """By name, over TFTP: an empty acknowledgement ends it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"\0\1badnet/" + words.encode() + b"\0octet\0", ("10.77.0.2", 69))
        data, server = client.recvfrom(600)
        client.sendto(b"\0\4\0\1", server)
        return data[4:].decode().strip()


def ping(host):
    """The answer's time to live."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as client:
        message = struct.pack(">BBHHH", 8, 0, 0xF7F9, 5, 1)
        client.sendto(message, (host, 0))
        while True:
            packet = client.recv(2000)
            if packet[20] == 0 and packet[24:28] == message[4:]:
                return packet[8]


def main():
    nic, net = sys.argv[1:]
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22s", b"tap0", IFF_TAP | IFF_NO_PI, b""))
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wire.bind(nic)
    ip("link", "set", "tap0", "up")
    ip("addr", "add", "10.77.0.20/24", "dev", "tap0")
    ip("route", "add", "default", "via", "10.77.0.1")
    ip("-6", "addr", "add", "fd77::20/64", "dev", "tap0", "nodad")
    threading.Thread(target=carry, args=(tap, wire, net), daemon=True).start()
    said = {}
    for name, url in (("near", "http://10.77.0.2/boot.efi"), ("far", "http://10.78.0.2/boot.efi"),
                      ("six", "http://[fd77::2]/boot.efi"), ("none", "http://10.77.0.2/none")):
        said[name] = fetch(url)
    for fault in ("http-chunked", "http-redirect", "http-404", "http-cut", "http-refused", "mtu-hole=1500", "reorder",
                  "duplicate=100", "loss=5", "icmp-mtu,far-server"):
        said[fault] = switch(fault), fetch("http://10.7{}.0.2/boot.efi".format(8 if "far" in fault else 7))
        while switch("healthy") != "from now on: healthy":
            pass
    said["ping"] = [ping(host) for host in ("10.77.0.1", "10.78.0.2")]
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
