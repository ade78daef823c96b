"""wire_ipv6 - badnet's gateway and boot server by IPv6: neighbours (RFC 4861), echo (4443), DHCPv6 (8415, 5970)."""

import socket
import struct

import wire_dns
from wire import ICMPV6, IPV6, TCP, UDP, ethernet, ipv6, transport_sum, udp
from wire_ipv4 import BOOT_HOST, DNS_PORT

GATEWAY, SERVER = "fd77::1", "fd77::2"
PREFIX = "fd77::"
FIRST = "fd77::1000"
ALL_NODES = "ff02::1"
UNREACHABLE, ECHO, ECHO_REPLY, ROUTER_SOLICIT, ROUTER, NEIGHBOUR_SOLICIT, NEIGHBOUR = 1, 128, 129, 133, 134, 135, 136
CLIENT_PORT, SERVER_PORT = 546, 547
SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE, _, INFORMATION = range(1, 12)
KINDS = {SOLICIT: "solicit", REQUEST: "request", CONFIRM: "confirm", RENEW: "renew", REBIND: "rebind",
         RELEASE: "release", DECLINE: "decline", INFORMATION: "information"}
CLIENT_ID, SERVER_ID, IA_NA, IA_ADDRESS, RAPID, CLASS, DNS, BOOT_URL = 1, 2, 3, 5, 14, 16, 23, 59
LIFETIME_S = 3600
ADVERTISE_EVERY_S = 30


def packed(text):
    return socket.inet_pton(socket.AF_INET6, text)


def link_local(mac):
    """The address that a station makes of its MAC address (RFC 4291, appendix A)."""
    return packed("fe80::")[:8] + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:6]


def fields(data):
    """{code: bytes} of DHCPv6 options; ValueError where one does not fit."""
    found, place = {}, 0
    while place < len(data):
        if place + 4 > len(data):
            raise ValueError("an option ends behind the message")
        code, length = struct.unpack(">HH", data[place:place + 4])
        if place + 4 + length > len(data):
            raise ValueError("an option ends behind the message")
        found[code] = data[place + 4:place + 4 + length]
        place += 4 + length
    return found


def field(code, data):
    return struct.pack(">HH", code, len(data)) + data


class Hosts:
    """`network` has the faults, counters, TFTP and HTTP servers, and the way out."""

    def __init__(self, network, gateway_mac, server_mac):
        self.network = network
        self.macs = {}
        for address, mac in ((GATEWAY, gateway_mac), (SERVER, server_mac)):
            self.macs[packed(address)] = self.macs[link_local(mac)] = mac
        self.gateway = link_local(gateway_mac)
        self.server = link_local(server_mac)
        self.server_id = b"\0\3\0\1" + server_mac
        self.leases = {}

    def away(self, address):
        return self.macs.get(address) == self.macs[self.gateway] and self.network.has("gateway-down")

    def take(self, frame):
        packet = frame[14:]
        if len(packet) < 40 or packet[0] >> 4 != 6 or len(packet) < 40 + struct.unpack(">H", packet[4:6])[0]:
            self.network.count("bad-ipv6")
            return
        body = packet[40:40 + struct.unpack(">H", packet[4:6])[0]]
        protocol, source, destination = packet[6], packet[8:24], packet[24:40]
        host = destination if destination in self.macs else None
        if host and (self.away(host) or frame[:6] != self.macs[host]):
            return
        if not host and destination[0] != 0xFF:
            return
        if any(source):
            self.network.neighbours[source] = frame[6:12]
        if protocol in (ICMPV6, UDP, TCP) and transport_sum(source, destination, protocol, body):
            self.network.count("bad-ipv6")
        elif protocol == ICMPV6 and len(body) >= 8:
            self.take_icmp(packet, host, source, body)
        elif protocol == UDP and len(body) >= 8:
            self.take_udp(packet, host, source, body)
        elif protocol == TCP and host:
            self.network.http.take(host, source, body)

    def send(self, source, destination, protocol, body, hops=64):
        network = self.network
        mac = network.neighbours.get(destination, network.station)
        if destination[0] == 0xFF:
            mac = b"\x33\x33" + destination[12:]
        network.emit(ethernet(mac, self.macs[source], IPV6, ipv6(source, destination, protocol, body, hops)))

    def send_icmp(self, source, destination, kind, code, rest, hops=64):
        body = bytes([kind, code, 0, 0]) + rest
        total = transport_sum(source, destination, ICMPV6, body)
        self.send(source, destination, ICMPV6, body[:2] + struct.pack(">H", total) + body[4:], hops)

    def take_icmp(self, packet, host, source, body):
        kind = body[0]
        if kind == ECHO and host:
            self.network.count(f"ping {socket.inet_ntop(socket.AF_INET6, host)}")
            self.send_icmp(host, source, ECHO_REPLY, 0, body[4:])
        elif kind == NEIGHBOUR_SOLICIT and len(body) >= 24 and packet[7] == 255:
            target = body[8:24]
            self.network.count("neighbour-solicit")
            if target in self.macs and not self.away(target):
                # solicited (but for who has no address yet), override
                to, flags = (source, 0x60000000) if any(source) else (packed(ALL_NODES), 0x20000000)
                router = 0x80000000 if self.macs[target] == self.macs[self.gateway] else 0
                rest = struct.pack(">I", flags | router) + target + b"\2\1" + self.macs[target]
                self.send_icmp(target, to, NEIGHBOUR, 0, rest, 255)
        elif kind == ROUTER_SOLICIT and packet[7] == 255:
            self.network.count("router-solicit")
            self.advertise()

    def advertise(self):
        """The router says who it is, that addresses come by DHCPv6, and the prefix."""
        if self.network.has("no-ra") or self.network.has("gateway-down"):
            return
        # Hop limit 64, managed and other configuration, no autonomous addresses of this prefix
        rest = struct.pack(">BBHII", 64, 0xC0, 1800, 0, 0) + b"\1\1" + self.macs[self.gateway]
        rest += struct.pack(">BBBBIII16s", 3, 4, 64, 0x80, LIFETIME_S, LIFETIME_S, 0, packed(PREFIX))
        rest += struct.pack(">BBHI", 5, 1, 0, 1500)
        self.send_icmp(self.gateway, packed(ALL_NODES), ROUTER, 0, rest, 255)

    def advertise_again(self, generation):
        """What a router sends without being asked."""
        if generation == self.network.generation:
            self.advertise()
            self.begin()

    def begin(self):
        self.network.later(ADVERTISE_EVERY_S, self.advertise_again, self.network.generation)

    def take_udp(self, packet, host, source, body):
        source_port, port, length = struct.unpack(">HHH", body[:6])
        data = body[8:length]
        if port == SERVER_PORT:
            self.take_dhcp(source, data)
        elif host and port == DNS_PORT:
            self.network.count("dns ipv6")
            answer = None if self.network.has("no-dns") else wire_dns.answer(data, BOOT_HOST, packed(SERVER))
            if answer:
                self.network.send_udp(host, source, DNS_PORT, source_port, answer)
        elif host and not self.network.tftp.take(host, port, source, source_port, data):
            self.network.count("port-unreachable")
            self.send_icmp(host, source, UNREACHABLE, 4, b"\0" * 4 + packet[:1200])

    def take_dhcp(self, source, data):
        network = self.network
        try:
            if len(data) < 4:
                raise ValueError("too short")
            asked = fields(data[4:])
        except ValueError:
            network.count("bad-dhcpv6")
            return
        kind, client = data[0], asked.get(CLIENT_ID)
        by_http = b"HTTPClient" in asked.get(CLASS, b"")
        who = "http" if by_http else "pxe" if CLASS in asked else "plain"
        network.count(f"dhcpv6-{KINDS.get(kind, 'unknown')} {who}")
        chosen = asked.get(SERVER_ID, self.server_id) == self.server_id
        if network.has("no-dhcpv6") or kind not in KINDS or not chosen or (client is None and kind != INFORMATION):
            return
        answer = field(SERVER_ID, self.server_id) + (field(CLIENT_ID, client) if client is not None else b"")
        if IA_NA in asked and len(asked[IA_NA]) >= 12:
            answer += field(IA_NA, asked[IA_NA][:4] + struct.pack(">II", LIFETIME_S // 2, LIFETIME_S * 4 // 5) +
                            field(IA_ADDRESS, self.lease(client) + struct.pack(">II", LIFETIME_S, LIFETIME_S)))
        answer += field(DNS, packed(SERVER))
        if CLASS in asked and not network.has("dhcpv6-no-url"):
            answer += field(BOOT_URL, self.url(by_http).encode())
            if by_http:
                answer += field(CLASS, asked[CLASS][:4] + struct.pack(">H", 10) + b"HTTPClient")
        rapid = kind == SOLICIT and RAPID in asked
        answer += field(RAPID, b"") if rapid else b""
        reply = ADVERTISE if kind == SOLICIT and not rapid else REPLY
        message = bytes([reply]) + data[1:4] + answer
        self.send(self.server, source, UDP, udp(self.server, source, SERVER_PORT, CLIENT_PORT, message))

    def lease(self, client):
        if client not in self.leases:
            self.leases[client] = packed(FIRST)[:14] + struct.pack(">H", 0x1000 + len(self.leases))
        return self.leases[client]

    def url(self, by_http):
        return f"{'http' if by_http else 'tftp'}://[{SERVER}]/{self.network.boot_name}"
