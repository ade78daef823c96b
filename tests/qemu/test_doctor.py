"""netdiag doctor on networks with faults: each one's true cause in the last sentence, and none on a sound network."""

import os
import re
import unittest

import qemulib
from harness import DEVICE_ERROR, NO_MEDIA, NOT_FOUND, ROOT, SUCCESS, TIMEOUT, Prompt, QemuTest

LOAD_ERROR, PROTOCOL_ERROR = "0x1", "0x18"

# The faults, the exit status, and what the diagnosis says. Networks where nothing comes at all, or no answer, are
# tests/unit/test_cmd_doctor.c's: patience costs a machine time. A frame of one network may wait in QEMU for the next
# one's NIC: behind the one with tags comes one in which stations without tags answer, and which README does not show.
BROKEN = [
    ([], SUCCESS, "^Nothing is in the way of a network boot: tftp://10.77.0.2/boot.efi came whole and can be started"),
    (["no-dhcp"], SUCCESS, r"^Nothing .* tftp://\[fd77::2\]/boot.efi came whole .* look at 'DHCP': no IPv4 server"),
    (["dhcp-nak"], PROTOCOL_ERROR, "breaks at 'DHCP': .* refuses it"),
    (["dhcp-no-server-id"], PROTOCOL_ERROR, "breaks at 'DHCP': .*option 54"),
    (["dhcp-no-bootfile"], SUCCESS, r"^Nothing .* tftp://\[fd77::2\]/boot.efi came whole .* none over IPv4; over IPv6"),
    (["dhcp-no-bootfile", "dhcpv6-no-url"], NOT_FOUND, "breaks at 'boot file': .* names no boot file"),
    (["two-servers"], PROTOCOL_ERROR, "breaks at 'one answer': .*10.77.0.2 and 10.77.0.3"),
    (["duplicate-address"], PROTOCOL_ERROR, "breaks at 'address': 10.77.0.50 is taken: 52:54:00:00:00:66"),
    (["wrong-subnet"], PROTOCOL_ERROR, "breaks at 'gateway': .* is not on the network"),
    (["gateway-down", "far-server"], TIMEOUT, "breaks at 'gateway': 10.77.0.1 does not answer ARP"),
    (["mtu-hole=1000"], PROTOCOL_ERROR, "breaks at 'path': .*MTU hole"),
    (["tftp-blocked", "pxe-only"], TIMEOUT, "breaks at 'fetch': .*TFTP does not answer"),
    (["tftp-refused", "pxe-only"], TIMEOUT, "breaks at 'fetch': .*no TFTP server"),
    (["tftp-denied", "pxe-only"], PROTOCOL_ERROR, "breaks at 'fetch': the server refuses"),
    (["bootfile-missing"], NOT_FOUND, "breaks at 'fetch': the server has no such file"),
    (["http-404", "http-only"], NOT_FOUND, "breaks at 'fetch': the server has no such file: http://10.77.0.2"),
    (["http-refused", "http-only"], TIMEOUT, "breaks at 'fetch': .*no HTTP server"),
    (["bootfile-arm64"], LOAD_ERROR, "breaks at 'image': the boot file is for AArch64, and this machine is x86-64"),
    (["vlan-needed=100", "vlan-traffic"], PROTOCOL_ERROR, "breaks at 'VLAN tags': .*VLAN (10 and 20|20 and 10),"),
    (["bootfile-text"], LOAD_ERROR, "breaks at 'image': the boot file is no EFI image"),
    (["bootfile-empty"], LOAD_ERROR, "breaks at 'image': the boot file is empty"),
    (["slow-port=3600"], TIMEOUT, "breaks at 'switch': .*spanning tree"),
    (["same-mac"], PROTOCOL_ERROR, "breaks at 'MAC': another station"),
]
SOUND = [[], ["priority-tags"], ["proxy-dhcp"], ["http-only"], ["boot-name", "http-only"], ["far-server"],
         ["vlan-traffic"], ["tftp-plain"], ["dhcp-overload"], ["lldp=1", "cdp=1", "stp=1"], ["tftp-loss=5"],
         ["reorder=20"]]


RUN = re.compile(r"<!-- tools/doctor-demo((?: [^ >]+)*) -->\n\n```\n> netdiag doctor\n(.*?)Diagnosis:", re.S)


def without_numbers(text):
    """What stays when the clock, the memory, the QEMU and the firmware are others: newer e1000e has partner abilities,
    and newer firmware makes random numbers with the processor's instruction."""
    text = re.sub(r"; the partner offers( \d+(FD)?)+", "", " ".join(text.split()))
    text = re.sub(r"random numbers: (yes|no)\b", "random numbers: yes or no", text)
    return re.sub(r"\d+", "N", text)


def readme_runs():
    """What README shows of runs, by their faults."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        return {words.strip(): without_numbers(shown) + " " for words, shown in RUN.findall(readme.read())}


class Networks(QemuTest):
    def doctor(self, shell, words=""):
        """The whole text in one line, the diagnosis, and the exit status."""
        text = " ".join(shell(f"netdiag doctor {words}").split())
        status = shell("echo %lasterror%").split()[-1]
        match = re.search(r"Diagnosis: (.*)", text)
        self.assertTrue(match, text)
        return text, match.group(1), status

    def machine_on(self, network, model):
        return Prompt(self, self.machine([], [(model, network.netdev())], finish=""))

    def test_broken(self):
        network = self.badnet()
        shell = self.machine_on(network, "e1000e")
        shown = readme_runs()
        self.assertEqual(len(shown), 2)
        for faults, status, cause in BROKEN:
            with self.subTest(" ".join(faults) or "healthy"):
                network.fault(*faults)
                text, diagnosis, exit_status = self.doctor(shell)
                self.assertRegex(diagnosis, cause, text)
                self.assertEqual(exit_status, status, text)
                if " ".join(faults) in shown:
                    said = without_numbers(text[text.index("ok NIC"):])
                    self.assertEqual(said[:said.index("Diagnosis:")], shown[" ".join(faults)])

    def test_sound(self):
        """Sound networks, and then what the machine itself does: cable, another vendor's driver, our resident one. One
        boot for all."""
        network = self.badnet()
        rom = qemulib.ipxe_rom("e1000")
        nics = [("virtio-net-pci", network.netdev()),
                qemulib.nic_arguments("e1000", "user,id={id}", index=1, mac=qemulib.mac(1), rom=rom),
                qemulib.nic_arguments("e1000e", "user,id={id}", index=2, mac=qemulib.mac(2)),
                qemulib.nic_arguments("e1000e", "user,id={id}", index=3, mac=qemulib.mac(2))]
        machine = self.machine([], nics, finish="")
        shell = Prompt(self, machine)
        for faults in SOUND:
            with self.subTest(" ".join(faults) or "healthy"):
                network.fault(*faults)
                text, diagnosis, exit_status = self.doctor(shell)
                self.assertRegex(diagnosis, "^Nothing is in the way of a network boot: .* came whole and can be",
                                 text)
                self.assertNotIn("FAIL", text)
                self.assertEqual(exit_status, SUCCESS, text)
        network.fault()

        text, diagnosis, status = self.doctor(shell, "-n eth2")
        self.assertRegex(diagnosis, "breaks at 'MAC': 52:54:00:12:34:58 is also the address of eth3", text)
        self.assertEqual(status, DEVICE_ERROR)

        machine.set_link(False, 1)
        text, diagnosis, status = self.doctor(shell, "-n eth1")
        self.assertRegex(diagnosis, "breaks at 'link': no link in 5 s")
        self.assertRegex(text, "skipped DHCP needs 'frames out'")
        self.assertEqual(status, NO_MEDIA)
        machine.set_link(True, 1)

        # The resident driver, whose stack is shared; the firmware's settings are as they were.
        shell("load virtio-net.efi")
        before = shell("ifconfig -l eth0")
        text, diagnosis, status = self.doctor(shell)
        self.assertRegex(text, "ok driver '[^']*irtio[^']*' holds it")
        self.assertRegex(text, "ok fetch [0-9]+ bytes in .* ok start the firmware would start it")
        self.assertEqual(shell("ifconfig -l eth0"), before)

        # iPXE from a ROM: beside the stack on it, and without it.
        shell("connect -r")
        text, diagnosis, status = self.doctor(shell, "-n eth1")
        self.assertRegex(text, r"warn driver 'iPXE \(.*\)' holds it, from an option ROM: it opens the NIC exclusively")
        self.assertRegex(text, "not seen NVM .* ok DHCP 10.0.2.2 offers .* ok gateway 10.0.2.2 answers ARP")
        self.assertRegex(diagnosis, "breaks at 'boot file'")
        text, diagnosis, status = self.doctor(shell, "-n eth1 --take")
        self.assertRegex(text, "Taking .* from 'iPXE.* ok NVM its checksum is right .* ok gateway 10.0.2.2 answers ARP")
        self.assertRegex(shell("netdiag list"), r"eth1 (.*\n)+?.*driver iPXE")


if __name__ == "__main__":
    unittest.main()
