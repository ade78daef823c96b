"""test_robust - the driver under load while its world changes: disturbances, removal, floods."""

import os
import re
import subprocess
import unittest

from harness import BUILD, DEVICE_ERROR, NOT_FOUND, ROOT, SUCCESS, Prompt, QemuTest, qemulib, split

MODELS = ("e1000", "e1000e")


class Soak(QemuTest):
    def test_soak(self):
        """The short version of `make soak`; every kind of disturbance occurs."""
        for model in MODELS:
            with self.subTest(model):
                result = subprocess.run([os.path.join(ROOT, "tools/soak"), "--build", BUILD, "--nic", model, "--frames",
                                         "20000"], capture_output=True, text=True, check=False)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                summary = re.search(r"20000 sent, 20000 arrived, 20000 received, 0 lost, 0 duplicated, 0 reordered, 0 damaged; "
                                    r"(\d+) filter changes, (\d+) link flaps, (\d+) restarts .*; nothing held", result.stdout)
                self.assertTrue(summary, result.stdout)
                filters, flaps, restarts = (int(count) for count in summary.groups())
                self.assertGreaterEqual(filters, 6, "kinds of filter change")
                self.assertGreaterEqual(flaps, 1)
                self.assertGreaterEqual(restarts, 4, "Shutdown, Stop, Reset, DisconnectController")


class Removal(QemuTest):
    """The NIC is unplugged while frames move. OVMF does not answer device_del; tests/efi/unplug.c does, from a timer event
    that interrupts whatever runs. QEMU then answers reads of the NIC's registers with zeroes."""

    def images(self):
        content = super().images()
        for name in ("unplug", "removal"):
            content[f"{name}.efi"] = os.path.join(BUILD, "tests", f"{name}.efi")
        return content

    def start(self, model, commands, peer, **options):
        """e1000e hangs below a root port, e1000 in a slot of the old machine: both can be unplugged."""
        nic = qemulib.nic_arguments(model, peer.netdev())
        if model == "e1000e":
            nic = ["-device", "pcie-root-port,id=downstream,chassis=1,slot=1"] + nic[:-1] + [nic[-1] + ",bus=downstream"]
        return self.machine(["load unplug.efi"] + commands, [nic], machine="q35" if model == "e1000e" else "pc", **options)

    def unplug(self, machine, at):
        self.assertTrue(machine.wait_for(at), machine.output[-1000:])
        self.assertEqual(machine.qmp("device_del", id="nic0"), {"return": {}})

    def removed_during(self, model, command, at):
        machine = self.start(model, [f"{command} -v", "netdiag list"], self.peer("10.9.9.1"))
        self.unplug(machine, at)
        self.assertTrue(machine.wait_for(None, 60), f"no end; last lines:\n{machine.output[-1000:]}")
        _, result, listing = split(machine.output)
        self.assertIn("e1000: error: the device no longer answers", result.text)
        self.assertRegex(result.text, "netdiag: .*(has gone from the bus|was it removed)")
        self.assertIn("nothing held: pool 0, dma 0, pages 0, events 0, protocols 0, attributes 0", result.text)
        self.assert_status(result, DEVICE_ERROR)
        self.assert_status(listing, NOT_FOUND)

    def test_frames(self):
        for model in MODELS:
            with self.subTest(model):
                self.removed_during(model, "netdiag frames -c 1000000", r"\d+ of 1000000 sent")

    def test_ping(self):
        self.removed_during("e1000", "netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -c 100000 -i 1", "icmp_seq=100 ")

    def test_echo(self):
        self.removed_during("e1000e", "netdiag echo --addr 10.9.9.2/24", "ECHO on")

    def test_snp(self):
        """Every SNP function's answer afterwards; the driver lets go, and memory and handles are as before."""
        for model in MODELS:
            with self.subTest(model):
                machine = self.start(model, ["load -nc e1000.efi", "removal"], self.peer(answer=False))
                self.unplug(machine, "removal: unplug it")
                self.assertTrue(machine.wait_for(None, 60), f"no end; last lines:\n{machine.output[-1000:]}")
                self.assertRegex(machine.output, r"removal: \d{4,} passed, 0 failed")
                self.assert_status(split(machine.output)[-1], SUCCESS)

    def test_under_the_stack(self):
        """The firmware's stack lets go of a NIC that is no longer there, and e1000.efi can be unloaded."""
        for model in MODELS:
            with self.subTest(model):
                machine = self.start(model, ["load e1000.efi"], self.peer(), finish="")
                shell = Prompt(self, machine)
                driver = re.search(r"(?m)^([0-9A-F]+) .*Intel 8254x/82574L Gigabit Ethernet", shell("drivers")).group(1)
                machine.type("netdiag frames -c 1000000\r")
                self.unplug(machine, r"\d+ of 1000000 sent")
                self.assertIn("the NIC no longer answers: was it removed?", shell.read(60))
                self.assertIn("Success", shell(f"unload -n {driver}"))
                self.assertNotIn("MAC(525400123456", shell("dh -d -v"))
                self.assertNotIn("Gigabit Ethernet", shell("drivers"))


if __name__ == "__main__":
    unittest.main()
