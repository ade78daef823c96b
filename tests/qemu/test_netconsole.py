"""test_netconsole - the reference kernel's log arrives over the NIC that it was handed, to its very last line."""

import unittest

from harness import QemuTest
from test_handoff import demo

FRAMES = 20


class Netconsole(QemuTest):
    def images(self):
        return super().images() | self.boot_programs("kernel")

    def test_panic_inside_a_call(self):
        """The kernel breaks down over a frame that the driver is just handing to it: every line that is on the serial
        port is on the wire as well, once, the panic's among them."""
        peer = self.peer(answer=False)
        machine = self.machine(["netdiag handoff --live", f"kernel.efi --interrupts msix --frames {FRAMES} --panic "
                                f"--netconsole @/,@{demo.NETCONSOLE_TARGET}/"], [("virtio-net-pci", peer.netdev())])
        self.assertTrue(machine.wait_for("kernel: running"), machine.output[-800:])
        for sequence in range(1, FRAMES + 1):
            peer.send(demo.wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, sequence, 100))
        self.assertTrue(machine.wait_for(None), machine.output[-800:])
        self.assertIn("kernel: netconsole: unsent 0", machine.output)
        self.assertNotIn("kernel: statistics", machine.output)
        first, end = (machine.output.index(text) for text in ("kernel: boot services left", "kernel: netconsole:"))
        self.assertTrue(peer.catch_up())
        heard = "".join(demo.netconsole_lines(peer))
        self.assertEqual(heard.split(), machine.output[first:end].split())
        self.assertRegex(heard, r"kernel: panic: .*, inside a call on the NIC\n$")


if __name__ == "__main__":
    unittest.main()
