"""test_badnet_boot - OVMF's own network stack in tools/badnet's networks: an independent judge of what they are."""

import os
import unittest

from harness import BUILD, SUCCESS, Prompt, QemuTest, qemulib, split

STARTED = "netdiag: no command 'pxeboot'"  # the image that was booted runs, with the loader's words as its own


class Badnet(QemuTest):
    def test_firmware(self):
        """One machine; what it is connected to changes between two commands."""
        network = self.badnet(boot="netdiag.efi")
        commands = ["load e1000.efi", "ifconfig -s eth0 dhcp", "lease", "ping -n 3 10.77.0.1", "ping -n 3 10.78.0.2",
                    "http 10.77.0.2 boot.efi http.efi", "tftp 10.78.0.2 boot.efi tftp.efi",
                    "netdiag frames -c 1 -s 60 --peer 02:ba:d0:00:00:12"]
        machine = self.machine(commands, [("e1000", network.netdev())], finish="", files=self.boot_programs("pxeboot"))
        shell = Prompt(self, machine)
        lease, gateway, far, http, tftp, frames = split(machine.output)[2:]
        self.assertIn("lease: 10.77.0.50", lease.text)
        for ping in (gateway, far):
            self.assertIn("3 packets transmitted, 3 received, 0% packet loss", ping.text)
        for command in (http, tftp, frames):
            self.assert_status(command, SUCCESS)
        self.assertEqual(network.faults(), ["no-dhcp"], "the machine has switched it")

        for faults in ([], ["dhcp-overload"], ["proxy-dhcp"], ["far-server"], ["two-servers"], ["tftp-loss=40"]):
            network.fault(*faults)
            with self.subTest(faults):
                self.assertIn(STARTED, shell("pxeboot"))
                self.assertEqual((network.seen("dhcp-discover pxe"), network.seen("tftp-done")), (1, 1))
        for fault, text in (("bootfile-missing", "PXE-E23: Client received TFTP error from server."),
                            ("bootfile-arm64", "pxeboot: Unsupported"), ("bootfile-text", "pxeboot: Unsupported")):
            network.fault(fault)
            with self.subTest(fault):
                self.assertIn(text, shell("pxeboot"))
        network.fault()
        self.flap_link(machine, 3)
        self.assertIn(STARTED, shell.until("pxeboot", STARTED))
        machine.type("reset -s\r")
        self.assertTrue(machine.wait_for(None))
        with open(os.path.join(BUILD, "netdiag.efi"), "rb") as file:
            content = file.read()
        for name in ("http.efi", "tftp.efi"):
            self.assertEqual(qemulib.read_from_disk(machine.disk, name), content)


if __name__ == "__main__":
    unittest.main()
