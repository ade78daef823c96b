"""test_tools - tools/qemu as people with an image of their own use it."""

import os
import re
import unittest

from harness import BUILD, PAIR, ROOT, Prompt, QemuTest, nics, qemulib

import wire_control


class Interactive(QemuTest):
    def test_from_elsewhere_with_files_and_tftp(self):
        served, mine = os.path.join(self.folder, "a, b"), os.path.join(self.folder, "mine")
        for path, text in ((os.path.join(served, "greeting"), "SERVED\n"), (os.path.join(mine, "sub", "deep.txt"), "DEEP\n"),
                           (os.path.join(self.folder, "single.txt"), "SINGLE\n")):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        shell = self.shell("--build", BUILD, "--tftp", "a, b", "--file", "mine", "--file", "single.txt",
                           "--file", os.path.join(BUILD, "tests/lease.efi"), "--graphics", "--badnet", "no-dhcp lldp",
                           *(word for model in PAIR for word in ("--nic", model)))
        shell("fs0:")
        self.assertIn("SINGLE", shell("type single.txt"))
        self.assertIn("DEEP", shell("type mine\\sub\\deep.txt"))
        listing = shell("netdiag list")
        for model in PAIR:
            self.assertIn(nics.TABLE[model].pci_id, listing)
        shell("load e1000.efi")
        control = re.search(r"badnet: no-dhcp lldp; tools/badnet --tell (\S+) FAULT", shell.machine.output)[1]
        self.assertEqual(wire_control.tell(control, "healthy"), "ok")
        shell("ifconfig -s eth0 dhcp")
        shell("ifconfig -s eth1 dhcp")
        addresses = shell("lease 2")
        self.assertIn("lease: 10.77.0.50", addresses)
        self.assertIn("lease: 10.0.3.15", addresses)
        shell("tftp -i eth1 10.0.3.2 greeting got.txt")
        self.assertIn("SERVED", shell("type got.txt"))

    def shell(self, *arguments):
        """The prompt of `tools/qemu --interactive`, called in a folder that has nothing to do with it."""
        console = qemulib.Console([os.path.join(ROOT, "tools/qemu"), "--interactive", *arguments], self.folder).start()
        self.addCleanup(console.close)
        return Prompt(self, console, ready="Mapping table")


if __name__ == "__main__":
    unittest.main()
