"""test_barriers - the generated code for AArch64: what a device writes and reads is ordered for the outer shareable
domain, in which devices are, and the order is where it must be. On x86 none of this shows in a test that runs."""

import os
import re
import shutil
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
OBJECTS = os.path.join(BUILD, "aarch64", "efi")
OBJDUMP = "aarch64-linux-gnu-objdump"
WINDOW = 12  # instructions around a barrier
BARRIER = re.compile(r"^dmb\s+(\w+)")
STATUS = re.compile(r"ldu?rb\s+w\d+, \[(x\d+)")
LENGTH = re.compile(r"ldu?rh\s+w\d+, \[(x\d+)")
BRANCH = re.compile(r"(tbz|tbnz|cbz|cbnz|b\.\w+)\s")


def functions(folder):
    """(object, function, its instructions) of every function in the objects below a folder."""
    for path, _, files in os.walk(os.path.join(OBJECTS, folder)):
        for name in sorted(file for file in files if file.endswith(".o")):
            listing = subprocess.run([OBJDUMP, "-d", "--no-show-raw-insn", os.path.join(path, name)],
                                     capture_output=True, text=True, check=True).stdout
            for part in re.split(r"(?m)^[0-9a-f]+ <", listing)[1:]:
                title, _, body = part.partition(">:")
                yield name, title, [line.split(":", 1)[1].strip() for line in body.splitlines() if ":" in line]


def kinds(folder):
    return [match.group(1) for _, _, code in functions(folder) for match in map(BARRIER.search, code) if match]


class Barriers(unittest.TestCase):
    def setUp(self):
        self.assertTrue(shutil.which(OBJDUMP), f"{OBJDUMP} is missing: install binutils-aarch64-linux-gnu")

    def test_each_family_has_its_kinds(self):
        """e1000: a done bit before its data, each way. virtio: the same, what is published after what it
        says, and the full barriers before a flag is looked at."""
        self.assertGreaterEqual(kinds("driver/net/e1000").count("oshld"), 2)
        found = kinds("driver/net/virtio")
        self.assertGreaterEqual(found.count("oshld"), 1)
        self.assertGreaterEqual(found.count("oshst"), 1)
        self.assertGreaterEqual(found.count("osh"), 2)

    def test_a_done_bit_is_read_before_what_it_is_about(self):
        """Somewhere in e1000 a byte (status, with DD) is loaded and looked at, then comes the barrier, then a
        length (16 bits) of the same descriptor, from the same register."""
        places = []
        for _, function, code in functions("driver/net/e1000"):
            for at in (at for at, line in enumerate(code) if BARRIER.search(line)):
                before, after = code[max(0, at - WINDOW):at], code[at + 1:at + 1 + WINDOW]
                bases = {match.group(1) for match in map(STATUS.match, before) if match}
                lengths = {match.group(1) for match in map(LENGTH.match, after) if match}
                if bases & lengths and any(map(BRANCH.match, before)):
                    places.append(function)
        self.assertTrue(places, "no such place")

    def test_no_other_domain(self):
        """Nothing orders for the processors alone (ish), as C's own fences do."""
        found = kinds("driver")
        self.assertGreater(len(found), 5)
        self.assertLessEqual(set(found), {"osh", "oshld", "oshst"})


if __name__ == "__main__":
    unittest.main()
