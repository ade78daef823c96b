"""test_checks - the checks and tools themselves: each is shown a mistake and has to notice."""

import glob
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))


def run(command, cwd=ROOT):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


class Checks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tree-")
        self.addCleanup(folder.cleanup)
        self.tree = os.path.join(folder.name, "tree")
        shutil.copytree(ROOT, self.tree, ignore=shutil.ignore_patterns("build", ".git"))

    def edit(self, path, old, new):
        path = os.path.join(self.tree, path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))

    def check_layers(self):
        return run(["tools/check-layers"], self.tree)

    def test_layers_hold(self):
        self.assertEqual(self.check_layers().returncode, 0)

    def test_efi_header_in_the_core(self):
        self.edit("driver/net/netdev.c", "#include <string.h>", "#include <string.h>\n#include <efi.h>")
        result = self.check_layers()
        self.assertEqual(result.returncode, 1)
        self.assertIn("driver/net/netdev.c: <efi.h> is not for this layer", result.stderr)

    def test_arrow_upwards(self):
        self.edit("driver/net/netdev.c", '#include "netdev.h"', '#include "netdev.h"\n#include "../efi/pci.h"')
        result = self.check_layers()
        self.assertEqual(result.returncode, 1)
        self.assertIn("is in driver/efi, which this layer must not know", result.stderr)

    def test_header_of_one_kernel_beside_its_glue(self):
        self.edit("driver/kernel/consumer.c", "#include <string.h>", "#include <string.h>\n#include <kernel/heap.h>")
        result = self.check_layers()
        self.assertEqual(result.returncode, 1)
        self.assertIn("driver/kernel/consumer.c: <kernel/heap.h> is not for this layer", result.stderr)

    def test_register_row_that_disagrees(self):
        self.edit("driver/net/e1000/e1000_regs.h", "X(RDT, 0x02818,", "X(RDT, 0x0281C,")
        program = os.path.join(self.tree, "check")
        sources = sorted(glob.glob("driver/net/**/*.c", root_dir=self.tree, recursive=True))
        built = run(["gcc", "-std=c11", "-Iinclude", "-Idriver/net/e1000", "-Itests/unit", *sources,
                     "tests/unit/check_registers.c", "tests/unit/registers_manual.c", "-o", program], self.tree)
        self.assertEqual(built.returncode, 0, built.stderr)
        result = run([program])
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("RDT", result.stdout + result.stderr)

    def test_formatting_that_is_off(self):
        self.edit("driver/net/netdev.c", "if(dev->state", "if (dev->state")
        result = run(["clang-format", "--dry-run", "-Werror", "driver/net/netdev.c"], self.tree)
        self.assertNotEqual(result.returncode, 0)


class Runner(unittest.TestCase):
    """tools/qemu with mistakes in its arguments."""

    def refuse(self, arguments, text):
        result = run(["tools/qemu", "--build", BUILD, *arguments])
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        self.assertIn(text, result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_bad_nic(self):
        self.refuse(["--nic", "rtl8139"], "NIC=rtl8139 is none of: e1000, ")

    def test_bad_machine(self):
        self.refuse(["--machine", "virt"], "MACHINE=virt is none of: q35, pc")

    def test_bad_command(self):
        self.refuse(["--cmd", "echo \"x\""], "without double quotes")
        self.refuse(["--cmd", " "], "one Shell command")

    def test_not_built(self):
        result = run(["tools/qemu", "--build", "/nonexistent"])
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nonexistent/netdiag.efi is missing: run `make all` first", result.stderr)


class OptionRom(unittest.TestCase):
    def test_layout(self):
        """The fields where firmware looks for them (PCI Firmware Specification 3.0, table 5-1 and 5-2)."""
        with open(os.path.join(BUILD, "e1000e.rom"), "rb") as file:
            rom = file.read()
        with open(os.path.join(BUILD, "e1000.efi"), "rb") as file:
            image = file.read()
        self.assertEqual(rom[:2], b"\x55\xaa")
        blocks, = struct.unpack_from("<H", rom, 2)
        self.assertEqual(blocks * 512, len(rom))
        self.assertEqual(struct.unpack_from("<IHHH", rom, 4), (0x0EF1, 11, 0x8664, 0))
        offset, pcir = struct.unpack_from("<HH", rom, 0x16)
        self.assertEqual(rom[offset:offset + len(image)], image)
        self.assertEqual(pcir % 4, 0)
        self.assertEqual(rom[pcir:pcir + 4], b"PCIR")
        vendor, device, _, length, revision = struct.unpack_from("<HHHHB", rom, pcir + 4)
        self.assertEqual((vendor, device, length, revision), (0x8086, 0x10D3, 28, 3))
        self.assertEqual(rom[pcir + 13:pcir + 16], b"\0\0\2")
        self.assertEqual(struct.unpack_from("<HHBB", rom, pcir + 16), (blocks, 0, 3, 0x80))

    def test_refuses_what_is_no_driver(self):
        for path, text in ((os.path.join(BUILD, "netdiag.efi"), "is no EFI driver"), ("README.md", "is no PE image")):
            result = run(["tools/mkrom", "--vendor", "8086", "--device", "100e", path, "/dev/null"])
            self.assertEqual(result.returncode, 1)
            self.assertIn(text, result.stderr)


class EveryCompiler(unittest.TestCase):
    def test_clang_built_the_images_too(self):
        for name in ("netdiag.efi", "e1000.efi"):
            self.assertGreater(os.path.getsize(os.path.join(BUILD, "clang", name)), 50000)


if __name__ == "__main__":
    unittest.main()
