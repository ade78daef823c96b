"""test_handoff_format - HANDOFF.md against handoff.h, its example, C++, and the decoder of memory dumps."""

import os
import re
import struct
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADER = os.path.join(ROOT, "include/net/handoff.h")
PAGE = os.path.join(ROOT, "include/net/HANDOFF.md")
FLAGS = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
STRUCT = re.compile(r"^struct (net_handoff\w*) \{\n(.*?)^\};", re.M | re.S)
FIELD = re.compile(r"^  [\w ]+? (\w+)(?:\[[\w /]+\])*;", re.M)
PLACED = re.compile(r"^  [\w ]+? (\w+)(?:\[\d+\])*;\s*/\* @(\d+)", re.M)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def code_blocks():
    return re.findall(r"^```c\n(.*?)^```", read(PAGE), re.M | re.S)


class Format(unittest.TestCase):
    def compile(self, compiler, language, text, *flags):
        with tempfile.TemporaryDirectory(prefix="handoff-") as folder:
            path = os.path.join(folder, "source")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            result = subprocess.run([*compiler, "-x", language, *FLAGS, "-I", os.path.join(ROOT, "include"), *flags, path],
                                    capture_output=True, text=True, check=False)
            return result.stderr if result.returncode else ""

    def test_header_alone(self):
        for compiler, language in ((("gcc", "-std=c11"), "c"), (("clang", "-std=c11"), "c"),
                                   (("clang++", "-std=c++11"), "c++"), (("clang++", "-std=c++20"), "c++")):
            with self.subTest(" ".join(compiler)):
                text = '#include "net/handoff.h"\nstruct net_handoff table;\nint size = sizeof(struct net_handoff_nic);\n'
                self.assertEqual(self.compile(compiler, language, text, "-pedantic"), "")

    def test_layout_in_cxx(self):
        """The header's own assertions are compiled in C++: a size that is wrong is an error there, too."""
        text = read(HEADER).replace("NET_HANDOFF_NIC_SIZE_2_0 ", "NET_HANDOFF_NIC_SIZE_2_0 1+", 1)
        self.assertIn("ABI", self.compile(("clang++", "-std=c++11"), "c++", text))

    def test_32_bit(self):
        self.assertEqual(self.compile(("clang", "-std=c11", "--target=i386-unknown-none", "-ffreestanding"), "c",
                                      '#include "net/handoff.h"\n'), "")

    def test_page_has_every_field(self):
        """Each struct is on the page with its fields in order, and each offset there is the compiler's."""
        page = dict(STRUCT.findall("\n".join(code_blocks())))
        header = dict(STRUCT.findall(read(HEADER)))
        self.assertEqual(sorted(page), sorted(header))
        self.assertGreater(len(page), 10)
        lines = ["#include <stddef.h>", '#include "net/handoff.h"']
        for name, body in header.items():
            fields = PLACED.findall(page[name])
            self.assertEqual([field for field, _ in fields], FIELD.findall(body), name)
            lines += [f'_Static_assert(offsetof(struct {name}, {field}) == {at}, "{name}.{field}");' for field, at in fields]
        self.assertGreater(len(lines), 100)
        self.assertEqual(self.compile(("gcc", "-std=c11"), "c", "\n".join(lines) + "\n"), "")
        wrong = lines[5].replace("==", "== 1 +")
        self.assertIn("static assertion", self.compile(("gcc", "-std=c11"), "c", "\n".join(lines[:2] + [wrong]) + "\n"))

    def test_sizes_on_page(self):
        sizes = re.findall(r"^#define NET_HANDOFF_\w+_SIZE_2_0\s+(\d+)U", read(HEADER), re.M)
        self.assertIn("64, 536, 96, 648 (e1000) and 720 (virtio-net) bytes in 2.0", " ".join(read(PAGE).split()))
        self.assertEqual(sizes, ["64", "536", "96", "648", "720"])

    def test_example_compiles(self):
        example = [block for block in code_blocks() if '#include "consumer.h"' in block]
        self.assertEqual(len(example), 1)
        body = example[0].split(");\n\nstruct netdev *my_nic_start")[1]
        self.assertLessEqual(len(body.strip().split("\n")), 20)
        flags = ["-I", os.path.join(ROOT, "driver/kernel"), "-Wconversion", "-Wshadow"]
        for compiler in (("gcc", "-std=c11", "-ffreestanding"), ("clang", "-std=c11", "-ffreestanding")):
            self.assertEqual(self.compile(compiler, "c", example[0], *flags), "")


class Decode(unittest.TestCase):
    """The table of tests/unit/handoff_2_0.h in a dump."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="decode-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "memory")
        text = read(os.path.join(ROOT, "tests/unit/handoff_2_0.h"))
        table = bytearray(int(re.search(r"handoff_2_0\[(\d+)\]", text).group(1)))
        for at, row in re.findall(r"^  \[(\d+)\] = (.*),$", text, re.M):
            data = bytes(int(byte, 16) for byte in row.split(", "))
            table[int(at):int(at) + len(data)] = data
        self.table = bytes(table)

    def decode(self, memory, *arguments):
        with open(self.path, "wb") as file:
            file.write(memory)
        return subprocess.run([os.path.join(ROOT, "tools/handoff-decode"), *arguments, self.path], capture_output=True,
                              text=True, check=False)

    def test_everything(self):
        noise = b"NTHNDOFF" + b"xNTHNDOFF" * 3 + bytes(4096 - 35)  # the magic number alone is no table
        result = self.decode(noise + self.table + noise, "--base", "0x7F000000")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for text in ("handoff table at 0x7f001000, version 2.0, 2632 bytes", ": valid", "0000:02:03.1  8086:10d3 rev 02",
                     "live", "path          00:1c.0 01:04.2", "path known, coherent, ASPM off",
                     "BAR 0         0x880000000 (bus 0x80000000), 131072 bytes: memory", "INTA# line 11, MSI at 0xd0",
                     "02:04:06:08:10:ff (permanent 52:54:00:a1:b2:c3), MTU 1500", "up, 1000 Mb/s full duplex",
                     "unicast, multicast, broadcast; groups 01:00:5e:00:00:fb", "RCTL 0x04008002 TCTL 0x0103f0fa, 1 bits",
                     "256 descriptors at 0x7e000000 (device 0x17e000000)", "head 5 published 255 tail 260",
                     "DHCP: 10.0.2.15 mask 255.255.255.0 gateway 10.0.2.2 server 10.0.2.2",
                     "DNS 10.0.2.3; 86400 s from 1790000000 on", "rx_frames 101, rx_bytes 102, rx_errors 3, rx_missed 4",
                     "0000:00:05.0  1af4:1041", "quiet", "no bridge", "features 0x0000000120030020 status 0x0b",
                     "BAR 4 at 0x3000, 4096 bytes, multiplier 4", "256 in flight", "doorbell at 0x3008",
                     "payload kernel.efi at 0x70000000, 12345 bytes, SHA-256 00010203", "booted from http://10.0.2.2/kernel.efi"):
            self.assertIn(text, result.stdout)

    def test_damaged(self):
        for at in (40, 100, 700, len(self.table) - 1):
            memory = bytearray(self.table)
            memory[at] ^= 1
            result = self.decode(memory)
            self.assertEqual(result.returncode, 1)
            self.assertIn("table at 0x0: the CRC is wrong", result.stderr)
            self.assertEqual(result.stdout, "")

    def test_cut_short_and_absent(self):
        result = self.decode(self.table[:-1])
        self.assertEqual(result.returncode, 1)
        self.assertIn("its end is not in the dump", result.stderr)
        for memory in (self.table[:20], bytes(4096), b"NTHNDOF", b" " + self.table):
            result = self.decode(memory)
            self.assertEqual(result.returncode, 1)
            self.assertIn("no handoff table", result.stderr)

    def test_another_version(self):
        memory = bytearray(self.table)
        memory[8] = 1
        result = self.decode(memory)
        self.assertEqual(result.returncode, 1)
        self.assertIn("of version 1.0, which this tool does not read", result.stderr)

    def test_elf(self):
        """As dump-guest-memory writes it: the file's offsets are not the addresses."""
        header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
        note = struct.pack("<IIQQQQQQ", 4, 0, 176, 0, 0, 0, 0, 0)
        load = struct.pack("<IIQQQQQQ", 1, 0, 176, 0, 0xABC000, len(self.table), len(self.table), 0)
        result = self.decode(header + note + load + self.table)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("handoff table at 0xabc000,", result.stdout)

    def test_usage(self):
        for arguments in (["/nonexistent"], ["--base"], []):
            result = subprocess.run([os.path.join(ROOT, "tools/handoff-decode"), *arguments], capture_output=True, text=True,
                                    check=False)
            self.assertEqual(result.returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main()
