"""test_checks - the checks and tools themselves: each is shown a mistake and has to notice."""

import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import nics  # noqa: E402
import version  # noqa: E402

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

    def test_what_differs_between_versions_of_gnu_efi(self):
        self.edit("driver/efi/snp.c", "  memset(", "  SetMem(")
        result = self.check_layers()
        self.assertEqual(result.returncode, 1)
        self.assertIn("driver/efi/snp.c: SetMem differs between versions of gnu-efi", result.stderr)

    def test_family_named_above_the_seam(self):
        for path in ("app/main.c", "driver/efi/snp.c", "driver/kernel/consumer.c", "driver/net/netdev.c"):
            with open(os.path.join(self.tree, path), "a", encoding="utf-8") as source:
                source.write('const char *const family = "e1000"; /* virtio in a comment is fine */\n')
        result = self.check_layers()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count("names a family of NICs"), 4, result.stderr)

    def test_header_of_one_kernel_beside_its_glue(self):
        self.edit("driver/kernel/consumer.c", "#include <string.h>", "#include <string.h>\n#include <kernel/heap.h>")
        result = self.check_layers()
        self.assertEqual(result.returncode, 1)
        self.assertIn("driver/kernel/consumer.c: <kernel/heap.h> is not for this layer", result.stderr)

    def test_core_that_needs_a_family(self):
        """A kernel that vendors one family links without the other; a call from the core into either shows."""
        makes = ["make", f"BUILD={self.tree}/build", "-o", "deps"]
        good = run([*makes, f"{self.tree}/build/vendored_virtio.o"], self.tree)
        self.assertEqual(good.returncode, 0, good.stderr)
        self.edit("driver/net/driver.c", '#include "net/driver.h"', '#include "net/e1000.h"')
        self.edit("driver/net/driver.c", "    if(found) {", "    if(found && *driver != &e1000_driver) {")
        bad = run([*makes, f"{self.tree}/build/vendored_virtio.o"], self.tree)
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn("e1000_driver", bad.stdout)

    def test_register_row_that_disagrees(self):
        self.edit("driver/net/e1000/e1000_regs.h", "X(RDT, 0x02818,", "X(RDT, 0x0281C,")
        program = os.path.join(self.tree, "check")
        sources = ["driver/lib/crc32.c"] + sorted(glob.glob("driver/net/**/*.c", root_dir=self.tree, recursive=True))
        # drivers_all.c is the list
        sources = [path for path in sources if not re.search("drivers_(e1000|virtio)", path)]
        built = run(["gcc", "-std=c11", "-Iinclude", "-Idriver/net/e1000", "-Itests/unit", *sources,
                     "tests/unit/check_registers.c", "tests/unit/registers_manual.c", "-o", program], self.tree)
        self.assertEqual(built.returncode, 0, built.stderr)
        result = run([program])
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("RDT", result.stdout + result.stderr)

    def test_files_that_need_each_other(self):
        sources = {"one.c": "int two(void);\nint one(void) { return two(); }\n",
                   "two.c": "int three(void);\nint two(void) { return three(); }\n",
                   "three.c": "int one(void);\nint three(void) { return one(); }\n",
                   "four.c": "int one(void);\nint four(void) { return one(); }\n"}
        objects = os.path.join(self.tree, "objects", "driver")
        os.makedirs(objects)
        for name, text in sources.items():
            with open(os.path.join(objects, name), "w", encoding="utf-8") as source:
                source.write(text)
            built = run(["gcc", "-c", name, "-o", name.replace(".c", ".o")], objects)
            self.assertEqual(built.returncode, 0, built.stderr)
        result = run([os.path.join(ROOT, "tools/check-circles"), "objects"], self.tree)
        self.assertEqual(result.returncode, 1)
        self.assertIn("driver/one.c -> driver/two.c -> driver/three.c -> driver/one.c", result.stderr)
        self.assertNotIn("four", result.stderr)
        with open(os.path.join(objects, "three.c"), "w", encoding="utf-8") as source:
            source.write("int three(void) { return 3; }\n")
        run(["gcc", "-c", "three.c", "-o", "three.o"], objects)
        self.assertEqual(run([os.path.join(ROOT, "tools/check-circles"), "objects"], self.tree).returncode, 0)

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

    def test_bad_folder_and_file(self):
        self.refuse(["--tftp", "/nonexistent"], "TFTP=/nonexistent is no folder")
        self.refuse(["--file", "/nonexistent"], "there is no /nonexistent to put on the disk")

    def test_root_port_of_an_old_machine(self):
        self.refuse(["--nic", "virtio-net-port", "--machine", "pc"], "NIC=virtio-net-port needs MACHINE=q35")

    def test_not_built(self):
        result = run(["tools/qemu", "--build", "/nonexistent"])
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nonexistent/netdiag.efi is missing: run `make all` first", result.stderr)


class Processors(unittest.TestCase):
    """make's ARCH, where there is no such processor, and where it means nothing."""

    def would(self, *arguments):
        """What make would do, without its doing it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(["make", "-n", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
                              check=False)

    def refuse(self, text, *arguments):
        result = self.would(*arguments)
        self.assertEqual(result.returncode, 2, arguments)
        self.assertIn(text, result.stderr)

    def test_signed_release(self):
        """Every processor's images are signed for it, and not taken as they lie there."""
        done = self.would("dist", "KEY=my.key", "CERT=my.pem").stdout
        for folder in ("build", "build/aarch64", "build/ia32"):
            self.assertIn(f"tools/sign --key 'my.key' --cert 'my.pem' {folder}/netdiag.efi {folder}/signed/netdiag.efi",
                          done)

    def test_stick_for_one(self):
        done = self.would("usb", "ARCH=aarch64").stdout
        self.assertIn("tools/mkmedia --images build/aarch64 build/aarch64/netdiag.img", done)
        self.assertNotIn("ia32", done)

    def test_arch(self):
        self.refuse("ARCH=arm64 is none of: x86_64 aarch64 ia32", "run", "ARCH=arm64")
        for target in ("test", "test-distros", "dist", "fuzz-rx", "boot-demo"):
            self.refuse(f"'make {target}' takes no ARCH", target, "ARCH=aarch64")


FAKE_APT = """#!/bin/sh
# dpkg-query and apt-get, for tools/install-packages: `have` is installed, `known` and `also` can be
echo "${0##*/} $*" >> "$CALLS"
case "${0##*/} $*" in
  dpkg-query*have) echo installed;;
  dpkg-query*) exit 1;;
  apt-get*unheard-of) exit 100;;
esac
"""


class Packages(unittest.TestCase):
    """tools/install-packages, with a package system that writes down what it is asked."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="packages-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.calls = os.path.join(self.folder, "calls")

    def installed(self, names, user="0"):
        """What apt-get is told to install for this list of names."""
        programs = {name: FAKE_APT for name in ("dpkg-query", "apt-get")}
        programs["id"] = f"#!/bin/sh\necho {user}\n"
        for name, text in programs.items():
            with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
                file.write(text)
            os.chmod(file.name, 0o755)
        with open(os.path.join(self.folder, "list"), "w", encoding="ascii") as file:
            file.write("# a comment\n" + "\n".join(names) + "\n")
        open(self.calls, "w", encoding="ascii").close()
        shutil.rmtree(os.path.join(self.folder, "build"), ignore_errors=True)
        environment = dict(os.environ, CALLS=self.calls, PATH=f"{self.folder}:{os.environ['PATH']}")
        result = subprocess.run([os.path.join(ROOT, "tools/install-packages"), "list"], cwd=self.folder,
                                env=environment,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.calls, encoding="ascii") as file:
            return re.findall(r"^apt-get install -y .*--no-install-recommends (.*)$", file.read(), re.M)

    def test_what_is_missing(self):
        self.assertEqual(self.installed(["have", "known"]), ["known"])
        self.assertEqual(self.installed(["have"]), [])

    def test_where_the_distribution_has_it(self):
        self.assertEqual(self.installed(["have?", "unheard-of?"]), [])
        self.assertEqual(self.installed(["known", "unheard-of?", "also?"]), ["known also"])
        self.assertEqual(self.installed(["also?"]), ["also"])
        self.assertEqual(self.installed(["also?"], user="1000"), [], "nobody is asked for a password for it")


class Distributions(unittest.TestCase):
    """tools/test-distros says what it lacks before it makes anything."""

    def refuse(self, text, *arguments, user="0"):
        with tempfile.TemporaryDirectory(prefix="id-") as folder:
            with open(os.path.join(folder, "id"), "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\necho {user}\n")
            os.chmod(file.name, 0o755)
            environment = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
            result = subprocess.run([os.path.join(ROOT, "tools/test-distros"), *arguments], env=environment,
                                    capture_output=True,
                                    text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn(text, result.stderr)

    def test_what_it_needs(self):
        self.refuse("sid is none of: bookworm trixie", "trixie", "sid")
        self.refuse("there is no option --fast", "--fast")
        self.refuse("must be root", "trixie", user="1000")


FAILING = """import os, sys, unittest
sys.path.insert(0, os.path.join({root!r}, "tests/qemu"))
from harness import QemuTest

class Broken(QemuTest):
    def test_it(self):
        self.diskless([]).wait_for("nothing" if {passes} else "ABCDE", 0)
        self.assertTrue({passes})
"""


WITH_CLASS = """import os, unittest

def log(text):
    with open(os.environ["LOG"], "a") as file:
        file.write(text)

class Good(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        log("made ")
        cls.addClassCleanup(log, "gone ")
        cls.value = 1

    def test_one(self):
        self.assertEqual(self.value, 1)

    def test_other(self):
        self.assertEqual(self.value, 1)

class Bad(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.value = 1 / 0

    def test_it(self):
        pass
"""


class TestRun(unittest.TestCase):
    """tests/run itself."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="suite-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_tests(self, *arguments, **environment):
        return subprocess.run(["tests/run", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
                              env=dict(os.environ, **({"BUILD": BUILD} | environment)))

    def test_only_with_a_name_that_nothing_has(self):
        program = os.path.join(BUILD, "test_ring")
        for only in ("nosuchtest", "test_ring:nosuchtest", "nosuchprogram:*"):
            result = self.run_tests("--only", only, program)
            self.assertEqual(result.returncode, 2, result.stdout)
            self.assertIn(f"no test is called '{only}'", result.stderr)

    def test_one_test_of_a_program(self):
        program = os.path.join(BUILD, "test_ring")
        result = self.run_tests("--only", "test_ring:full_and_wrap", program)
        self.assertIn("1 passed, 0 failed", result.stdout)
        self.assertEqual(result.returncode, 0)
        result = self.run_tests("--only", "test_ring", program, "--slowest")
        self.assertRegex(result.stdout, r"(?m)^([2-9]|\d\d) passed, 0 failed")
        self.assertRegex(result.stdout, r"(?m)^ +[0-9.]+ s  test_ring$")

    def test_what_a_class_sets_up(self):
        with open(os.path.join(self.folder, "test_class.py"), "w", encoding="utf-8") as file:
            file.write(WITH_CLASS)
        result = self.run_tests("--suite", self.folder, LOG=os.path.join(self.folder, "log"))
        self.assertIn("2 passed, 1 failed", result.stdout)
        self.assertIn("ZeroDivisionError", result.stdout)
        with open(os.path.join(self.folder, "log"), encoding="ascii") as log:
            self.assertEqual(log.read(), "made gone ")

    def write_suite(self, passes):
        with open(os.path.join(self.folder, "test_broken.py"), "w", encoding="utf-8") as file:
            file.write(FAILING.format(root=ROOT, passes=passes))

    def test_transcript_of_a_failed_boot_is_kept(self):
        build = os.path.join(self.folder, "build")
        self.write_suite(False)
        result = self.run_tests("--suite", self.folder, BUILD=build)
        self.assertEqual(result.returncode, 1, result.stdout)
        path = re.search(r"transcript: (.*)\n", result.stdout)
        self.assertTrue(path, result.stdout)
        with open(path[1], encoding="utf-8") as file:
            self.assertIn("qemu-system-x86_64 -M q35", file.read())
        self.write_suite(True)
        result = self.run_tests("--suite", self.folder, BUILD=build)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertFalse(os.path.exists(path[1]))

    def test_one_name_in_two_folders(self):
        arguments = []
        for name in ("one", "two"):
            folder = os.path.join(self.folder, name)
            os.mkdir(folder)
            with open(os.path.join(folder, "test_same.py"), "w", encoding="utf-8") as file:
                file.write(f"import unittest\nclass {name}(unittest.TestCase):\n  def test_it(self): pass\n")
            arguments += ["--suite", folder]
        result = self.run_tests(*arguments)
        self.assertIn("2 passed, 0 failed", result.stdout, result.stderr)


class OptionRom(unittest.TestCase):
    def test_layout(self):
        for nic in nics.TABLE.values():
            if nic.rom:
                with self.subTest(nic.name):
                    self.layout(nic)

    def layout(self, nic):
        """The fields where firmware looks for them (PCI Firmware Specification 3.0, table 5-1 and 5-2)."""
        with open(os.path.join(BUILD, nic.rom), "rb") as file:
            rom = file.read()
        family = "virtio-net.efi" if nic.vendor == nics.VIRTIO_VENDOR else "e1000.efi"
        with open(os.path.join(BUILD, family), "rb") as file:
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
        self.assertEqual((vendor, device, length, revision), (nic.vendor, nic.device_id, 28, 3))
        self.assertEqual(rom[pcir + 13:pcir + 16], b"\0\0\2")
        self.assertEqual(struct.unpack_from("<HHBB", rom, pcir + 16), (blocks, version.revision(), 3, 0x80))

    def test_refuses_what_is_no_driver(self):
        for path, text in ((os.path.join(BUILD, "netdiag.efi"), "is no EFI driver"), ("README.md", "is no PE image")):
            result = run(["tools/mkrom", "--vendor", "8086", "--device", "100e", path, "/dev/null"])
            self.assertEqual(result.returncode, 1)
            self.assertIn(text, result.stderr)


class NxCompat(unittest.TestCase):
    """Images for a firmware that lets nobody write code or execute data."""

    START = 0x80  # where GNU objcopy puts the PE header

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nx-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "image.efi")

    def sections(self, image):
        """(name, address, characteristics) of each."""
        count, = struct.unpack_from("<H", image, self.START + 6)
        table = self.START + 24 + struct.unpack_from("<H", image, self.START + 20)[0]
        for place in range(table, table + 40 * count, 40):
            yield (image[place:place + 8], *struct.unpack_from("<I", image, place + 12),
                   *struct.unpack_from("<I", image, place + 36))

    def test_every_image(self):
        images = [path for folder in ("", "tests", "clang")
                  for path in sorted(glob.glob(os.path.join(BUILD, folder, "*.efi")))]
        self.assertGreater(len(images), 10)
        for path in images:
            with self.subTest(path), open(path, "rb") as file:
                image = file.read()
                self.assertEqual(image[self.START:self.START + 4], b"PE\0\0")
                self.assertTrue(struct.unpack_from("<H", image, self.START + 0x5E)[0] & 0x0100, "NX_COMPAT")
                self.assertEqual(struct.unpack_from("<I", image, self.START + 0x38)[0], 4096)
                for name, address, access in self.sections(image):
                    self.assertNotEqual(access & 0xA0000000, 0xA0000000, f"{name} is writable and executable")
                    self.assertEqual(address % 4096, 0, name)

    def change(self, place, value):
        """netdiag.efi with one 32-bit word changed, through tools/nxcompat."""
        with open(os.path.join(BUILD, "netdiag.efi"), "rb") as file:
            image = bytearray(file.read())
        struct.pack_into("<I", image, place, value)
        with open(self.path, "wb") as file:
            file.write(image)
        result = run(["tools/nxcompat", self.path])
        with open(self.path, "rb") as file:
            return result, bytes(image), file.read()

    def test_checksum(self):
        """It is made anew, whatever it was: the sum of all words but its own, folded to 16 bits, and the length."""
        result, _, marked = self.change(self.START + 0x58, 0x12345678)
        self.assertEqual(result.returncode, 0, result.stderr)
        words = struct.unpack(f"<{(len(marked) + 1) // 2}H", marked + b"\0" * (len(marked) % 2))
        written, = struct.unpack_from("<I", marked, self.START + 0x58)
        total = sum(words) - (written & 0xFFFF) - (written >> 16)
        self.assertEqual((written - len(marked)) % 0xFFFF, total % 0xFFFF)

    def test_refuses_what_is_not_so(self):
        table = self.START + 24 + 240  # the optional header of PE32+ has 240 bytes
        for place, value, text in ((table + 36, 0xE0000020, "has a section, .text, that is writable and executable"),
                                   (table + 12, 0x7200, "has a section, .text, at 0x7200, which is no page's address"),
                                   (self.START + 0x38, 512, "has sections aligned to 512 bytes"),
                                   (self.START, 0, "is no PE image"), (0x3C, 1 << 30, "is no PE image"),
                                   (self.START + 24, 0x107, "is no PE32 or PE32+ image")):
            with self.subTest(text):
                result, before, after = self.change(place, value)
                self.assertEqual(result.returncode, 1)
                self.assertIn(text, result.stderr)
                self.assertEqual(before, after)


class EveryCompiler(unittest.TestCase):
    def test_clang_built_the_images_too(self):
        for name in ("netdiag.efi", "e1000.efi"):
            self.assertGreater(os.path.getsize(os.path.join(BUILD, "clang", name)), 50000)


if __name__ == "__main__":
    unittest.main()
