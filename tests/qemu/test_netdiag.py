"""test_netdiag - netdiag.efi end to end: OVMF, the built image, QEMU's NIC models, and a peer on the wire."""

import os
import re
import threading
import time
import unittest

from harness import (ABORTED, BUILD, DENIED, EVERY, INVALID, LEASE, NO_MEDIA, NOT_FOUND, PAIR, SUCCESS, TIMEOUT, QemuTest, nics,
                     qemulib, split)
import wirepeer

RCTL, RCTL_EN = 0x100, 2
PING = "netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -c 3 -i 50"


class EveryModel(QemuTest):
    """All four models in one machine, so that each boot tests several NICs side by side as well."""

    def list_and_ping(self, machine):
        results = self.boot(["netdiag list"] + [f"{PING} -n {i}" for i in range(4)] + ["netdiag list"],
                            [(model, None) for model in EVERY], machine=machine)
        for listing in (results[0], results[-1]):
            self.assert_status(listing, SUCCESS)
            rows = re.split(r"(?m)^(?=eth)", listing.text)[1:]
            self.assertEqual(len(rows), 4, listing)
            for index, model in enumerate(EVERY):
                for part in (f"eth{index} ", nics.TABLE[model].pci_id, nics.TABLE[model].part, qemulib.mac(index),
                             "1000 Mb/s full\n", "128 KiB 32-bit mem"):
                    self.assertIn(part, rows[index])
                self.assertRegex(rows[index], r"driver -\n$", "nobody holds it")
        for result in results[1:5]:
            self.assert_ping(result, 3)

    def test_list_and_ping_q35(self):
        self.list_and_ping("q35")

    def test_list_and_ping_pc(self):
        self.list_and_ping("pc")

    def test_info(self):
        results = self.boot([f"netdiag info --registers --nvm -n {i}" for i in range(4)],
                            [(model, None) for model in EVERY])
        for index, (model, result) in enumerate(zip(EVERY, results)):
            self.assert_status(result, SUCCESS)
            self.assertIn(nics.TABLE[model].part, result.text)
            self.assertIn(f"52:54:00:12:34:{0x56 + index:02x}", result.text)
            self.assertIn("checksum 0xbaba: good", result.text)
            self.assertRegex(result.text, r"PHY +id 0141:0c[0-9a-f]{2}, link up")
            # The first three NVM words are the address, low byte first.
            self.assertIn(f"00: 5452 1200 {0x56 + index:02x}34", result.text)
            self.assertRegex(result.text, r"00008 STATUS +[0-9a-f]{8}")
            self.assertNotIn(" SWSM ", result.text, "reading it takes a semaphore")


class OtherCompiler(QemuTest):
    def images(self):
        return {name: os.path.join(BUILD, "clang", name) for name in ("netdiag.efi", "e1000.efi")}

    def test_clang_images_run(self):
        results = self.boot([PING, "load e1000.efi", "drvdiag -e", "netdiag list"], [("e1000e", None)])
        self.assert_ping(results[0], 3)
        self.assertIn("Success", results[2].text)
        self.assertIn("Intel 8254x/82574L Gigabit Ethernet", results[3].text)


class Wire(QemuTest):
    """Raw frames against the peer, checked byte by byte at both ends and by a dissector in between."""

    def frames_of_every_length(self, model):
        peer = self.peer()
        capture = os.path.join(self.folder, "wire.pcap")
        results = self.boot(["netdiag frames -c 1455 -s 60-1514"], [(model, peer.netdev())],
                            extra=["-object", f"filter-dump,id=dump,netdev=n0,file={capture},maxlen=2000"])
        self.assertIn("frames: 1455 sent, 1455 echoed, 0 lost, 0 duplicated, 0 reordered, 0 damaged", results[0].text)
        self.assert_status(results[0], SUCCESS)
        self.check_capture(capture)

    def check_capture(self, capture):
        from scapy.all import Ether, rdpcap
        requests, replies = [], []
        for packet in rdpcap(capture):
            self.assertEqual(packet[Ether].type, 0x88B5)
            raw = bytes(packet)
            kind, _, sequence, intact = wirepeer.parse_test_frame(raw)
            self.assertTrue(intact, f"sequence {sequence}")
            self.assertEqual(len(raw), 59 + sequence)
            (requests if kind == wirepeer.REQUEST else replies).append(sequence)
            self.assertEqual(packet[Ether].src == qemulib.MAC, kind == wirepeer.REQUEST)
        self.assertEqual(requests, list(range(1, 1456)))
        self.assertEqual(replies, list(range(1, 1456)))

    def test_every_length_e1000(self):
        self.frames_of_every_length("e1000")

    def test_every_length_e1000e(self):
        self.frames_of_every_length("e1000e")

    def test_every_length_82544(self):
        self.frames_of_every_length("e1000-82544gc")

    def test_every_length_82545(self):
        self.frames_of_every_length("e1000-82545em")

    def test_small_rings_wrap(self):
        peer = self.peer()
        results = self.boot(["netdiag frames -c 2000 -s 60-80 --ring 128", "netdiag frames -c 10 --ring 100"],
                            [("e1000e", peer.netdev())])
        self.assertIn("2000 sent, 2000 echoed, 0 lost, 0 duplicated, 0 reordered, 0 damaged", results[0].text)
        self.assertIn("not a power of two", results[1].text)
        self.assert_status(results[1], INVALID)

    def test_nobody_echoes(self):
        peer = self.peer(answer=False)
        results = self.boot(["netdiag frames -c 5", "netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -W 200"],
                            [("e1000e", peer.netdev())])
        self.assertIn("5 sent, 0 echoed, 5 lost", results[0].text)
        self.assertIn("nobody echoes", results[0].text)
        self.assertIn("10.9.9.1 does not answer ARP", results[1].text)
        for result in results:
            self.assert_status(result, TIMEOUT)

    def test_damaged_echo_is_noticed(self):
        peer = self.peer()
        genuine = peer.reply_to
        peer.reply_to = lambda frame: genuine(frame)[:-1] + b"\x5a" if genuine(frame) else None
        result = self.boot(["netdiag frames -c 3 -s 200"], [("e1000e", peer.netdev())])[0]
        self.assertIn("3 sent, 0 echoed, 3 lost, 0 duplicated, 0 reordered, 3 damaged", result.text)
        self.assert_status(result, TIMEOUT)

    def test_echo_answers_peer(self):
        """The host sends; netdiag echo answers ARP, pings and test frames, of all lengths, intact."""
        from scapy.all import ARP, ICMP, IP, Ether, Raw

        def answers(frames):
            """Without the ARP requests by which netdiag asks for, and announces, its own address."""
            return [frame for frame in frames if frame[12:14] != b"\x08\x06" or frame[20:22] == b"\0\2"]

        for model in PAIR:
            with self.subTest(model):
                peer = self.peer(answer=False)
                machine = self.machine(["netdiag echo --addr 10.9.9.2/24"], [(model, peer.netdev())])
                self.assertTrue(machine.wait_for("ECHO on"), machine.output[-500:])
                mac = bytes.fromhex(qemulib.MAC.replace(":", ""))
                ask = Ether(src=peer.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=peer.mac, psrc="10.9.9.1", pdst="10.9.9.2")
                ping = Ether(src=peer.mac, dst=mac) / IP(src="10.9.9.1", dst="10.9.9.2") / ICMP(id=7, seq=9) / Raw(b"x" * 1000)
                peer.send(bytes(ask).ljust(60, b"\0"))
                peer.send(bytes(ping))
                sizes = list(range(60, 1515, 7))
                for sequence, size in enumerate(sizes, 1):
                    peer.send(wirepeer.test_frame(mac, peer.mac, 1234, sequence, size))
                self.assertTrue(peer.wait(lambda frames, wanted=len(sizes) + 2: len(answers(frames)) >= wanted), len(peer.frames))
                replies = answers(peer.frames)
                machine.type("\x1b")
                self.assertTrue(machine.wait_for(None))
                self.assertIn(f"echo: {len(sizes)} frames, 1 pings, 1 ARP requests answered", machine.output)
                arp = Ether(replies[0])[ARP]
                self.assertEqual((arp.op, arp.hwsrc, arp.psrc, arp.pdst), (2, qemulib.MAC, "10.9.9.2", "10.9.9.1"))
                reply = Ether(replies[1])
                self.assertEqual((reply[ICMP].type, reply[ICMP].id, reply[ICMP].seq, reply[Raw].load), (0, 7, 9, b"x" * 1000))
                rebuilt = Ether(bytes(reply))
                del rebuilt[IP].chksum, rebuilt[ICMP].chksum
                self.assertEqual(bytes(rebuilt), bytes(reply), "an independent library computes the same checksums")
                for frame, (sequence, size) in zip(replies[2:], enumerate(sizes, 1)):
                    self.assertEqual((wirepeer.REPLY, 1234, sequence, True), wirepeer.parse_test_frame(frame))
                    self.assertEqual((len(frame), frame[:6], frame[6:12]), (size, peer.mac, mac))

    def test_two_machines(self):
        """netdiag on both ends of one wire."""
        left, right = os.path.join(self.folder, "l"), os.path.join(self.folder, "r")
        wire = "dgram,id={{id}},local.type=unix,local.path={},remote.type=unix,remote.path={}"
        echo = self.machine(["netdiag echo --addr 10.9.9.2/24"], [("e1000", wire.format(left, right))])
        self.assertTrue(echo.wait_for("ECHO on"), echo.output[-500:])
        nic = qemulib.nic_arguments("e1000e", wire.format(right, left), mac="52:54:00:12:34:99")
        results = self.boot(["netdiag frames -c 500", "netdiag ping 10.9.9.2 --addr 10.9.9.1/24 -s 1472 -c 3 -i 50"], [nic])
        self.assertIn("500 sent, 500 echoed, 0 lost, 0 duplicated, 0 reordered, 0 damaged", results[0].text)
        self.assert_ping(results[1], 3)


class StrangeHosts(QemuTest):
    """Hosts that answer, and not as they should; all of them on one wire, and in one boot."""

    # The fault, received of 2, and what is said about it.
    FAULTS = (
        ("late", 2, ["icmp_seq=1 ", "0% packet loss"]),
        ("priority", 2, ["0% packet loss", "2 answers carried a priority tag (VLAN 0)"]),
        ("vlan", 0, ["icmp_seq=1 tagged with VLAN 7", "not counted: 2 tagged with another VLAN"]),
        ("fragments", 0, ["icmp_seq=2 fragment at byte 0", "fragment at byte 32", "not counted: 4 in fragments"]),
        ("source", 0, ["From 10.9.9.254 icmp_seq=1 not the target's address", "not counted: 2 from another address"]),
        ("destination", 0, ["icmp_seq=1 to 10.9.9.254, not to us", "not counted: 2 to another address"]),
        ("cut", 0, ["48 bytes from", "(cut from 64)", "not counted: 2 cut short by the answering host"]),
        ("ttl", 0, ["From 10.9.9.254 icmp_seq=1 time exceeded on the way (code 0)", "not counted: 2 time exceeded"]),
        ("mtu", 0, ["icmp_seq=2 unreachable: too big (code 4), MTU 1400", "not counted: 2 destination unreachable"]),
        ("checksum", 0, ["icmp_seq=1 bad checksum", "not counted: 2 with a bad checksum"]),
        ("liar", None, ["answers ARP from a MAC address that no station can have"]),
        ("claim", 2, ["52:54:00:00:00:66 claims our address 10.9.9.2 as well", "others claimed 10.9.9.2 2 times"]),
        ("move", 2, ["is now at 52:54:00:00:00:77", "0% packet loss"]),
    )

    def strange_hosts(self, model, before):
        """With its own rings, or beside the firmware's stack when `before` loads e1000.efi."""
        address = "10.9.9.{}".format
        peer = self.peer("10.9.9.1", faults=[(fault, address(10 + i)) for i, (fault, _, _) in enumerate(self.FAULTS)])
        pings = [f"netdiag ping {address(10 + i)} --addr 10.9.9.2/24 -c 2 -i 100 -W {8000 if received else 500}"
                 for i, (_, received, _) in enumerate(self.FAULTS)]
        results = self.boot(before + pings + ["netdiag ping 10.9.9.10 --addr 10.9.9.1/24", "netdiag echo --addr 10.9.9.1/24"],
                            [(model, peer.netdev())])[len(before):]
        for (fault, received, lines), result in zip(self.FAULTS, results):
            with self.subTest(fault):
                wanted = list(lines)
                if fault == "priority" and before:
                    wanted.pop()  # e1000.efi takes the tag off for the stack
                if received is not None:
                    wanted.append(f"2 packets transmitted, {received} received, ")
                for line in wanted:
                    self.assertIn(line, result.text)
                self.assertNotIn("DAMAGED", result.text)
                self.assert_status(result, SUCCESS if received else TIMEOUT)
        for result in results[-2:]:
            self.assertIn("10.9.9.1 is taken: 52:54:00:00:00:fe has it; give another --addr", result.text)
            self.assert_status(result, DENIED)

    def test_strange_hosts(self):
        self.strange_hosts("e1000e", [])

    def test_strange_hosts_beside_the_stack(self):
        self.strange_hosts("e1000", ["load e1000.efi"])


class Circumstances(QemuTest):
    """Links that are down, NICs that are not there or not ours, people who change their minds."""

    def test_no_nic(self):
        results = self.boot(["netdiag list", PING, "netdiag info"], [])
        self.assertIn("no network controller on the PCI bus", results[0].text)
        self.assertIn("no NIC that this driver knows", results[1].text)
        for result in results:
            self.assert_status(result, NOT_FOUND)

    def test_foreign_nic(self):
        results = self.boot(["netdiag list", "netdiag info -n 0"],
                            [["-netdev", "user,id=n0", "-device", "pcnet,netdev=n0,romfile="]])
        self.assertIn("not supported", results[0].text)
        self.assert_status(results[0], SUCCESS)
        self.assertNotEqual(results[1].status, SUCCESS)

    def test_link_down(self):
        for model in PAIR:
            with self.subTest(model):
                machine = self.machine([PING, "netdiag list"], [(model, None)], paused=True)
                machine.set_link(False)
                machine.go()
                self.assertTrue(machine.wait_for(None))
                self.assertIn("no link on 0000:00", machine.output)
                self.assertIn(f"=== status {NO_MEDIA}", machine.output)
                self.assertRegex(machine.output, r"52:54:00:12:34:56  down")

    def test_link_comes_back(self):
        """It comes when netdiag has the NIC open, and so waits for it."""
        machine = self.machine([PING], [("e1000e", None)], paused=True)
        machine.set_link(False)
        machine.go()
        self.wait_until(machine, lambda: (machine.read_register(RCTL) or 0) & RCTL_EN, "the receiver is on")
        self.assertNotIn("received", machine.output)
        machine.set_link(True)
        self.assertTrue(machine.wait_for(None))
        self.assertIn("3 packets transmitted, 3 received", machine.output)

    def test_take_from_ipxe(self):
        """QEMU's own option ROM holds the NIC first; it is named, asked to leave, and has the NIC back afterwards."""
        # What iPXE's drivers call themselves in ComponentName2.
        for model, holder in zip(PAIR, ("82540em.efidrv", "808610d3.efidrv")):
            with self.subTest(model):
                nic = qemulib.nic_arguments(model, "user,id={id}", rom=qemulib.ipxe_rom(model))
                results = self.boot(["connect -r", "netdiag list", PING, PING + " --take", "netdiag list"], [nic])
                self.assertRegex(results[1].text, holder)
                self.assertRegex(results[2].text, rf"is held by 'iPXE \({holder}\)'")
                self.assertIn("--take", results[2].text)
                self.assert_status(results[2], DENIED)
                self.assert_ping(results[3], 3)
                self.assertRegex(results[4].text, holder)

    def test_escape_and_control_c(self):
        for key in ("\x1b", "\x03"):
            with self.subTest(repr(key)):
                machine = self.machine([PING + " -c 1000 -i 1000", "netdiag version"], [("e1000e", None)])
                self.assertTrue(machine.wait_for("icmp_seq=2"))
                machine.type(key)
                self.assertTrue(machine.wait_for("ping statistics"), machine.output[-500:])
                self.assertTrue(machine.wait_for(r"=== end|^FS\d:\\> "))
                self.assertRegex(machine.output, r"\d+ packets transmitted, \d+ received, 0% packet loss")
                if key == "\x1b":  # the Shell itself ends the script at Ctrl-C
                    self.assertIn(f"=== status {ABORTED}", machine.output)

    def test_bad_arguments(self):
        wrong = {
            "netdiag nonsense": "no command 'nonsense'",
            "netdiag ping": "TARGET is missing",
            "netdiag ping host --addr 10.0.2.15/24": "'host' is not an IPv4 address",
            "netdiag ping 10.0.2.2 --addr 10.0.2.15": "not ADDRESS/LENGTH",
            "netdiag ping 8.8.8.8 --addr 10.0.2.15/24": "add --gw",
            "netdiag ping 10.9.9.1 --addr 10.9.9.255/24": "the network's broadcast address",
            "netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -s 1473": "not from 1 to 1472",
            "netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -c": "needs a value",
            "netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -c many": "not a number",
            "netdiag frames -s 59": "not from 60 to 1514",
            "netdiag frames -s 100-60": "neither N nor FIRST-LAST",
            "netdiag frames --peer 52:54": "not a MAC address",
            "netdiag list surplus": "too many words",
            "netdiag info --frob": "unknown option '--frob'",
            "netdiag help nonsense": "no command 'nonsense'",
        }
        results = self.boot(list(wrong), [("e1000e", None)])
        for result, text in zip(results, wrong.values()):
            self.assertIn(text, result.text)
            self.assert_status(result, INVALID)

    def test_choosing_a_nic(self):
        results = self.boot(["netdiag info -n 1", "netdiag info -n 00:02.0", "netdiag info -n 52:54:00:12:34:57",
                             "netdiag info -n 7", "netdiag info -n nonsense"], [("e1000", None), ("e1000e", None)])
        self.assertIn("82574L", results[0].text)
        self.assertIn("82540EM", results[1].text)
        self.assertIn("82574L", results[2].text)
        for result in results[3:]:
            self.assertIn("give a name (eth0), an index, a PCI location (00:04.0) or a MAC address", result.text)
            self.assert_status(result, NOT_FOUND)

    def test_help(self):
        names = ["list", "info", "stats", "ping", "frames", "echo"]
        results = self.boot(["netdiag", "netdiag help", "netdiag version"] + [f"netdiag help {name}" for name in names] +
                            ["netdiag ping --help"], [])
        for result in results:
            self.assert_status(result, SUCCESS)
        for name, result in zip(names, results[3:]):
            self.assertRegex(results[0].text, rf"(?m)^  {name} ")
            self.assertIn(f"Usage: netdiag {name}", result.text)
        self.assertEqual(results[0].text, results[1].text)
        self.assertEqual(results[6].text, results[-1].text)
        self.assertRegex(results[2].text, r"^netdiag \d+\.\d+")

    def test_stats(self):
        peer = self.peer()
        results = self.boot(["netdiag frames -c 10 -s 100", "netdiag stats -t 1 --all"], [("e1000", peer.netdev())])
        self.assert_status(results[1], SUCCESS)
        for name in ("rx_frames", "tx_frames", "CRCERRS", "GPRC", "TOTL"):
            self.assertRegex(results[1].text, rf"(?m)^  {name} +\d+")


class WithTheFirmware(QemuTest):
    """netdiag beside the firmware's own network stack."""

    DHCP_PING = "netdiag ping 10.0.2.2 -c 3 -i 50"
    LEASED = "Address 10.0.2.15, gateway 10.0.2.2"

    def test_address_by_dhcp(self):
        """A free NIC: our driver is bound for the DHCP and gone afterwards; the ping runs on the raw rings."""
        for model in PAIR:
            with self.subTest(model):
                results = self.boot([self.DHCP_PING, "netdiag list", "drivers"], [(model, None)])
                self.assertIn(self.LEASED, results[0].text)
                self.assert_ping(results[0], 3)
                self.assertNotIn("Sharing", results[0].text)
                self.assertRegex(results[1].text, r" -\n$")
                self.assertNotIn("Gigabit Ethernet", results[2].text)

    def test_sharing(self):
        """With e1000.efi resident the NIC is shared, and the stack works on during and after it."""
        for model in PAIR:
            with self.subTest(model):
                results = self.boot(["load e1000.efi", *LEASE, self.DHCP_PING, "netdiag info", "netdiag stats -t 1",
                                     "ping -n 2 10.0.2.2", "netdiag list"], [(model, None)])
                self.assertIn(self.LEASED, results[3].text)
                self.assertIn("Sharing the NIC", results[3].text)
                self.assertNotIn("Asking", results[3].text, "the stack has an address already")
                self.assert_ping(results[3], 3)
                self.assertIn("checksum 0xbaba: good", results[4].text)
                self.assertRegex(results[5].text, r"rx_frames +[1-9]")
                self.assertIn("2 packets transmitted, 2 received", results[6].text)
                self.assertIn("Intel 8254x/82574L Gigabit Ethernet", results[7].text)

    def test_shared_frames(self):
        peer = self.peer("10.9.9.1")
        results = self.boot(["load e1000.efi", "netdiag frames -c 300", "netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -c 3 -i 50",
                             "netdiag frames -c 50 --take", "netdiag frames -c 50"], [("e1000e", peer.netdev())])
        self.assertIn("300 sent, 300 echoed, 0 lost, 0 duplicated, 0 reordered, 0 damaged", results[1].text)
        self.assert_ping(results[2], 3)
        self.assertIn("Taking 0000:00:02.0 from 'Intel 8254x/82574L Gigabit Ethernet'", results[3].text)
        for result in results[3:]:
            self.assertIn("50 sent, 50 echoed, 0 lost, 0 duplicated, 0 reordered, 0 damaged", result.text)

    def test_frames_before_the_start(self):
        """Frames that wait when netdiag joins the stack are delivered at once: to somebody who is ready for them."""
        peer = self.peer("10.9.9.1")
        stop = threading.Event()

        def ask():
            sequence = 0
            while not stop.is_set():
                sequence += 1
                try:
                    peer.try_send(wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, sequence, 60))
                except OSError:
                    pass  # QEMU is not there yet, or no longer
                time.sleep(0.002)  # some hundred a second, so that the stack's queue is never empty

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            results = self.boot(["load e1000.efi"] + ["netdiag echo -c 5"] * 6 +
                                ["netdiag frames -c 5", "netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -c 3 -i 50"] * 3,
                                [("e1000", peer.netdev())])
        finally:
            stop.set()
            asking.join()
        for result in results[1:7]:
            self.assertRegex(result.text, r"echo: \d+ frames, 0 pings, 0 ARP requests answered, 0 refused")
            self.assert_status(result, SUCCESS)
        for frames, ping in zip(results[7::2], results[8::2]):
            self.assertIn("5 sent, 5 echoed, 0 lost", frames.text)
            self.assert_ping(ping, 3)

    def test_no_dhcp_server(self):
        peer = self.peer()
        result = self.boot([self.DHCP_PING], [("e1000e", peer.netdev())])[0]
        self.assertIn("no DHCP server answered", result.text)
        self.assert_status(result, TIMEOUT)

    def test_address_through_ipxe(self):
        """The lease comes over the driver that holds the NIC, before it is taken."""
        nic = qemulib.nic_arguments("e1000", "user,id={id}", rom=qemulib.ipxe_rom("e1000"))
        result = self.boot(["connect -r", self.DHCP_PING + " --take"], [nic])[1]
        self.assertIn(self.LEASED, result.text)
        self.assert_ping(result, 3)


class Console(QemuTest):
    """What the Shell does with what netdiag prints: redirection, narrow consoles, where it was started from."""

    def test_every_line_fits(self):
        commands = ["netdiag list", "netdiag help", "netdiag help status"]
        commands += [f"netdiag help {name}" for name in ("list", "info", "stats", "ping", "frames", "echo", "handoff")]
        for index in range(len(EVERY)):
            commands += [f"netdiag info --registers --nvm -n eth{index}", f"netdiag stats -t 1 --all -n eth{index}"]
        commands += ["netdiag handoff --all", "netdiag handoff --show", "netdiag handoff kernel.efi"]
        for result in self.boot(commands, [(model, None) for model in EVERY]):
            for line in result.printed.splitlines():
                self.assertLessEqual(len(line), 79, f"{result.line}: {line}")

    def test_redirection(self):
        """A file gets what was asked for; what went wrong is seen, unless it is redirected itself."""
        machine = self.machine(["netdiag info -n 7 > out.txt", "netdiag info -n 7 2> errors.txt", "netdiag list > list.txt",
                                "netdiag version -b"], [("e1000e", None)])
        self.assertTrue(machine.wait_for(None), machine.output[-500:])
        results = split(machine.output)
        self.assertIn("no NIC '7'", results[0].text)
        self.assertNotIn("no NIC", results[1].text)
        self.assertNotIn("LOCATION", results[2].text)
        self.assertRegex(results[3].text, r"^netdiag \d")
        out, errors, listing = (qemulib.read_from_disk(machine.disk, name).decode("utf-16")
                                for name in ("out.txt", "errors.txt", "list.txt"))
        self.assertNotIn("no NIC", out)
        self.assertIn("no NIC '7'", errors)
        self.assertIn("82574L", listing)

    def test_started_from_a_folder(self):
        """e1000.efi is found beside netdiag.efi."""
        files = {f"tools/{name}": os.path.join(BUILD, name) for name in ("netdiag.efi", "e1000.efi")}
        results = self.boot(["rm -q e1000.efi", "tools\\netdiag.efi handoff", "netdiag list", "netdiag ping 10.0.2.2 --take",
                             "netdiag handoff --cancel"], [("e1000", None)], files=files)
        self.assertIn("will be handed over quiet", results[1].text)
        self.assertIn("driver Intel 8254x/82574L Gigabit Ethernet", results[2].text)
        self.assertIn("is armed for a handoff", results[3].text)
        self.assert_status(results[3], DENIED)
        self.assertIn("The driver stays", results[4].text)


class NothingLeftBehind(QemuTest):
    """The Shell's own view of memory and handles before and after."""

    def snapshots(self, model, use, rounds):
        commands = []
        for i in range(rounds):
            commands += [f"memmap > fs0:\\m{i}.txt", f"dh > fs0:\\h{i}.txt"] + use
        machine = self.machine(commands, [(model, None)])
        self.assertTrue(machine.wait_for(None), machine.output[-500:])
        texts = []
        for i in range(rounds):
            memory, handles = (qemulib.read_from_disk(machine.disk, f"{name}{i}.txt").decode("utf-16") for name in "mh")
            # The Shell numbers handles anew, and each redirection makes one.
            texts.append((memory, re.sub(r"(?m)^[0-9A-F]+: ", "", handles)))
        return texts

    def test_memory_and_handles(self):
        use = [PING, "netdiag info", "netdiag list", "netdiag stats -t 1"]
        for model in PAIR:
            with self.subTest(model):
                # The first rounds may grow the Shell's own pools. Later it takes a page every few rounds for what it has
                # run, whatever that is; a page that netdiag kept would show in every round.
                texts = self.snapshots(model, use, 8)[2:]
                pages = [{kind: int(count.replace(",", "")) for kind, count in
                          re.findall(r"(?m)^ +(\w+) *: +([\d,]+) Pages", memory)} for memory, _ in texts]
                data = [kinds.pop("BS_Data") for kinds in pages]
                free = [kinds.pop("Available") for kinds in pages]
                grown = [after - before for before, after in zip(data, data[1:])]
                self.assertLessEqual(sum(grown), 2, grown)
                self.assertLessEqual(set(grown), {0, 1}, grown)
                self.assertEqual(len({used + rest for used, rest in zip(data, free)}), 1, "memmap")
                self.assertEqual(pages, pages[:1] * len(pages), "memmap")
                self.assertGreater(pages[0]["RT_Data"], 0)
                self.assertEqual(len({handles for _, handles in texts}), 1, "dh")
                self.assertRegex(texts[0][1], r"LoadedImage\(\w+")  # each firmware names its own images

    def test_nothing_held(self):
        use = [PING + " -v", "netdiag frames -c 5 -v", "netdiag info -v", "netdiag stats -t 1 -v"]
        for result in self.boot(use, [("e1000e", None)]):
            self.assertIn("nothing held: pool 0, dma 0, pages 0, events 0, protocols 0, attributes 0", result.text)
            self.assertNotIn("leak:", result.text)


if __name__ == "__main__":
    unittest.main()
