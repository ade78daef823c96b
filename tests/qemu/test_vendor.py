"""test_vendor - a kernel of a hundred lines gets its network by tools/vendor and the lines that it prints."""

import os
import re
import shutil
import subprocess
import unittest

from harness import ROOT, QemuTest, qemulib, test_frame
from test_handoff import demo

GRUB = "search --set=root --file /kernel.elf\nmultiboot2 /kernel.elf\nboot\n"
MARKS = (("Makefile", "# vendor"), ("kernel.c", "/* top */"), ("kernel.c", "/* boot */"), ("kernel.c", "/* idle */"))


class Vendor(QemuTest):
    def run_in(self, folder, *command):
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}")
        return result.stdout

    def vendored(self):
        """The kernel's folder, with the printed lines where the kernel has its marks, and built."""
        folder = os.path.join(self.folder, "kernel")
        shutil.copytree(os.path.join(ROOT, "tests/vendor/skeleton"), folder)
        printed = self.run_in(ROOT, "tools/vendor", folder)
        parts = re.split(r"^--- .*\n", printed, flags=re.M)[1:]
        self.assertEqual(len(parts), len(MARKS), printed)
        parts[-1] = parts[-1].split("\n\nThe kernel has")[0]
        for (name, mark), lines in zip(MARKS, parts):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(text.count(mark), 1)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(mark, lines))
        self.run_in(folder, "make", "-s", "-j2")
        return folder

    def test_skeleton(self):
        """GRUB loads it by multiboot2; its log comes over the wire, and each frame that is sent to it adds a line."""
        folder = self.vendored()
        config, image = os.path.join(self.folder, "grub.cfg"), os.path.join(self.folder, "grub.efi")
        with open(config, "w", encoding="utf-8") as file:
            file.write(GRUB)
        self.run_in(folder, "grub-mkimage", "-O", "x86_64-efi", "-p", "/", "-c", config, "-o", image, "fat", "search",
                    "search_fs_file", "normal", "multiboot2", "boot", "part_gpt", "part_msdos")
        peer = self.peer(answer=False)
        machine = self.machine([], [("e1000", peer.netdev())],
                               files={qemulib.BOOT_FILE: image, "kernel.elf": os.path.join(folder, "kernel.elf")})
        self.assertTrue(machine.wait_for("skeleton: idle"), machine.output[-800:])
        peer.wait(lambda frames: demo.netconsole_lines(peer))
        for sequence in range(1, 4):
            peer.send(test_frame(b"\xff" * 6, peer.mac, 1, sequence, 100))
        peer.wait(lambda frames: len(demo.netconsole_lines(peer)) >= 4)
        self.assertEqual(demo.netconsole_lines(peer), ["the network is up\n"] + 3 * ["received a frame\n"])


if __name__ == "__main__":
    unittest.main()
