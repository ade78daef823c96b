"""wire_faults - the words for what a badnet network does: its faults, and what else is on its wire."""

import difflib
import typing


class Fault(typing.NamedTuple):
    name: str
    text: str  # one line for --help; N stands for the value
    default: typing.Optional[float] = None  # None: takes no value
    low: float = 0
    high: float = 0


HEALTHY = "healthy"
# A fault's place in the list is its number for messages from inside the guest: new ones belong at the end.
FAULTS = [
    Fault(HEALTHY, "no fault: a router, a boot server with DHCP, TFTP and HTTP, IPv4 and IPv6"),
    # The wire
    Fault("silent", "a half-open port: takes every frame and sends none"),
    Fault("slow", "every frame that comes is N milliseconds late", 200, 1, 60000),
    Fault("loss", "N of 100 frames are lost, each way", 20, 1, 100),
    Fault("reorder", "N of 100 frames that are sent come after the next one", 20, 1, 100),
    Fault("duplicate", "N of 100 frames that are sent come twice", 20, 1, 100),
    Fault("slow-port", "spanning tree: for N seconds only BPDUs come, nothing else passes", 30, 0.001, 3600),
    Fault("vlan-needed", "a trunk: untagged frames are ignored, all that come have a tag of VLAN N", 100, 1, 4094),
    Fault("priority-tags", "every frame that comes has a tag of VLAN 0"),
    Fault("vlan-traffic", "N times a second a frame of somebody else's VLAN comes, 10 and 20 in turn", 1, 0.001, 1000),
    Fault("same-mac", "N times a second another station sends from the NIC's own MAC address", 1, 0.001, 1000),
    Fault("mtu-hole", "IP packets of more than N bytes vanish, each way", 1000, 68, 1500),
    Fault("icmp-mtu", "the router's next hop takes N bytes: 'fragmentation needed' for more", 1000, 68, 1500),
    # Addresses
    Fault("arp-liar", "another station, too, answers each ARP request: every address is its own"),
    Fault("duplicate-address", "another station has each address that DHCP offers"),
    Fault("wrong-subnet", "the gateway that DHCP names is in another subnet"),
    Fault("gateway-down", "the gateway answers nothing, not even ARP"),
    Fault("far-server", "the boot files are beyond the gateway, at 10.78.0.2"),
    # DHCP
    Fault("no-dhcp", "no DHCP server answers"),
    Fault("dhcp-no-ack", "the DHCP server offers, and does not answer the request"),
    Fault("dhcp-nak", "the DHCP server offers, and refuses the request"),
    Fault("dhcp-no-server-id", "offers come without a server identifier"),
    Fault("dhcp-overload", "boot file and server are options in the fields 'file' and 'sname' (option 52)"),
    Fault("dhcp-no-bootfile", "addresses only: no boot file, no next server"),
    Fault("pxe-only", "no boot file for HTTP boot clients"),
    Fault("http-only", "no boot file for PXE clients"),
    Fault("two-servers", "a second DHCP server: other addresses, itself as gateway and next server"),
    Fault("proxy-dhcp", "the boot file comes from a proxyDHCP server, which gives no addresses"),
    Fault("short-lease", "addresses are leased for N seconds", 20, 1, 3600),
    # The boot file
    Fault("bootfile-missing", "TFTP error 1, HTTP 404: there is no such file"),
    Fault("bootfile-arm64", "the boot file is a program for another machine"),
    Fault("bootfile-text", "the boot file is an HTML page, no program"),
    Fault("bootfile-empty", "the boot file has no bytes"),
    Fault("bootfile-cut", "the boot file is the first half of a program"),
    Fault("bootfile-signed", "the boot file is the one of --signed"),
    # TFTP and HTTP
    Fault("tftp-blocked", "TFTP requests get no answer"),
    Fault("tftp-refused", "TFTP requests get 'port unreachable'"),
    Fault("tftp-denied", "TFTP error 2: access violation"),
    Fault("tftp-stall", "no TFTP data after block N", 3, 0, 65535),
    Fault("tftp-loss", "each Nth TFTP data packet is lost once, and comes when it is asked for again", 5, 2, 1000),
    Fault("tftp-plain", "the TFTP server knows no options: 512 bytes a block"),
    Fault("http-blocked", "TCP connections get no answer"),
    Fault("http-refused", "TCP connections are refused"),
    Fault("http-404", "HTTP 404 for everything"),
    Fault("http-redirect", "HTTP 302 to another name of the same file"),
    Fault("http-chunked", "HTTP with chunked bodies, and no length"),
    Fault("http-cut", "the HTTP connection ends after half of the body"),
    Fault("http-stall", "the HTTP body stops halfway, the connection stays"),
    Fault("boot-name", "the boot URL has a name in it, which DNS knows"),
    Fault("no-dns", "the boot URL has a name in it, and DNS does not answer"),
    # IPv6
    Fault("no-ra", "no IPv6 router advertises itself"),
    Fault("no-dhcpv6", "no DHCPv6 server answers"),
    Fault("dhcpv6-no-url", "DHCPv6 gives addresses and no boot URL"),
    # Who speaks on the wire; each begins at once
    Fault("lldp", "a switch says by LLDP who it is, each N seconds", 30, 0.001, 3600),
    Fault("cdp", "a switch says by CDP who it is, each N seconds", 60, 0.001, 3600),
    Fault("stp", "spanning tree BPDUs of a port that forwards, each N seconds", 2, 0.001, 3600),
    Fault("hostile", "damaged DHCP, ARP, TFTP and other packets, N a second, and before each answer", 10, 0.001, 10000),
]
BY_NAME = {fault.name: fault for fault in FAULTS}


def parse(word):
    """(name, value) of "name" or "name=value"; value None where there is none. ValueError says what is wrong."""
    name, equals, text = word.partition("=")
    fault = BY_NAME.get(name)
    if not fault:
        near = difflib.get_close_matches(name, BY_NAME, 1, 0.6)
        remedy = f"did you mean '{near[0]}'?" if near else "--list prints them all"
        raise ValueError(f"no fault '{name}'; {remedy}")
    if not equals:
        return name, fault.default
    if fault.default is None:
        raise ValueError(f"'{name}' takes no value")
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"'{word}': '{text}' is no number") from None
    if not fault.low <= value <= fault.high:
        raise ValueError(f"'{word}': the value is {fault.low:g} to {fault.high:g}")
    return name, value


def table():
    """The list for --help: number (hexadecimal), name, text."""
    lines = []
    for number, fault in enumerate(FAULTS):
        name = fault.name if fault.default is None else f"{fault.name}[={fault.default:g}]"
        lines.append(f"  {number:02x}  {name:20} {fault.text}")
    return "\n".join(lines)
