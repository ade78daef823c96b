"""test_badnet_six - tools/badnet's network by IPv6, and its HTTP server over IPv4 and IPv6, without a machine."""

import unittest

from scapy.all import (DNS, DNSQR, IP, TCP, UDP, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo,
                       ICMPv6NDOptSrcLLAddr, IPv6, Raw)
from scapy.layers.dhcp6 import (DHCP6_Advertise, DHCP6_InfoRequest, DHCP6_Reply, DHCP6_Request, DHCP6_Solicit,
                                DHCP6OptBootFileUrl, DHCP6OptClientId, DHCP6OptDNSServers, DHCP6OptIA_NA,
                                DHCP6OptIAAddress, DHCP6OptServerId, DHCP6OptVendorClass, DUID_LL, VENDOR_CLASS_DATA)
from station import FAR, FIRST, GATEWAY, NIC_MAC, SERVER, NetworkTest, mac_of

from wire_ipv6 import GATEWAY as GATEWAY6
from wire_ipv6 import SERVER as SERVER6

LOCAL = "fe80::5054:ff:fe12:3456"
ADDRESS = "fd77::1000"


def six(address, payload, source=ADDRESS, mac=None, hops=64):
    host = {GATEWAY6: GATEWAY, SERVER6: SERVER}.get(address)
    to = mac or (mac_of(host) if host else "33:33:00:00:00:01")
    return Ether(src=NIC_MAC, dst=to) / IPv6(src=source, dst=address, hlim=hops) / payload


def who_has(address):
    return six("ff02::1:ff00:2", ICMPv6ND_NS(tgt=address) / ICMPv6NDOptSrcLLAddr(lladdr=NIC_MAC), LOCAL, hops=255)


def dhcp(message, *options):
    payload = message(trid=0x1234) / DHCP6OptClientId(duid=DUID_LL(lladdr=NIC_MAC))
    for option in options:
        payload = payload / option
    return six("ff02::1:2", UDP(sport=546, dport=547) / payload, LOCAL, "33:33:00:01:00:02")


def boot_class(name):
    return DHCP6OptVendorClass(enterprisenum=343, vcdata=[VENDOR_CLASS_DATA(data=name)])


class Six(NetworkTest):
    def test_neighbours(self):
        for address, host, router in ((SERVER6, SERVER, 0), (GATEWAY6, GATEWAY, 1)):
            answer, = self.ask(who_has(address))
            advert = answer[ICMPv6ND_NA]
            self.assertEqual((answer.src, answer[IPv6].dst, answer[IPv6].hlim), (mac_of(host), LOCAL, 255))
            self.assertEqual((advert.tgt, advert.lladdr), (address, mac_of(host)))
            self.assertEqual((advert.R, advert.S, advert.O), (router, 1, 1))
        self.assertEqual(self.ask(who_has(ADDRESS), who_has("fd77::99")), [])
        self.network.fault("gateway-down")
        self.assertEqual(self.ask(who_has(GATEWAY6)), [])

    def test_router(self):
        def solicit():
            self.ask(who_has(SERVER6))
            self.station.send(six("ff02::2", ICMPv6ND_RS(), LOCAL, "33:33:00:00:00:02", 255))
        solicit()
        answer = self.station.await_frame(lambda packet: ICMPv6ND_RA in packet)
        self.assertEqual((answer.dst, answer[IPv6].src, answer[IPv6].dst),
                         ("33:33:00:00:00:01", "fe80::aff:fe4d:1", "ff02::1"))
        self.assertEqual((answer[ICMPv6ND_RA].M, answer[ICMPv6ND_RA].O, answer[IPv6].hlim), (1, 1, 255))
        self.assertEqual((answer[ICMPv6NDOptPrefixInfo].prefix, answer[ICMPv6NDOptMTU].mtu), ("fd77::", 1500))
        for fault in ("no-ra", "gateway-down"):
            self.network.fault(fault)
            solicit()
            self.station.send(who_has(SERVER6))
            first = self.station.await_frame(lambda packet: ICMPv6ND_RA in packet or ICMPv6ND_NA in packet)
            self.assertIn(ICMPv6ND_NA, first)

    def test_names(self):
        """The name server at the IPv6 address knows IPv6 addresses alone."""
        for name, kind, code, count in (("boot.badnet.example", "AAAA", 0, 1), ("boot.badnet.example", "A", 0, 0),
                                        ("other.example", "AAAA", 3, 0)):
            answer, = self.ask(six(SERVER6, UDP(sport=4001, dport=53) / DNS(id=7, qd=DNSQR(qname=name, qtype=kind))))
            self.assertEqual((answer[DNS].id, answer[DNS].rcode, answer[DNS].ancount), (7, code, count))
            if count:
                self.assertEqual(answer[DNS].an.rdata, SERVER6)
        self.network.fault("no-dns")
        self.assertEqual(self.ask(six(SERVER6, UDP(sport=4001, dport=53) / DNS(qd=DNSQR(qname="boot.badnet.example")))),
                         [])

    def test_echo(self):
        for address in (SERVER6, GATEWAY6):
            answer, = self.ask(six(address, ICMPv6EchoRequest(id=3, seq=4, data=b"abc" * 100)))
            echo = answer[ICMPv6EchoReply]
            self.assertEqual((answer[IPv6].src, echo.id, echo.seq, echo.data), (address, 3, 4, b"abc" * 100))
        answer, = self.ask(six(SERVER6, UDP(sport=5000, dport=7) / Raw(b"x")))
        self.assertEqual(answer[ICMPv6DestUnreach].code, 4)

    def test_dhcp(self):
        for name, url in ((b"PXEClient:Arch:00007:UNDI:003000", b"tftp://[fd77::2]/boot.efi"),
                          (b"HTTPClient:Arch:00016:UNDI:003000", b"http://[fd77::2]/boot.efi")):
            with self.subTest(name):
                offer, = self.ask(dhcp(DHCP6_Solicit, DHCP6OptIA_NA(iaid=5), boot_class(name)))
                self.assertEqual((offer[UDP].sport, offer[UDP].dport, offer[IPv6].dst), (547, 546, LOCAL))
                self.assertEqual(offer[DHCP6_Advertise].trid, 0x1234)
                self.assertEqual((offer[DHCP6OptIA_NA].iaid, offer[DHCP6OptIAAddress].addr), (5, ADDRESS))
                self.assertEqual(offer[DHCP6OptBootFileUrl].optdata, url)
                self.assertEqual(offer[DHCP6OptDNSServers].dnsservers, [SERVER6])
                self.assertEqual(DHCP6OptVendorClass in offer, b"HTTP" in name)
                server = offer[DHCP6OptServerId].copy()
                server.remove_payload()
                reply, = self.ask(dhcp(DHCP6_Request, server, DHCP6OptIA_NA(iaid=5), boot_class(name)))
                self.assertEqual((reply[DHCP6OptIAAddress].addr, reply[DHCP6OptBootFileUrl].optdata), (ADDRESS, url))
                self.assertIn(DHCP6_Reply, reply)
        other = DHCP6OptServerId(duid=DUID_LL(lladdr="02:00:00:00:00:09"))
        self.assertEqual(self.ask(dhcp(DHCP6_Request, other, DHCP6OptIA_NA(iaid=5))), [], "another server was chosen")
        reply, = self.ask(dhcp(DHCP6_InfoRequest, boot_class(b"PXEClient")))
        self.assertNotIn(DHCP6OptIA_NA, reply)
        self.assertEqual([self.network.seen(f"dhcpv6-solicit {kind}") for kind in ("pxe", "http", "plain")], [1, 1, 0])

    def test_dhcp_faults(self):
        asked = dhcp(DHCP6_Solicit, DHCP6OptIA_NA(iaid=5), boot_class(b"PXEClient"))
        self.network.fault("dhcpv6-no-url")
        offer, = self.ask(asked)
        self.assertNotIn(DHCP6OptBootFileUrl, offer)
        self.network.fault("no-dhcpv6")
        self.assertEqual(self.ask(asked), [])


class Http(NetworkTest):
    """A client that acknowledges what comes in order, and nothing else."""

    def open(self, server=SERVER, port=5000, mss=1460):
        source = ADDRESS if ":" in server else FIRST
        to = mac_of(SERVER if ":" in server else GATEWAY if server == FAR else server)
        self.head = Ether(src=NIC_MAC, dst=to) / (IPv6 if ":" in server else IP)(src=source, dst=server)
        self.port, self.window = port, 65535
        self.sequence, self.expected = 0xFFFFFFF0, 0
        answers = self.tell("S", options=[("MSS", mss)])
        if answers and answers[0][TCP].flags == "SA":
            self.assertEqual(answers[0][TCP].ack, 0xFFFFFFF1)
            self.sequence += 1
            self.expected = answers[0][TCP].seq + 1 & 0xFFFFFFFF
        return answers

    def segment(self, flags, data=b"", options=()):
        return self.head / TCP(sport=self.port, dport=80, flags=flags, seq=self.sequence & 0xFFFFFFFF,
                               ack=self.expected, window=self.window, options=list(options)) / Raw(data)

    def tell(self, *arguments, **fields):
        """Sends a segment; returns what comes on this connection."""
        return [frame for frame in self.ask(self.segment(*arguments, **fields)) if frame[TCP].dport == self.port]

    def get(self, path="/boot.efi", method="GET", fields="Connection: close\r\n", server=SERVER, lose=(), **opening):
        """(header, body, whether the connection was ended) of an exchange on a new connection; of the arriving segments
        those with a number in `lose` are not seen."""
        self.assertEqual([answer[TCP].flags for answer in self.open(server, **opening)], ["SA"])
        request = f"{method} {path} HTTP/1.1\r\nHost: {server}\r\n{fields}\r\n".encode()
        frames = self.tell("PA", request)
        self.sequence += len(request)
        came, ended, count = b"", False, 0
        while True:
            for frame in frames:
                count += 1
                data = bytes(frame[TCP].payload)[:frame[IP].len - 40 if IP in frame else frame[IPv6].plen - 20]
                self.assertLessEqual(len(data), opening.get("mss", 1460))
                if count in lose or frame[TCP].seq != self.expected:
                    continue
                came += data
                ended = "F" in frame[TCP].flags
                self.expected = self.expected + len(data) + ended & 0xFFFFFFFF
            head, _, body = came.partition(b"\r\n\r\n")
            if not ended and self.complete(head, body):
                return head.decode(), body, False
            frames = self.tell("FA" if ended else "A")
            if ended:
                answer, = frames
                self.assertEqual((answer[TCP].flags, answer[TCP].ack), ("A", self.sequence + 1 & 0xFFFFFFFF))
                return head.decode(), body, True
            if not frames:  # only the server's clock helps
                frames = [self.station.await_frame(lambda packet: TCP in packet and packet[TCP].dport == self.port)]

    @staticmethod
    def complete(head, body):
        return b"Content-Length: %d\r\n" % len(body) in head + b"\r\n" or body.endswith(b"0\r\n\r\n")

    def test_get(self):
        for server in (SERVER, FAR, SERVER6):
            for fields in ("Connection: close\r\n", ""):
                with self.subTest(server, fields=fields):
                    head, body, ended = self.get(server=server, fields=fields, port=5001 + len(fields))
                    self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
                    self.assertEqual((body, ended), (self.BOOT, bool(fields)))

    def test_small_segments(self):
        self.assertEqual(self.get(mss=100)[1], self.BOOT)

    def test_head(self):
        head, body, _ = self.get(method="HEAD")
        self.assertIn("Content-Length: 3000\r\n", head)
        self.assertEqual(body, b"")
        self.assertEqual(self.network.seen("http-head boot.efi"), 1)

    def test_loss(self):
        """What was not acknowledged comes again."""
        for lose in ([1], [2], [3], [4], [1, 2, 3, 4]):
            with self.subTest(lose):
                self.assertEqual(self.get(lose=lose, port=5100 + sum(lose))[1], self.BOOT)

    def test_window(self):
        """No more than the client takes."""
        self.open()
        self.window = 1000
        frames = self.tell("PA", b"GET /boot.efi HTTP/1.1\r\n\r\n")
        self.assertEqual(sum(frame[IP].len - 40 for frame in frames), 1000)

    def test_closed_window(self):
        """A byte asks from time to time whether it is still closed."""
        self.open()
        self.window = 0
        request = b"GET /boot.efi HTTP/1.1\r\n\r\n"
        answer, = self.tell("PA", request)
        self.assertEqual(answer[IP].len, 40)
        for _ in range(2):
            probe = self.station.await_frame(lambda packet: TCP in packet and packet[TCP].dport == self.port)
            self.assertEqual((probe[TCP].seq, probe[IP].len), (self.expected, 41))
        self.sequence += len(request)
        self.window = 1000
        ends = [(frame[TCP].seq + frame[IP].len - 40 - self.expected) & 0xFFFFFFFF for frame in self.tell("A")]
        self.assertEqual(max(ends), 1000)

    def test_missing(self):
        for path, fault in (("/none", "healthy"), ("/", "healthy"), ("/boot.efi", "bootfile-missing"),
                            ("/boot.efi", "http-404")):
            self.network.fault(fault)
            self.assertTrue(self.get(path)[0].startswith("HTTP/1.1 404 Not Found"))
        self.network.fault()
        self.assertTrue(self.get(method="PUT")[0].startswith("HTTP/1.1 501 "))

    def test_redirect(self):
        self.network.fault("http-redirect")
        head, _, _ = self.get()
        self.assertIn("HTTP/1.1 302 Found", head)
        self.assertIn("Location: http://10.77.0.2/moved/boot.efi\r\n", head + "\r\n")
        self.assertEqual(self.get("/moved/boot.efi", port=5001)[1], self.BOOT)

    def test_chunked(self):
        self.network.fault("http-chunked")
        head, body, _ = self.get(fields="")
        self.assertIn("Transfer-Encoding: chunked", head)
        self.assertNotIn("Content-Length", head)
        content = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            content, body = content + body[:int(size, 16)], body[int(size, 16) + 2:]
        self.assertEqual(content, self.BOOT)

    def test_cut(self):
        self.network.fault("http-cut")
        head, body, ended = self.get()
        self.assertIn("Content-Length: 3000", head)
        self.assertEqual((body, ended), (self.BOOT[:1500], True))

    def test_stall(self):
        self.network.fault("http-stall")
        self.open()
        request = b"GET /boot.efi HTTP/1.1\r\nConnection: close\r\n\r\n"
        frames = self.tell("PA", request)
        came = b"".join(bytes(frame[TCP].payload)[:frame[IP].len - 40] for frame in frames)
        self.assertEqual(came.partition(b"\r\n\r\n")[2], self.BOOT[:1500])
        self.assertFalse(any("F" in frame[TCP].flags for frame in frames))
        self.expected = self.expected + len(came) & 0xFFFFFFFF
        self.sequence += len(request)
        self.assertEqual(self.tell("A"), [])

    def test_blocked_and_refused(self):
        self.network.fault("http-blocked")
        self.assertEqual(self.open(), [])
        self.network.fault("http-refused")
        answer, = self.open()
        self.assertEqual((answer[TCP].flags, answer[TCP].ack), ("RA", 0xFFFFFFF1))

    def test_forgotten(self):
        """A switch of faults ends connections."""
        self.open()
        self.network.fault()
        answer, = self.tell("PA", b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual((answer[TCP].flags, answer[TCP].seq), ("R", self.expected))


if __name__ == "__main__":
    unittest.main()
