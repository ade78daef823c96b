"""test_boot_demo - `make boot-demo` on one NIC: from power-on to a kernel that answers pings, by one command."""

import unittest

from harness import QemuTest


class BootDemo(QemuTest):
    def test_boot_demo(self):
        result = self.tool("boot-demo", "--nic", "e1000e", "--pings", "10")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"(?m)^10 of 10 pings answered, 0 lost$")
        self.assertEqual(result.stdout.count("64 bytes from 10.0.2.15: icmp_seq="), 10)
        for step in ("firmware and Shell", "driver, address, file, hash", "handoff, start of the kernel",
                     "10 pings answered", "from power-on to the last answer"):
            self.assertRegex(result.stdout, rf"(?m)^ +\d+\.\d\d s  {step}$")
        self.assertIn("The kernel adopted the NIC: 10 frames sent", result.stdout)


if __name__ == "__main__":
    unittest.main()
