"""test_badnet_faults - tools/badnet's network without a machine: each fault does what it says, and nothing else."""

import random
import struct
import unittest

from scapy.all import ARP, BOOTP, DNS, DNSQR, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, Raw
from scapy.layers.dhcp6 import DHCP6_Solicit, DHCP6OptClientId
from station import (FAR, FIRST, GATEWAY, HTTP, NIC_MAC, PXE, SECOND, SERVER, NetworkTest, dhcp, mac_of, options, pe,
                     ping, via, who_has)

import wire
import wire_control
import wire_faults
import wire_hostile
import wire_ipv4
import wire_net
import wire_speakers

RIVAL, LIAR = (":".join(f"{byte:02x}" for byte in mac) for mac in (wire_ipv4.RIVAL_MAC, wire_ipv4.LIAR_MAC))


def text(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


class Words(NetworkTest):
    def test_unknown(self):
        self.network.fault("no-dhcp")
        for words, message in ((["tftp-bloked"], "no fault 'tftp-bloked'; did you mean 'tftp-blocked'?"),
                               (["xyzzy"], "no fault 'xyzzy'; --list prints them all"),
                               (["no-dhcp=1"], "'no-dhcp' takes no value"),
                               (["loss=much"], "'loss=much': 'much' is no number"),
                               (["loss=101"], "'loss=101': the value is 1 to 100"),
                               (["loss=nan"], "'loss=nan': the value is 1 to 100")):
            with self.assertRaises(ValueError) as caught:
                self.network.fault("silent", *words)
            self.assertEqual(str(caught.exception), message)
        self.assertEqual(self.network.faults, {"no-dhcp": None}, "nothing has changed")
        self.network.signed = None
        with self.assertRaisesRegex(ValueError, "'bootfile-signed' needs the file: --signed FILE"):
            self.network.fault("bootfile-signed")

    def test_switch(self):
        """What comes after fault() is under the new fault, and counted from 0."""
        for _ in range(50):
            self.network.fault("no-dhcp")
            self.assertEqual(self.offers(), [])
            self.assertEqual(self.network.seen("dhcp-discover plain"), 1)
            self.network.fault()
            self.assertEqual(len(self.offers()), 1)
            self.assertEqual(self.network.seen("dhcp-discover plain"), 1)

    def test_line(self):
        """What the control socket says."""
        def say(line):
            return wire_control.command(self.network, line)
        self.assertEqual(say("tftp-blocked loss=5"), "ok")
        self.assertEqual(say("faults"), "tftp-blocked loss=5")
        self.assertEqual(say("+no-dns -loss"), "ok")
        self.assertEqual(say("faults"), "tftp-blocked no-dns")
        self.assertEqual(say("nonsense"), "error: no fault 'nonsense'; --list prints them all")
        self.assertEqual(say("+nonsense"), "error: no fault 'nonsense'; --list prints them all")
        self.assertEqual(say(""), "error: no fault named")
        self.assertEqual(say("healthy"), "ok")
        self.assertEqual(say("faults"), "healthy")
        self.ask(who_has(SERVER))
        self.assertEqual(say("counts"), '{"arp-request": 1, "frame": 2}')

    def message(self, how, name):
        number = [fault.name for fault in wire_faults.FAULTS].index(name)
        mac = bytes.fromhex(NIC_MAC.replace(":", ""))
        return wire.test_frame(wire_net.MESSAGE_MAC + bytes([how, number]), mac, 9, 1, 60)

    def test_message(self):
        """From inside: by number in a MAC address, in any network."""
        for fault in wire_faults.FAULTS:
            if fault.name != "healthy":
                with self.subTest(fault.name):
                    echo = self.ask(self.message(wire_net.ALONE, fault.name))
                    self.assertIn(wire.REPLY, [frame[19] for frame in map(bytes, echo) if frame[12:14] == b"\x88\xb5"])
                    self.assertEqual(self.network.faults, {fault.name: fault.default})
                    self.ask(self.message(wire_net.ALONE, "healthy"))
        self.ask(self.message(wire_net.AS_WELL, "no-dhcp"), self.message(wire_net.AS_WELL, "tftp-stall"))
        self.assertEqual(self.network.faults, {"no-dhcp": None, "tftp-stall": 3})
        self.ask(self.message(wire_net.NO_MORE, "no-dhcp"))
        self.assertEqual(self.network.faults, {"tftp-stall": 3})
        self.ask(self.message(7, "silent"), Ether(src=NIC_MAC, dst="02:ba:d0:00:00:f0") / Raw(bytes(46)))
        self.assertEqual(self.network.faults, {"tftp-stall": 3})

    def test_file_name(self):
        self.assertEqual(self.read("badnet/no-dhcp,tftp-loss=2")[0], b"from now on: no-dhcp,tftp-loss=2\n")
        self.assertEqual(self.network.faults, {"no-dhcp": None, "tftp-loss": 2})
        self.assertEqual(self.read("badnet/nothing")[0], b"no fault 'nothing'; --list prints them all\n")
        self.assertEqual(self.read("/badnet/healthy")[0], b"from now on: healthy\n")
        self.assertEqual(self.network.faults, {})


class TheWire(NetworkTest):
    def test_silent(self):
        self.network.fault("silent", "lldp", "vlan-traffic=1000")
        self.assertEqual(self.ask(dhcp("discover"), who_has(SERVER), ping(SERVER)), [])
        self.assertEqual(self.network.seen("frame"), 4)

    def test_loss(self):
        self.network.fault("loss=50")
        answers = self.ask(*[ping(SERVER)] * 200)
        self.assertTrue(20 < len(answers) < 90, f"a quarter of 200 with this seed: {len(answers)}")
        self.network.fault("loss=100")
        self.assertEqual(self.ask(*[ping(SERVER)] * 20), [])

    def test_reorder(self):
        self.network.fault("reorder=50")
        pings = [ping(SERVER) for _ in range(100)]
        for number, packet in enumerate(pings):
            packet[ICMP].seq = number
        answers = self.ask(*pings)
        if len(answers) == 99:  # the last was held back, and the barrier overtook it
            answers.append(self.station.await_frame(lambda packet: ICMP in packet))
        order = [answer[ICMP].seq for answer in answers]
        self.assertNotEqual(order, list(range(100)))
        self.assertEqual(sorted(order), list(range(100)))

    def test_duplicate(self):
        self.network.fault("duplicate=50")
        answers = self.ask(*[ping(SERVER)] * 100)
        self.assertTrue(110 < len(answers) < 190, len(answers))
        self.network.fault("duplicate=100")
        self.assertEqual(len(self.ask(ping(SERVER))), 2)

    def test_slow(self):
        self.network.fault("slow=300")
        self.assertEqual(self.ask(ping(SERVER)), [], "the barrier was faster")
        self.station.await_frame(lambda packet: ICMP in packet)

    def test_late_frames(self):
        """What is on its way when the network is switched does not come in the next one."""
        marker = wire_speakers.lldp()
        self.network.fault("slow=100")
        self.assertEqual(self.ask(ping(GATEWAY)), [])
        self.network.fault()
        answers = self.ask(ping(SERVER))
        self.network.later(0.3, self.network.put, marker)  # later than what was late
        while not answers or bytes(answers[-1]) != marker:
            answers.append(self.station.await_frame(lambda packet: True))
        self.assertEqual([packet[IP].src for packet in answers[:-1]], [SERVER])

    def test_slow_port(self):
        """Nothing but BPDUs passes until one says that the port forwards."""
        self.network.fault("slow-port=1.6")
        frames = []
        while not any(ICMP in frame for frame in frames):
            frames += self.ask(ping(SERVER))
        before = frames[:[ICMP in frame for frame in frames].index(True)]
        self.assertEqual([bytes(frame)[21] & 0x30 for frame in before],
                         [wire_speakers.DISCARDING] * 4 + [wire_speakers.LEARNING] * 4 + [wire_speakers.FORWARDING])
        self.network.fault("slow-port")
        self.assertEqual([frame for frame in self.ask(ping(SERVER)) if ICMP in frame], [])
        self.network.remove("slow-port")
        self.assertEqual(len([frame for frame in self.ask(ping(SERVER)) if ICMP in frame]), 1)

    def test_vlan_needed(self):
        self.network.fault("vlan-needed=100")
        self.assertEqual(self.ask(ping(SERVER), dhcp("discover")), [])
        self.assertEqual(self.network.seen("untagged"), 2)
        for identifier, count in ((99, 0), (0, 0), (100, 1)):
            packet = ping(SERVER)
            packet = Ether(src=packet.src, dst=packet.dst) / Dot1Q(vlan=identifier) / packet.payload
            answers = self.ask(packet)
            self.assertEqual(len(answers), count, identifier)
        self.assertEqual((answers[0][Dot1Q].vlan, answers[0][ICMP].type), (100, 0))

    def test_priority_tags(self):
        self.network.fault("priority-tags")
        for packet in (ping(SERVER), who_has(SERVER), dhcp("discover")):
            answer, = self.ask(packet)
            self.assertEqual((answer[Dot1Q].vlan, answer[Dot1Q].prio), (0, 5))
        self.network.fault()
        tagged = Ether(src=NIC_MAC, dst=mac_of(SERVER)) / Dot1Q(vlan=0, prio=3) / ping(SERVER).payload
        self.assertEqual(len(self.ask(tagged)), 1, "a NIC's own priority tags are nothing special")

    def test_vlan_traffic(self):
        self.network.fault("vlan-traffic=100")
        seen = {(frame[Dot1Q].vlan, ARP in frame) for frame in
                [self.station.await_frame(lambda packet: Dot1Q in packet) for _ in range(8)]}
        self.assertEqual(seen, {(10, True), (20, True), (10, False), (20, False)})
        answer, = [packet for packet in self.ask(ping(SERVER)) if Dot1Q not in packet]
        self.assertEqual(answer[ICMP].type, 0)

    def test_same_mac(self):
        self.network.fault("same-mac=100")
        self.ask(who_has(SERVER))
        frame = self.station.await_frame(lambda packet: packet.src == NIC_MAC)
        self.assertEqual((frame[ARP].psrc, frame[ARP].hwsrc, frame[ARP].op), ("10.77.0.66", NIC_MAC, 1))

    def test_mtu_hole(self):
        self.network.fault("mtu-hole=1000", "far-server")
        self.assertEqual([len(self.ask(ping(host, 972))) for host in (SERVER, FAR)], [1, 1])
        self.assertEqual([len(self.ask(ping(host, 973))) for host in (SERVER, FAR)], [0, 0])
        self.assertEqual(self.network.seen("mtu-hole"), 2)
        self.assertEqual(self.read(server=FAR, extra=[("blksize", "968")])[0], self.BOOT)

    def test_icmp_mtu(self):
        self.network.fault("icmp-mtu=1000")
        self.assertEqual(self.ask(ping(FAR, 972, flags="DF"))[0][ICMP].type, 0)
        answer, = self.ask(ping(FAR, 973, flags="DF"))
        self.assertEqual((answer[IP].src, answer[ICMP].type, answer[ICMP].code), (GATEWAY, 3, 4))
        self.assertEqual(answer[ICMP].nexthopmtu, 1000)
        self.assertEqual(self.ask(ping(SERVER, 1472, flags="DF"))[0][ICMP].type, 0, "on this wire it fits")
        fragments = self.ask(ping(FAR, 1472))
        self.assertEqual([(part[IP].frag, bool(part[IP].flags.MF), part[IP].len) for part in fragments],
                         [(0, True, 996), (122, False, 524)])
        self.assertEqual(len({part[IP].id for part in fragments}), 1)

    def test_speakers(self):
        for name, to in (("lldp", "01:80:c2:00:00:0e"), ("cdp", "01:00:0c:cc:cc:cc"), ("stp", "01:80:c2:00:00:00")):
            self.network.fault(f"{name}=0.01", "priority-tags")
            self.ask()  # and what is still of the one before is over
            for _ in range(3):
                frame = self.station.await_frame(lambda packet: not packet.haslayer(Dot1Q))
                self.assertEqual((frame.dst, frame.src), (to, text(wire_speakers.SWITCH_PORT_MAC)))
        self.network.fault()
        self.ask()
        self.assertEqual(self.ask(), [], "and silent again")

    def test_lldp(self):
        from scapy.contrib import lldp
        packet = lldp.LLDPDU(wire_speakers.lldp()[14:])
        self.assertEqual(packet[lldp.LLDPDUSystemName].system_name, wire_speakers.SWITCH_NAME)
        self.assertEqual(packet[lldp.LLDPDUPortID].id, wire_speakers.SWITCH_PORT)
        self.assertEqual(packet[lldp.LLDPDUChassisID].id, text(wire_speakers.SWITCH_MAC))
        self.assertEqual(packet[lldp.LLDPDUTimeToLive].ttl, 120)
        self.assertEqual(packet[lldp.LLDPDUManagementAddress].management_address, wire_speakers.SWITCH_ADDRESS)
        self.assertIn(lldp.LLDPDUEndOfLLDPDU, packet)

    def test_cdp(self):
        from scapy.contrib import cdp
        frame = wire_speakers.cdp()
        packet = cdp.CDPv2_HDR(frame[22:14 + int.from_bytes(frame[12:14], "big")])
        self.assertEqual(packet[cdp.CDPMsgDeviceID].val, wire_speakers.SWITCH_NAME)
        self.assertEqual(packet[cdp.CDPMsgPortID].iface, wire_speakers.SWITCH_PORT)
        self.assertEqual(packet[cdp.CDPMsgNativeVLAN].vlan, wire_speakers.SWITCH_VLAN)
        self.assertEqual(packet[cdp.CDPMsgAddr].addr[0].addr, "10.77.0.9")
        again = packet.copy()
        del again.cksum
        self.assertEqual(bytes(again), bytes(packet))

    def test_hostile(self):
        """Much that is damaged comes, and the true answers too. scapy is spared: it does not end on some of these."""
        def key(frame):
            return frame[:18] + frame[20:24] + frame[26:]  # without IPv4's identification and its sum
        self.station.judge = False
        packets = dhcp("discover", PXE), who_has(SERVER), ping(SERVER)
        sound = {key(frame) for frame in self.ask(*packets)}
        self.assertEqual(len(sound), 3)
        self.network.fault("hostile=1000")
        kinds = set()
        for _ in range(40):
            answers = self.ask(*packets)
            self.assertLessEqual(sound, {key(frame) for frame in answers})
            self.assertGreaterEqual(len(answers), 6)
            self.assertLessEqual({len(frame) <= 1518 for frame in answers}, {True})
            kinds |= {frame[12:14] for frame in answers}
        self.assertGreater(len(kinds), 5)

    @staticmethod
    def questions():
        """A frame to each service."""
        tftp = UDP(sport=4000, dport=69) / Raw(b"\0\1boot.efi\0octet\0blksize\x001000\0")
        six = Ether(src=NIC_MAC, dst=mac_of(SERVER)) / IPv6(src="fd77::1000", dst="fd77::2")
        return [bytes(packet) for packet in (
            dhcp("discover", PXE), who_has(SERVER), ping(SERVER), via(SERVER, tftp),
            via(SERVER, UDP(sport=4001, dport=53) / DNS(qd=DNSQR(qname=wire_ipv4.BOOT_HOST))),
            via(SERVER, TCP(sport=4002, dport=80, flags="S", options=[("MSS", 1460)])), six / ICMPv6EchoRequest(),
            six / UDP(sport=546, dport=547) / DHCP6_Solicit() / DHCP6OptClientId())]

    def test_short_frames(self):
        """What ends anywhere is no question: in Ethernet's length, and where IP says that it ends there."""
        self.station.judge = False
        for question in self.questions():
            self.assertGreater(len(self.ask(question)), 0)
            self.network.fault()
            cut = [question[:size] for size in range(14, len(question))]
            self.ask(*cut)
            if question[12:14] == wire.IPV4:
                header, body = question[14:34], question[34:]
                cut = [question[:14] + wire.sealed(header, body[:size]) for size in range(len(body))]
                for frame in cut:
                    if len(frame) >= 42 and frame[23] == wire.UDP:  # whose own length and checksum fit as well
                        ports = struct.unpack(">HH", frame[34:38])
                        frame = frame[:34] + wire.udp(frame[26:30], frame[30:34], *ports, frame[42:])
                    self.station.send(frame)
                self.ask()

    def test_other_arp(self):
        """Only requests of Ethernet and IPv4 are answered."""
        for place in range(14, 22):
            frame = bytearray(bytes(who_has(SERVER)))
            frame[place] ^= 4
            self.assertEqual(self.ask(bytes(frame)), [], place)

    def test_hostile_machine(self):
        """The network itself goes on, whatever the machine sends."""
        draw = random.Random(5)
        mac = wire_ipv4.mac_of(bytes([10, 77, 0, 2]))
        asked = self.questions()
        self.station.judge = False
        for _ in range(300):
            frames = [wire_hostile.packet(draw, mac)[1], wire_hostile.damaged(draw, draw.choice(asked))]
            # as if it came from the machine, to port 67 as well
            self.ask(*frames, *[frame[:36] + b"\0\x43" + frame[38:] for frame in frames])
        self.station.judge = True
        self.network.fault()
        self.assertEqual(len([packet for packet in self.ask(ping(SERVER)) if ICMP in packet]), 1)


class Addresses(NetworkTest):
    def test_arp_liar(self):
        self.network.fault("arp-liar")
        owners = [answer.hwsrc for answer in self.ask(who_has(SERVER))]
        self.assertEqual(owners, [mac_of(SERVER), LIAR])
        self.assertEqual([answer.hwsrc for answer in self.ask(who_has("10.77.0.99"))], [LIAR])
        self.assertEqual(self.ask(who_has(FIRST, FIRST)), [], "an announcement of one's own")

    def test_duplicate_address(self):
        self.network.fault("duplicate-address")
        address = self.offers()[0][BOOTP].yiaddr
        answer, = self.ask(who_has(address, "0.0.0.0"))
        self.assertEqual((answer[ARP].op, answer[ARP].hwsrc, answer[ARP].psrc), (2, RIVAL, address))
        self.assertEqual(len(self.ask(who_has(address, address))), 1, "an announcement as well")
        self.assertEqual(self.ask(who_has("10.77.0.20")), [])
        self.network.fault()
        self.assertEqual(self.ask(who_has(address, "0.0.0.0")), [])

    def test_wrong_subnet(self):
        self.network.fault("wrong-subnet")
        self.assertEqual(options(self.offers()[0])["router"], "10.99.0.1")
        self.assertEqual(self.ask(who_has("10.99.0.1")), [])

    def test_gateway_down(self):
        self.network.fault("gateway-down")
        self.assertEqual(options(self.offers()[0])["router"], GATEWAY)
        self.assertEqual(self.ask(who_has(GATEWAY), ping(GATEWAY), ping(FAR)), [])
        self.assertEqual(len(self.ask(who_has(SERVER), ping(SERVER))), 2)

    def test_far_server(self):
        self.network.fault("far-server")
        self.assertEqual(self.offers(*PXE)[0][BOOTP].siaddr, FAR)
        self.assertEqual(options(self.offers(*HTTP)[0])["boot-file-name"], b"http://10.78.0.2/boot.efi")
        self.assertEqual(self.read(server=FAR)[0], self.BOOT)


class TheDhcpServer(NetworkTest):
    def test_no_dhcp(self):
        self.network.fault("no-dhcp")
        self.assertEqual(self.ask(dhcp("discover"), dhcp("discover", PXE), dhcp("request"), dhcp("inform")), [])

    def test_no_ack(self):
        self.network.fault("dhcp-no-ack")
        self.assertEqual(len(self.offers()), 1)
        self.assertEqual(self.request(), [])

    def test_nak(self):
        self.network.fault("dhcp-nak")
        self.assertEqual(len(self.offers()), 1)
        refused, = self.request()
        self.assertEqual((options(refused)["message-type"], refused[IP].dst), (6, "255.255.255.255"))

    def test_no_server_id(self):
        self.network.fault("dhcp-no-server-id")
        self.assertNotIn("server_id", options(self.offers(*PXE)[0]))

    def test_overload(self):
        self.network.fault("dhcp-overload")
        offer, = self.offers(*PXE)
        said = options(offer)
        self.assertEqual(said["dhcp-option-overload"], 3)
        self.assertNotIn("boot-file-name", said)
        self.assertEqual(offer[BOOTP].file.rstrip(b"\0"), b"\x43\x08boot.efi\xff")
        self.assertEqual(offer[BOOTP].sname.rstrip(b"\0"), b"\x42\x0910.77.0.2\xff")

    def test_no_boot_file(self):
        for fault, without in (("dhcp-no-bootfile", (PXE, HTTP, [])), ("pxe-only", (HTTP,)), ("http-only", (PXE,)),
                               ("healthy", ())):
            self.network.fault(fault)
            for client in (PXE, HTTP, []):
                with self.subTest(fault, client=client):
                    offer, = self.offers(*client)
                    self.assertEqual("boot-file-name" in options(offer), client not in without)
                    self.assertEqual(offer[BOOTP].siaddr != "0.0.0.0", client not in without)

    def test_two_servers(self):
        self.network.fault("two-servers")
        first, second = self.offers(*PXE)
        self.assertEqual([offer[BOOTP].yiaddr for offer in (first, second)], [FIRST, "10.77.0.150"])
        self.assertEqual([offer[BOOTP].siaddr for offer in (first, second)], [SERVER, SECOND])
        self.assertEqual([options(offer)["router"] for offer in (first, second)], [GATEWAY, SECOND])
        self.assertEqual([packet[BOOTP].yiaddr for packet in self.request("10.77.0.150", SECOND)], ["10.77.0.150"])
        self.assertEqual(len(self.ask(who_has(SECOND), ping(SECOND))), 2)
        self.assertEqual(self.read(server=SECOND)[0], self.BOOT)

    def test_proxy(self):
        self.network.fault("proxy-dhcp")
        address, boot = self.offers(*PXE)
        self.assertNotIn("boot-file-name", options(address))
        self.assertEqual((address[BOOTP].yiaddr, boot[BOOTP].yiaddr), (FIRST, "0.0.0.0"))
        self.assertEqual((boot[IP].src, options(boot)["server_id"]), ("10.77.0.4", "10.77.0.4"))
        said = options(boot)
        self.assertEqual((said["vendor_class_id"], said["vendor_specific"]), (b"PXEClient", b"\6\1\10\xff"))
        self.assertEqual((boot[BOOTP].siaddr, boot[BOOTP].file.rstrip(b"\0")), (SERVER, b"boot.efi"))
        self.assertEqual(len(self.offers()), 1, "not for who does not boot")
        asked = dhcp("request", PXE, ciaddr=FIRST, source=FIRST)
        asked = via("10.77.0.4", UDP(sport=68, dport=4011) / asked[BOOTP])
        answer, = self.ask(asked)
        self.assertEqual((answer[UDP].sport, answer[UDP].dport, answer[IP].dst), (4011, 68, FIRST))
        self.assertEqual(BOOTP(bytes(answer[UDP].payload)).file.rstrip(b"\0"), b"boot.efi")

    def test_short_lease(self):
        self.network.fault("short-lease=20")
        said = options(self.offers()[0])
        self.assertEqual((said["lease_time"], said["renewal_time"], said["rebinding_time"]), (20, 10, 17))


class Files(NetworkTest):
    def test_boot_files(self):
        for fault, content in (("bootfile-missing", 1), ("bootfile-arm64", pe(machine=0xAA64)),
                               ("bootfile-text", wire_net.NO_PROGRAM), ("bootfile-empty", b""),
                               ("bootfile-cut", self.BOOT[:1500]), ("bootfile-signed", pe(2000)),
                               ("healthy", self.BOOT)):
            with self.subTest(fault):
                self.network.fault(fault)
                self.assertEqual(self.read()[0], content)

    def test_blocked(self):
        self.network.fault("tftp-blocked")
        asked = via(SERVER, UDP(sport=4000, dport=69) / Raw(b"\0\1boot.efi\0octet\0"))
        self.assertEqual(self.ask(asked), [])
        self.assertEqual(self.network.seen("tftp-unanswered"), 1)
        self.network.fault("tftp-refused")
        answer, = self.ask(asked)
        self.assertEqual((answer[IP].src, answer[ICMP].type, answer[ICMP].code), (SERVER, 3, 3))
        self.network.fault("tftp-denied")
        self.assertEqual(self.read()[0], 2)

    def test_stall(self):
        self.network.fault("tftp-stall=2")
        with self.assertRaises(TimeoutError):
            self.station.socket.settimeout(2.5)  # whoever is slow sees less, and never more
            self.read()
        self.assertEqual(self.network.seen("tftp-done"), 0)

    def test_loss(self):
        """Each lost packet comes again, for who answers nothing and for who asks."""
        for window in ("1", "4"):
            self.network.fault("tftp-loss=2")
            content, _, numbers = self.read(extra=[("blksize", "500"), ("windowsize", window)])
            self.assertEqual(content, self.BOOT)
            self.assertEqual(self.network.seen("tftp-block-lost"), 3)

    def test_plain(self):
        self.network.fault("tftp-plain")
        self.assertEqual(self.read(extra=[("blksize", "1468"), ("tsize", "0")]), (self.BOOT, {}, [1, 2, 3, 4, 5, 6]))

    def test_names(self):
        asked = via(SERVER, UDP(sport=4001, dport=53) / DNS(id=77, rd=1, qd=DNSQR(qname=wire_ipv4.BOOT_HOST)))
        self.network.fault("boot-name")
        self.assertEqual(options(self.offers(*HTTP)[0])["boot-file-name"], b"http://boot.badnet.example/boot.efi")
        answer, = self.ask(asked)
        self.assertEqual((answer[DNS].id, answer[DNS].an.rdata, answer[DNS].ancount), (77, SERVER, 1))
        for name, kind, code in (("boot.badnet.example", "AAAA", 0), ("other.example", "A", 3)):
            answer, = self.ask(via(SERVER, UDP(sport=4001, dport=53) / DNS(qd=DNSQR(qname=name, qtype=kind))))
            self.assertEqual((answer[DNS].rcode, answer[DNS].ancount), (code, 0))
        self.network.fault("no-dns")
        self.assertEqual(options(self.offers(*HTTP)[0])["boot-file-name"], b"http://boot.badnet.example/boot.efi")
        self.assertEqual(self.ask(asked), [])


if __name__ == "__main__":
    unittest.main()
