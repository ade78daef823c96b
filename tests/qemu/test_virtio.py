"""test_virtio - virtio-net in the UEFI home: netdiag, the driver under the firmware's stack, network boot, and whoever
else holds such a NIC. Several NICs or scenarios share a boot wherever that leaves them independent."""

import os
import re
import unittest

from harness import BINDING, BUILD, DENIED, LEASE, SUCCESS, Prompt, QemuTest, nics, qemulib, split
from nics import VIRTIO, VIRTIO_PAIR
import wirepeer

TITLE = "virtio-net Ethernet (VIRTIO 1.2)"
PING = "netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -c 3 -i 50"
# What holds a NIC for OVMF's VirtioNetDxe: the transport below it, one for each device ID.
TRANSPORTS = {"virtio-net-pci": "Virtio 1.0 PCI Driver", "virtio-net-transitional": "Virtio PCI Driver"}


class VirtioTest(QemuTest):
    def images(self):
        return super().images() | self.boot_programs("cycle", "snptest", "exitboot")


class Netdiag(VirtioTest):
    """Every command on every kind of virtio-net, each NIC with a peer of its own."""

    COMMANDS = ("netdiag info --registers --nvm", "netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -c 3 -i 50",
                "netdiag frames -c 1455 -s 60-1514", "netdiag stats -t 1 --all")

    def every_command(self, models, machine):
        peers = [self.peer("10.9.9.1") for _ in models]
        commands = ["netdiag list"] + [f"{command} -n {i}" for i in range(len(models)) for command in self.COMMANDS]
        results = self.boot(commands, [(model, peer.netdev()) for model, peer in zip(models, peers)], machine=machine)
        for result in results:
            self.assert_status(result, SUCCESS)
            for line in result.printed.splitlines():
                self.assertLessEqual(len(line), 79, f"{result.line}: {line}")
        self.check_list(results[0], models)
        for index, model in enumerate(models):
            with self.subTest(model):
                info, ping, frames, stats = results[1 + 4 * index:5 + 4 * index]
                self.check_info(info, model, qemulib.mac(index))
                self.assert_ping(ping, 3)
                self.assertIn("1455 sent, 1455 echoed, 0 lost, 0 duplicated, 0 reordered, 0 damaged", frames.text)
                for name in ("rx_frames", "tx_frames", "lies", "commands"):
                    self.assertRegex(stats.text, rf"(?m)^  {name} +\d+")

    def check_list(self, listing, models):
        rows = re.split(r"(?m)^(?=eth)", listing.text)[1:]
        self.assertEqual(len(rows), len(models), listing)
        for index, model in enumerate(models):
            for part in (nics.TABLE[model].pci_id, " virtio-net ", f"{qemulib.mac(index)}  up\n", "BAR 4 0x",
                         "16 KiB 64-bit mem"):
                self.assertIn(part, rows[index])
            self.assertNotIn("Mb/s", rows[index])

    def check_info(self, info, model, mac):
        self.assertIn(mac, info.text)
        self.assertIn("Link          up, speed unknown\n", info.text)
        self.assertIn("NVM           none\n", info.text)
        self.assertNotIn("PHY", info.text)
        features = re.search(r"(?m)^Features +(.*)\n( .*\n)?", info.text)[0].split()
        wanted = ["MAC", "STATUS", "CTRL_VQ", "CTRL_RX", "CTRL_RX_EXTRA", "CTRL_MAC_ADDR", "EVENT_IDX", "VERSION_1"]
        wanted += ["ACCESS_PLATFORM"] * (model == "virtio-net-iommu")
        self.assertEqual(features[1:], wanted)
        self.assertIn("Rings         rx 256, tx 256, control 2 descriptors\n", info.text)
        self.assertRegex(info.text, r"device_status +0f ")
        self.assertRegex(info.text, r"rx.size +256 +descriptors")

    def test_q35(self):
        """Without and with the legacy interface, behind an IOMMU, and below a root port."""
        self.every_command([nic.name for nic in VIRTIO], "q35")

    def test_pc(self):
        self.every_command(VIRTIO_PAIR, "pc")

    def test_echo(self):
        """The peer sends; every length comes back intact."""
        for model in VIRTIO_PAIR:
            with self.subTest(model):
                peer = self.peer(answer=False)
                sizes = list(range(60, 1515, 7))
                machine = self.machine(["netdiag echo", "netdiag frames -c 10 --ring 100"], [(model, peer.netdev())])
                self.assertTrue(machine.wait_for("ECHO on"), machine.output[-500:])
                for sequence, size in enumerate(sizes, 1):
                    peer.send(wirepeer.test_frame(b"\xff" * 6, peer.mac, 1234, sequence, size))
                    self.assertTrue(peer.wait(lambda frames, wanted=sequence: len(frames) >= wanted), len(peer.frames))
                machine.type("\x1b")
                self.assertTrue(machine.wait_for(None), machine.output[-500:])
                self.assertIn(f"echo: {len(sizes)} frames", machine.output)
                self.assertIn("not a power of two", machine.output)
                for frame, (sequence, size) in zip(peer.frames, enumerate(sizes, 1)):
                    self.assertEqual((wirepeer.REPLY, 1234, sequence, True), wirepeer.parse_test_frame(frame))
                    self.assertEqual(len(frame), size)

    def test_link(self):
        machine = self.machine([PING, "netdiag list"], [("virtio-net-pci", None)], paused=True)
        machine.set_link(False)
        machine.go()
        self.assertTrue(machine.wait_for(None))
        self.assertIn("no link on 0000:00", machine.output)
        self.assertRegex(machine.output, r"52:54:00:12:34:56  down")


class Driver(VirtioTest):
    """virtio-net.efi: load and unload, SNP, names, diagnostics, the stack above it, and what a kernel finds."""

    def test_driver(self):
        for model in VIRTIO_PAIR:
            with self.subTest(model):
                machine = self.machine(["cycle virtio-net", "load -nc virtio-net.efi", "connect", "snptest"],
                                       [(model, None)],
                                       finish="")
                shell = Prompt(self, machine)
                self.assertIn("cycle: 100 cycles, 0 differences", machine.output)
                self.assertRegex(machine.output, r"snptest: \d{4} passed, 0 failed")
                row = re.search(rf"(?m)^([0-9A-F]+) {BINDING} B - X +1 +1 {re.escape(TITLE)}", shell("drivers"))
                self.assertTrue(row, "above the firmware's 0x10; with diagnostics, one controller and one child")
                self.assertIn("virtio-net Ethernet (52:54:00:12:34:56)", shell("devices"))
                for kind in ("-s", "-e"):
                    self.assertRegex(shell(f"drvdiag {kind}"), r"\([0-9A-F]+,[0-9A-F]+,00\) Result Success")
                self.assertIn("Success", shell(f"unload -n {row.group(1)}"))
                self.assertNotIn(TITLE, shell("drivers"))
                self.assertNotIn("MAC(525400123456", shell("dh -d -v"))

    def test_stack(self):
        """Beside the firmware's stack: an address, pings of both, a handoff with other rings asked for and withdrawn.
        Then an operating system finds the device reset."""
        for model in VIRTIO_PAIR:
            with self.subTest(model):
                machine = self.machine(["load virtio-net.efi", *LEASE, PING.replace("--addr 10.0.2.15/24 ", ""),
                                        "netdiag stats -t 1",
                                        "ping -n 2 10.0.2.2", "netdiag handoff --ring 128", "netdiag info",
                                        "netdiag handoff --show", "netdiag handoff --cancel", "exitboot"],
                                       [(model, None)])
                self.assertTrue(machine.wait_for(None), machine.output[-500:])
                for text in ("Sharing the NIC with the firmware's network stack", "3 packets transmitted, 3 received",
                             "From when virtio-net.efi was loaded", "2 packets transmitted, 2 received",
                             "will be handed over quiet", "rx 128, tx 128, control 2 descriptors",
                             "armed, will be quiet",
                             "Handoff withdrawn", "exitboot: status before 0F", "exitboot: after: status 00000000"):
                    self.assertIn(text, machine.output)
                self.assertRegex(machine.output, r"rx_frames +[1-9]")

    def test_register_accesses(self):
        """tools/count-accesses fails by itself when the price list does not hold."""
        result = self.tool("count-accesses", "--nic", "virtio-net-pci")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"transmit +1000 +[1-9]\d* +0 ")


class Holders(VirtioTest):
    """Who else holds such a NIC: the firmware's own driver, and iPXE from the card's ROM."""

    def refused_taken_given_back(self, results, holder):
        """`list`, a ping, a ping with --take, `list` again."""
        before, refused, taken, after = results
        for listing in (before, after):
            self.assertIn(f"driver {holder}\n", listing.text)
        self.assertIn(f"is held by '{holder}'; add --take", refused.text)
        self.assert_status(refused, DENIED)
        self.assertIn(f"from '{holder}'", taken.text)
        self.assert_ping(taken, 3)

    QUESTIONS = ["netdiag list", PING, PING + " --take", "netdiag list"]

    def test_firmware(self):
        """Also with the stack on it, which must let go first; it has an address again afterwards."""
        for model, holder in TRANSPORTS.items():
            with self.subTest(model):
                machine = self.machine(["connect -r", *self.QUESTIONS, *LEASE, "ping -n 2 10.0.2.2",
                                        "load virtio-net.efi"],
                                       [(model, None)], finish="")
                shell = Prompt(self, machine)
                results = split(machine.output)
                self.refused_taken_given_back(results[1:5], holder)
                self.assertIn("2 packets transmitted, 2 received", results[7].text)
                # Loaded beside it, ours says who holds the NIC, and what it says helps.
                self.assertIn(f"virtio-net at 0000:00:02.0 is held by '{holder}'", results[8].text)
                self.assertIn("'disconnect' the handle", results[8].text)
                stack = re.search(r"(?m)^([0-9A-F]+): .*/MAC\(525400123456,0x1\)\)", shell("dh -p SimpleNetwork"))[1]
                nic = re.search(r"(?m)^([0-9A-F]+): .*Pci\(0x2,0x0\)\)", shell("dh -p PciIo"))[1]
                for handle in (stack, nic):
                    self.assertIn("Success", shell(f"disconnect {handle}"))
                shell(f"connect {nic}")
                self.assertIn(f"driver {TITLE}", shell("netdiag list"))

    def test_ipxe(self):
        holder = "iPXE (virtio-net.efidrv)"
        for model in VIRTIO_PAIR:
            with self.subTest(model):
                results = self.boot(["connect -r", *self.QUESTIONS, "netdiag handoff --take"],
                                    [qemulib.nic_arguments(model, "user,id={id}", rom=qemulib.ipxe_rom(model))])
                self.refused_taken_given_back(results[1:5], holder)
                self.assertIn(f"'{holder}' takes the NIC from virtio-net.efi", results[5].text)
                self.assert_status(results[5], DENIED)


class Boot(VirtioTest):
    def test_pxe(self):
        """From our option ROM, which comes before the firmware's own driver."""
        served = os.path.join(BUILD, "tests")
        for model in VIRTIO_PAIR:
            with self.subTest(model):
                machine = self.diskless([qemulib.nic_arguments(model,
                                                               f"user,id={{id}},tftp={served},bootfile=hello.efi",
                                                               rom=os.path.join(BUILD, nics.TABLE[model].rom))])
                self.assertTrue(machine.wait_for("HELLO FROM THE NETWORK"), machine.output[-1500:])
                self.assertIn("Start PXE over IPv4", machine.output)
                self.assertTrue(machine.wait_for(None))


if __name__ == "__main__":
    unittest.main()
