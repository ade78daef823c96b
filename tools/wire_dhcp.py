"""wire_dhcp - badnet's DHCP servers: RFC 2131 and 2132, PXE 2.1 (options 43, 60, 93, proxyDHCP), HTTP boot."""

import socket
import struct

from wire import BROADCAST

SERVER_PORT, CLIENT_PORT, PROXY_PORT = 67, 68, 4011
COOKIE = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
KINDS = {DISCOVER: "discover", REQUEST: "request", DECLINE: "decline", RELEASE: "release", INFORM: "inform"}
MASK, ROUTER, DNS, DOMAIN, BROADCAST_ADDRESS, VENDOR = 1, 3, 6, 15, 28, 43
WANTED, LEASE, OVERLOAD, KIND, SERVER_ID, T1, T2, CLASS, CLIENT_ID = 50, 51, 52, 53, 54, 58, 59, 60, 61
SERVER_NAME, BOOT_FILE, ARCHITECTURE, MACHINE_ID = 66, 67, 93, 97
PXE, HTTP, PLAIN = "pxe", "http", "plain"
# PXE 2.1, table 2-1: sub-option 6 says with bit 3 that the boot file of this very packet is the one to take
PXE_VENDOR = bytes([6, 1, 8, 255])
LEASE_S = 3600
HEADER = struct.Struct(">BBBBIHH4s4s4s4s16s64s128s4s")
MESSAGE_MIN = 300  # RFC 951's size, which some clients want
UNKNOWN = b"\0" * 4


def options_of(data):
    """{code: bytes}, joined where a code comes several times (RFC 3396). ValueError where an option does not fit."""
    found, place = {}, 0
    while place < len(data) and data[place] != 255:
        if data[place] == 0:
            place += 1
            continue
        if place + 2 > len(data) or place + 2 + data[place + 1] > len(data):
            raise ValueError("an option ends behind the message")
        code, length = data[place], data[place + 1]
        found[code] = found.get(code, b"") + data[place + 2:place + 2 + length]
        place += 2 + length
    return found


class Ask:
    """A client's message."""

    def __init__(self, data, port):
        """`port` is where it came from. ValueError when it is none."""
        self.port = port
        if len(data) < HEADER.size:
            raise ValueError("too short")
        (operation, _, _, _, self.xid, self.seconds, self.flags, self.ciaddr, _, _, self.giaddr, self.chaddr, _, _,
         cookie) = HEADER.unpack_from(data)
        if operation != 1 or cookie != COOKIE:
            raise ValueError("no request")
        self.options = options_of(data[HEADER.size:])
        self.kind = self.options.get(KIND, b"\0")[0]
        self.mac = self.chaddr[:6]

    @property
    def client(self):
        """PXE, HTTP or PLAIN: what kind of boot it asks for."""
        name = self.options.get(CLASS, b"")
        return PXE if name.startswith(b"PXEClient") else HTTP if name.startswith(b"HTTPClient") else PLAIN

    @property
    def architecture(self):
        """Option 93 (7 and 9: x64 by TFTP; 16: x64 by HTTP), or None."""
        value = self.options.get(ARCHITECTURE, b"")
        return struct.unpack(">H", value[:2])[0] if len(value) >= 2 else None


def encode(options):
    """Options in the given order; longer ones in several parts."""
    data = b""
    for code, value in options:
        for start in range(0, max(len(value), 1), 255):
            part = value[start:start + 255]
            data += bytes([code, len(part)]) + part
    return data + b"\xff"


def answer(ask, yiaddr, siaddr, options, sname=b"", file=b""):
    """A server's message with `options`, pairs of code and bytes."""
    header = HEADER.pack(2, 1, 6, 0, ask.xid, 0, ask.flags, ask.ciaddr, yiaddr, siaddr, ask.giaddr, ask.chaddr, sname,
                         file, COOKIE)
    return (header + encode(options)).ljust(MESSAGE_MIN, b"\0")


class Server:
    """Gives addresses, and says where the boot file is. `network` (wire_ipv4.Hosts) has the faults and the way out."""

    def __init__(self, network, address, first, gateway=None):
        self.network = network
        self.address = socket.inet_aton(address)
        self.first = struct.unpack(">I", socket.inet_aton(first))[0]
        self.gateway = socket.inet_aton(gateway) if gateway else self.address
        self.leases = {}
        self.declined = set()

    def pool(self, address):
        """Whether it is one of those that this server gives."""
        return 0 <= struct.unpack(">I", address)[0] - self.first < 100

    def lease(self, mac):
        if mac not in self.leases:
            taken = self.declined | set(self.leases.values())
            self.leases[mac] = next(address for address in (struct.pack(">I", self.first + i) for i in range(100))
                                    if address not in taken)
        return self.leases[mac]

    def network_options(self):
        has = self.network.has
        lease_s = int(self.network.value("short-lease") or LEASE_S)
        router = socket.inet_aton("10.99.0.1") if has("wrong-subnet") else self.gateway
        return [(LEASE, struct.pack(">I", lease_s)), (T1, struct.pack(">I", lease_s // 2)),
                (T2, struct.pack(">I", lease_s * 7 // 8)), (MASK, socket.inet_aton("255.255.255.0")), (ROUTER, router),
                (DNS, self.address), (DOMAIN, b"badnet.example"),
                (BROADCAST_ADDRESS, self.address[:3] + b"\xff")]

    def boot(self, ask):
        """(next server, boot file) for this client; the file empty where it gets none."""
        has = self.network.has
        other_class_only = {PXE: "http-only", HTTP: "pxe-only"}.get(ask.client, "")
        if has("dhcp-no-bootfile") or has("proxy-dhcp") or has(other_class_only):
            return UNKNOWN, b""
        return self.network.boot_place(ask.client == HTTP, self.address)

    def offer(self, ask, kind):
        """What an OFFER and an ACK say."""
        options = [(KIND, bytes([kind]))]
        if not self.network.has("dhcp-no-server-id"):
            options.append((SERVER_ID, self.address))
        options += self.network_options()
        if CLIENT_ID in ask.options:
            options.append((CLIENT_ID, ask.options[CLIENT_ID]))  # RFC 6842
        server, file = self.boot(ask)
        yiaddr = UNKNOWN if ask.kind == INFORM else self.lease(ask.mac)
        if not file:
            return answer(ask, yiaddr, server, options)
        options += boot_options(ask)
        name = b"" if server == UNKNOWN else socket.inet_ntoa(server).encode()
        if self.network.has("dhcp-overload"):
            return answer(ask, yiaddr, server, options + [(OVERLOAD, b"\3")],
                          encode([(SERVER_NAME, name)]), encode([(BOOT_FILE, file)]))
        options.append((BOOT_FILE, file))
        if name:
            options.append((SERVER_NAME, name))
        return answer(ask, yiaddr, server, options, name, file if len(file) < 128 else b"")

    def take(self, ask):
        """A client's message to port 67; answers it."""
        network = self.network
        if ask.kind == DISCOVER:
            network.reply_dhcp(self.address, ask, self.offer(ask, OFFER))
        elif ask.kind == REQUEST and ask.options.get(SERVER_ID, self.address) == self.address:
            wanted = ask.options.get(WANTED, ask.ciaddr)
            if network.has("dhcp-no-ack"):
                return
            if network.has("dhcp-nak") or wanted != self.lease(ask.mac):
                options = [(KIND, bytes([NAK])), (SERVER_ID, self.address)]
                network.reply_dhcp(self.address, ask, answer(ask, UNKNOWN, UNKNOWN, options), always_broadcast=True)
                return
            network.reply_dhcp(self.address, ask, self.offer(ask, ACK))
        elif ask.kind == INFORM:
            network.reply_dhcp(self.address, ask, self.offer(ask, ACK))
        elif ask.kind == DECLINE:
            self.declined.add(ask.options.get(WANTED, UNKNOWN))
            self.leases.pop(ask.mac, None)
        elif ask.kind == RELEASE:
            self.leases.pop(ask.mac, None)


class Proxy:
    """Says where the boot file is, and gives no addresses (PXE 2.1, 2.2.3)."""

    def __init__(self, network, address, server):
        self.network = network
        self.address = socket.inet_aton(address)
        self.server = socket.inet_aton(server)

    def take(self, ask, port):
        if ask.client == PLAIN or (port == SERVER_PORT and ask.kind != DISCOVER):
            return
        server, file = self.network.boot_place(ask.client == HTTP, self.server)
        kind = OFFER if ask.kind == DISCOVER else ACK
        options = [(KIND, bytes([kind])), (SERVER_ID, self.address)] + boot_options(ask)
        if len(file) >= 128 or ask.client == HTTP:
            options.append((BOOT_FILE, file))
        message = answer(ask, UNKNOWN, server, options, file=file if len(file) < 128 else b"")
        self.network.reply_dhcp(self.address, ask, message, port)


def boot_options(ask):
    """What marks a server's message as one for a client of this class."""
    if ask.client == PLAIN:
        return []
    options = [(CLASS, b"HTTPClient")] if ask.client == HTTP else [(CLASS, b"PXEClient"), (VENDOR, PXE_VENDOR)]
    if MACHINE_ID in ask.options:
        options.append((MACHINE_ID, ask.options[MACHINE_ID]))
    return options


def destination(ask, message, always_broadcast=False):
    """(MAC address, IPv4 address, port) to which RFC 2131, 4.1 wants the answer."""
    yiaddr = message[16:20]
    if always_broadcast or (ask.flags & 0x8000 and ask.ciaddr == UNKNOWN):
        return BROADCAST, b"\xff" * 4
    if ask.ciaddr != UNKNOWN:
        return ask.mac, ask.ciaddr
    return (BROADCAST, b"\xff" * 4) if yiaddr == UNKNOWN else (ask.mac, yiaddr)
