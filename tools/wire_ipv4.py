"""wire_ipv4 - badnet's hosts and its router by IPv4: ARP, ICMP, UDP, DHCP, DNS."""

import socket
import struct

import wire_dhcp
import wire_dns
from wire import BROADCAST, ICMP, IPV4, TCP, UDP, arp, checksum, ethernet, icmp, ipv4, transport_sum, udp

GATEWAY, SERVER, SECOND, PROXY, FAR = "10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4", "10.78.0.2"
BOOT_HOST = "boot.badnet.example"
RIVAL_MAC = bytes.fromhex("525400000066")  # who has the address that DHCP offers
LIAR_MAC = bytes.fromhex("525400000077")
DNS_PORT = 53
MTU = 1500
DONT_FRAGMENT = 0x4000


def mac_of(address):
    """The MAC address of one of the network's hosts."""
    return b"\x02\x00" + address


class Hosts:
    """`network` has the faults, counters, TFTP and HTTP servers, and the way out."""

    def __init__(self, network):
        self.network = network
        self.has, self.value, self.count = network.has, network.value, network.count
        addresses = [socket.inet_aton(host) for host in (GATEWAY, SERVER, SECOND, PROXY)]
        self.macs = {address: mac_of(address) for address in addresses}
        self.gateway, self.server, self.far = (socket.inet_aton(host) for host in (GATEWAY, SERVER, FAR))
        self.servers = [wire_dhcp.Server(self, SERVER, "10.77.0.50", GATEWAY),
                        wire_dhcp.Server(self, SECOND, "10.77.0.150")]
        self.proxy = wire_dhcp.Proxy(self, PROXY, SERVER)

    def away(self, address):
        """Whether this host of the wire is switched off."""
        name = socket.inet_ntoa(address)
        if name == GATEWAY:
            return self.has("gateway-down")
        wanted = {SECOND: "two-servers", PROXY: "proxy-dhcp"}.get(name)
        return wanted is not None and not self.has(wanted)

    def place_of_files(self, server):
        """The next server that `server` names."""
        return self.far if self.has("far-server") else server

    def boot_place(self, by_http, server):
        """(address of the next server, name or URL of the boot file)."""
        place, name = self.place_of_files(server), self.network.boot_name
        host = BOOT_HOST if self.has("no-dns") or self.has("boot-name") else socket.inet_ntoa(place)
        return place, (f"http://{host}/{name}" if by_http else name).encode()

    def take_arp(self, frame):
        if len(frame) < 42 or frame[14:22] != b"\0\1\x08\0\6\4\0\1":
            return
        mac, sender, target = frame[22:28], frame[28:32], frame[38:42]
        self.count("arp-request")
        if sender != b"\0" * 4:
            self.network.neighbours[sender] = mac
        owners = []
        if target in self.macs and not self.away(target):
            owners.append(self.macs[target])
        if self.has("duplicate-address") and any(server.pool(target) for server in self.servers):
            owners.append(RIVAL_MAC)
        if self.has("arp-liar") and target != sender:
            owners.append(LIAR_MAC)
        for owner in owners:
            self.network.emit(arp(mac, owner, 2, target, mac, sender))

    def take(self, frame):
        """A frame with an IPv4 packet."""
        header_size = (frame[14] & 15) * 4 if len(frame) >= 34 and frame[14] >> 4 == 4 else 0
        total = struct.unpack(">H", frame[16:18])[0] if header_size else 0
        if not 20 <= header_size <= total <= len(frame) - 14 or checksum(frame[14:14 + header_size]):
            self.count("bad-ipv4")
            return
        packet = frame[14:14 + total]
        source, destination = packet[12:16], packet[16:20]
        if source != b"\0" * 4:
            self.network.neighbours[source] = frame[6:12]
        if frame[:6] == BROADCAST or destination in self.macs:
            mine = destination in self.macs and frame[:6] in (self.macs[destination], BROADCAST)
            everybody = destination in (b"\xff" * 4, self.server[:3] + b"\xff")
            if everybody or (mine and not self.away(destination)):
                self.deliver(packet, destination if mine else None)
        elif frame[:6] == self.macs[self.gateway] and not self.away(self.gateway):
            self.route(packet)

    def route(self, packet):
        """What the gateway does with a packet for beyond."""
        limit = self.value("icmp-mtu")
        source, destination, flags = packet[12:16], packet[16:20], struct.unpack(">H", packet[6:8])[0]
        quoted = packet[:28]
        if packet[8] <= 1:
            self.count("ttl-exceeded")
            self.send(self.gateway, source, ICMP, icmp(11, 0, b"\0" * 4, quoted))
        elif destination != self.far:
            self.count("no-route")
            self.send(self.gateway, source, ICMP, icmp(3, 0, b"\0" * 4, quoted))
        elif limit is not None and len(packet) > limit and flags & DONT_FRAGMENT:
            self.count("too-big")
            self.send(self.gateway, source, ICMP, icmp(3, 4, struct.pack(">HH", 0, int(limit)), quoted))
        else:
            self.deliver(packet, self.far)

    def deliver(self, packet, host):
        """A packet that has arrived at `host`, or at each one where it is None."""
        size = (packet[0] & 15) * 4
        protocol, source, body = packet[9], packet[12:16], packet[size:]
        if struct.unpack(">H", packet[6:8])[0] & 0x3FFF:
            self.count("fragment")  # which nobody here puts together
        elif protocol == ICMP and len(body) >= 8 and body[0] == 8 and host and not checksum(body):
            self.count(f"ping {socket.inet_ntoa(host)}")
            self.send(host, source, ICMP, icmp(0, 0, body[4:8], body[8:]))
        elif protocol == UDP and len(body) >= 8:
            self.take_udp(packet, source, host, body)
        elif protocol == TCP and host:
            self.network.http.take(host, source, body)

    def take_udp(self, packet, source, host, body):
        source_port, port, length, total = struct.unpack(">HHHH", body[:8])
        if not 8 <= length <= len(body) or (total and transport_sum(source, packet[16:20], UDP, body[:length])):
            self.count("bad-udp")
            return
        data = body[8:length]
        if port in (wire_dhcp.SERVER_PORT, wire_dhcp.PROXY_PORT):
            self.take_dhcp(port, source_port, host, data)
        elif host and port == DNS_PORT:
            self.count("dns")
            answer = None if self.has("no-dns") else wire_dns.answer(data, BOOT_HOST, self.place_of_files(self.server))
            if answer:
                self.network.send_udp(host, source, DNS_PORT, source_port, answer)
        elif host and not self.network.tftp.take(host, port, source, source_port, data):
            self.count("port-unreachable")
            self.send(host, source, ICMP, icmp(3, 3, b"\0" * 4, packet[:28]))

    def take_dhcp(self, port, source_port, host, data):
        try:
            ask = wire_dhcp.Ask(data, source_port)
        except ValueError:
            self.count("bad-dhcp")
            return
        kind = wire_dhcp.KINDS.get(ask.kind, "unknown")
        self.count(f"dhcp-{kind} {ask.client}" + ("" if port == wire_dhcp.SERVER_PORT else f" {port}"))
        if self.has("no-dhcp"):
            return
        if port == wire_dhcp.SERVER_PORT:
            for server in self.servers:
                if host in (None, server.address) and not self.away(server.address):
                    server.take(ask)
        if host in (None, self.proxy.address) and not self.away(self.proxy.address):
            self.proxy.take(ask, port)

    def reply_dhcp(self, source, ask, message, port=wire_dhcp.SERVER_PORT, always_broadcast=False):
        """A DHCP server's way out."""
        mac, destination = wire_dhcp.destination(ask, message, always_broadcast)
        client_port = wire_dhcp.CLIENT_PORT if port == wire_dhcp.SERVER_PORT else ask.port
        packet = ipv4(source, destination, UDP, udp(source, destination, port, client_port, message))
        self.network.emit(ethernet(mac, mac_of(source), IPV4, packet))

    def send(self, source, destination, protocol, body):
        """From one of the hosts, those beyond the gateway too, to who was heard before."""
        mac = self.network.neighbours.get(destination, self.network.station)
        far = source == self.far
        if far and self.has("gateway-down"):
            return
        limit = int(self.value("icmp-mtu") or MTU) if far else MTU
        step = (limit - 20) // 8 * 8
        identification = self.network.random.randrange(65536)
        for start in range(0, max(len(body), 1), step):
            more = 0x2000 if start + step < len(body) else 0
            packet = ipv4(source, destination, protocol, body[start:start + step], 63 if far else 64, identification,
                          more | start // 8)
            self.network.emit(ethernet(mac, mac_of(self.gateway) if far else mac_of(source), IPV4, packet))
