"""test_questions - netdiag dhcp, arp and route in tools/badnet's networks: on a NIC of netdiag's own, beside the
firmware's stack on our driver, and over OVMF's own driver."""

import os
import unittest

from harness import Prompt, QemuTest, qemulib
from test_capture import records

FAR = "route 10.78.0.2 --addr 10.77.0.60/24 --gw 10.77.0.1 -W 3000"
STATUS = "echo status %lasterror%"


class Questions(QemuTest):
    def test_questions(self):
        """One machine; what it is connected to changes between two commands."""
        network = self.badnet()
        other = self.badnet()
        machine = self.machine(["connect -r"], [("e1000", network.netdev()), ("virtio-net-pci", other.netdev())],
                               finish="")
        shell = Prompt(self, machine)

        def ask(line, *texts, status=0):
            with self.subTest(line=line):
                said = " ".join(shell("netdiag " + line).split())
                for text in texts:
                    self.assertIn(text, said)
                self.assertIn(f"status 0x{status:X}", shell(STATUS))

        ask("dhcp", "as a PXE client: PXEClient:Arch:00007:UNDI:003000", "OFFER from 10.77.0.2",
            "address 10.77.0.50, mask 255.255.255.0", "gateway 10.77.0.1", "boot file boot.efi", "1 offer")
        ask("dhcp --kind http", "HTTPClient:Arch:00016:UNDI:003000", "boot file http://", "vendor class HTTPClient")
        self.assertEqual((network.seen("dhcp-discover pxe"), network.seen("dhcp-discover http")), (1, 1))
        ask("dhcp --request", "ACK from 10.77.0.2", "10.77.0.50 is given back")
        ask("arp 10.77.0.2", "10.77.0.2 is at 02:", "from 1 station")
        ask("arp --probe 10.77.0.99", "10.77.0.99 is free")
        ask("arp --probe 10.77.0.2", "10.77.0.2 is taken", status=15)
        ask(FAR, "next hop 10.77.0.1 at 02:", "1 10.77.0.1", "2 10.78.0.2", "path MTU 1500 bytes")

        for fault, line, text, status in (
                ("two-servers", "dhcp --all -t 8", "OFFER from 10.77.0.3", 0),
                ("proxy-dhcp", "dhcp --all -t 8", "proxyDHCP OFFER from 10.77.0.4", 0),
                ("dhcp-overload", "dhcp -v", "boot file boot.efi", 0),
                ("dhcp-no-bootfile", "dhcp", "boot file none", 0),
                ("dhcp-no-server-id", "dhcp", "no server identifier", 0),
                ("dhcp-nak", "dhcp --request", "refuses the REQUEST", 15),
                ("no-dhcp", "dhcp -t 2", "no DHCP server answered in 2 s", 18),
                ("arp-liar", "arp 10.77.0.2", "2 stations have 10.77.0.2", 15),
                ("gateway-down", FAR, "the gateway 10.77.0.1 does not answer ARP", 18),
                ("icmp-mtu", FAR, "path MTU 1000 bytes, as 10.77.0.1 says", 0),
                ("mtu-hole", FAR.replace("3000", "1000"), "bytes vanish without a word: a hop on the way", 0),
                ("hostile", "dhcp --all -t 8", "OFFER from 10.77.0.2", 0)):
            network.fault(fault)
            ask(line, text, status=status)
        network.fault()

        shell("load e1000.efi")
        ask("dhcp", "Sharing the NIC", "OFFER from 10.77.0.2")
        ask("arp 10.77.0.2", "Sharing the NIC", "1 station")
        shell("unload -n e1000.efi")

        ask("dhcp -n eth1 --request", "over 'Virtio", "OFFER from 10.77.0.2", "ACK from 10.77.0.2")
        ask("arp -n eth1 10.77.0.2", "over 'Virtio", "1 station")
        ask(FAR + " -n eth1", "over 'Virtio", "path MTU 1500 bytes")
        # What goes by on a NIC that is somebody else's: the multicast of switches too, and what netdiag asks itself.
        other.fault("lldp=1", "cdp=1", "stp=1")
        ask("capture heard.pcapng -n eth1 -c 12 -t 600", "over 'Virtio", "capture: 12 frames in 'heard.pcapng'")
        other.fault()
        ask("arp -n eth1 10.77.0.2 -c 1 --capture asked.pcapng", "1 station", "capture: 2 frames in 'asked.pcapng'")
        ask("monitor -n eth1 -t 1", "netdiag monitor eth1 virtio-net", "beside another driver")
        ask("info -n eth1", "Held by Virtio")  # it is still his
        machine.type("reset -s\r")
        self.assertTrue(machine.wait_for(None))
        for name, speakers in (("heard.pcapng", {"0180c200000e", "01000ccccccc", "0180c2000000"}),
                               ("asked.pcapng", {"ffffffffffff", qemulib.mac(1).replace(":", "")})):
            path = os.path.join(self.folder, name)
            with open(path, "wb") as file:
                file.write(qemulib.read_from_disk(machine.disk, name))
            self.assertLessEqual(speakers, {frame[:12] for frame in records(path)}, name)


if __name__ == "__main__":
    unittest.main()
