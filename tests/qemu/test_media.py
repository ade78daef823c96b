"""test_media - machines that boot netdiag itself: from a stick, and under Secure Boot."""

import os
import unittest

from harness import BUILD, QemuTest, qemulib


class Usb(QemuTest):
    """What `make usb` makes, as a stick in a USB port."""

    def test_menu(self):
        stick = os.path.join(self.folder, "stick.img")
        qemulib.run_tool(["cp", "--sparse=always", os.path.join(BUILD, "netdiag.img"), stick])
        machine = qemulib.Machine(nics=[qemulib.nic_arguments("e1000e", "user,id={id}")], extra=[
            "-device", "qemu-xhci", "-drive", f"if=none,id=stick,format=raw,file={stick}",
            "-device", "usb-storage,drive=stick,bootindex=0"]).start()
        self.addCleanup(machine.close)

        def expect(pattern):
            # A machine that boots nothing ends in the Shell.
            match = machine.wait_for(f"{pattern}|^Shell> ", since=self.offset)
            self.assertTrue(match and match[0] != "Shell> ", f"no {pattern}; last lines:\n{machine.output[-1500:]}")
            self.offset = match.end()

        self.offset = 0
        expect("netdiag [0-9.]+: network before the operating system")
        expect("Q  leave")
        expect("Enter starts")
        machine.type("l")
        expect("eth0 .* 8086:10d3  82574L .* 1000 Mb/s full")
        expect("Press a key for the menu")
        machine.type(" ")
        expect("Enter starts")
        machine.type("c")
        expect("netdiag> ")
        machine.type("info -n 7\r")
        expect("no NIC '7'")
        expect("Exit status 0xe: Not Found")
        machine.type("\x1b[A\x7f0\r")  # the line before, with another number
        expect("82574L")
        expect("netdiag> ")
        machine.type("\x03")
        expect("Enter starts")
        machine.type("q")
        expect("Boot Manager")  # the firmware's own page


if __name__ == "__main__":
    unittest.main()
