"""test_media - what is around the images: the SBAT section, signatures, and the media that are made of them."""

import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import uuid
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import medialib  # noqa: E402
import version  # noqa: E402
from qemulib import SNAKEOIL, snakeoil_key  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
SBAT = "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md"


def run(*command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          **options)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="media-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)


class Sbat(InFolder):
    def lines(self, image):
        """The lines of the section, as one that judges them reads it: up to the first NUL."""
        section = self.path(image.replace("/", "_"))
        result = run("objcopy", "--dump-section", f".sbat={section}", image, self.path("copy"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        with open(section, "rb") as file:
            return file.read().split(b"\0")[0].decode("ascii").splitlines()

    def test_every_image(self):
        images = glob.glob(os.path.join(BUILD, "*.efi")) + glob.glob(os.path.join(BUILD, "clang", "*.efi"))
        self.assertGreaterEqual(len(images), 6)
        for image in images:
            with self.subTest(image):
                first, *rest = self.lines(image)
                self.assertEqual(first, SBAT)
                self.assertEqual(len(rest), 1)
                component, generation, *_, package_version, _ = rest[0].split(",")
                self.assertEqual(len(rest[0].split(",")), 6)
                self.assertEqual(component, "netdiag")
                self.assertGreater(int(generation), 0)
                self.assertEqual(package_version, version.text())


class Sign(InFolder):
    def sign(self, key, cert=SNAKEOIL + ".pem", image="netdiag.efi", **options):
        return run("tools/sign", "--key", key, "--cert", cert, os.path.join(BUILD, image), self.path("signed.efi"),
                   **options)

    def test_signed(self):
        """The signature is the key's own, and no warning of sbsign's says that a byte is left out."""
        result = self.sign(snakeoil_key(self.folder))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(run("sbverify", "--cert", SNAKEOIL + ".pem", self.path("signed.efi")).returncode, 0)
        listed = run("sbverify", "--list", os.path.join(BUILD, "netdiag.efi"))
        self.assertIn("No signature table present", listed.stdout + listed.stderr)
        for image in glob.glob(os.path.join(BUILD, "*.efi")):
            self.assertNotIn("gaps", run("sbverify", "--list", image).stderr)

    def test_another_key_than_the_certificate(self):
        made = run("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other/", "-keyout",
                   self.path("other.key"), "-out", self.path("other.pem"))
        self.assertEqual(made.returncode, 0, made.stderr)
        result = self.sign(self.path("other.key"))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("netdiag.efi is not signed: sb", result.stderr)
        self.assertFalse(os.path.exists(self.path("signed.efi")))

    def test_what_is_missing(self):
        for arguments, text in (((), "the key, /nowhere/my.key, is no file"),
                                (("/nowhere/my.pem",), "the certificate, /nowhere/my.pem, is no file")):
            key = "/nowhere/my.key" if not arguments else SNAKEOIL + ".key"
            result = self.sign(key, *arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn(text, result.stderr)
        result = self.sign(SNAKEOIL + ".key", image="no.efi")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no.efi, is no file", result.stderr)
        result = run("make", "-o", "deps", "sign", f"BUILD={BUILD}")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("needs KEY=FILE.key and CERT=FILE.pem", result.stderr)

    def test_without_sbsigntool(self):
        os.mkdir(self.path("bin"))
        os.symlink("/usr/bin/python3", self.path("bin/python3"))
        result = self.sign(SNAKEOIL + ".key", env={"PATH": self.path("bin")})
        self.assertEqual(result.returncode, 2)
        self.assertIn("install the Debian package sbsigntool", result.stderr)

    def test_rom_of_a_signed_driver(self):
        """`make sign` makes the ROMs of the signed drivers."""
        result = run("make", "-o", "deps", "sign", f"BUILD={BUILD}", f"KEY={snakeoil_key(self.folder)}",
                     f"CERT={SNAKEOIL}.pem")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        for rom, driver in (("e1000e.rom", "e1000.efi"), ("virtio-net.rom", "virtio-net.efi")):
            with open(os.path.join(BUILD, "signed", rom), "rb") as file:
                content = file.read()
            with open(os.path.join(BUILD, "signed", driver), "rb") as file:
                self.assertIn(file.read(), content)


class Media(InFolder):
    """What firmware and other systems find on the media, with tools that are not ours."""

    def make(self, name, *arguments):
        result = run("tools/mkmedia", *(arguments or ("--images", BUILD)), self.path(name))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        return self.path(name)

    def same(self, drive, name, path):
        shown = subprocess.run(["mtype", "-i", drive, "::" + name], capture_output=True, check=False)
        with open(path, "rb") as file:
            self.assertEqual(shown.stdout, file.read(), name)

    def check_content(self, drive):
        netdiag = os.path.join(BUILD, "netdiag.efi")
        self.same(drive, "EFI/BOOT/BOOTX64.EFI", netdiag)
        for name in ("netdiag.efi", "e1000.efi", "virtio-net.efi"):
            self.same(drive, name, os.path.join(BUILD, name))
        self.assertIn("its menu comes up", run("mtype", "-i", drive, "::README.TXT").stdout)
        listed = run("mdir", "-b", "-i", drive, "::/").stdout.split()
        self.assertNotIn("::/startup.nsh", listed)

    def test_stick(self):
        image = self.make("stick.img")
        with open(image, "rb") as file:
            content = file.read()
        header = content[512:1024]
        mirror = content[-512:]
        for which, own in ((header, 1), (mirror, len(content) // 512 - 1)):
            crc, = struct.unpack_from("<I", which, 16)
            self.assertEqual(zlib.crc32(which[:16] + bytes(4) + which[20:92]), crc)
            self.assertEqual(struct.unpack_from("<Q", which, 24)[0], own)
            table_at, count, size, table_crc = struct.unpack_from("<72xQIII", which)
            self.assertEqual(zlib.crc32(content[table_at * 512:table_at * 512 + count * size]), table_crc)
        first, last = struct.unpack_from("<QQ", content, 1024 + 32)
        self.assertEqual(content[1024:1040], uuid.UUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B").bytes_le)
        self.assertLessEqual(last, struct.unpack_from("<Q", header, 48)[0])
        self.assertEqual(content[510:512], b"\x55\xaa")
        self.assertEqual(content[450], 0xEE)
        boot_sector = content[first * 512:first * 512 + 512]
        self.assertEqual(boot_sector[82:90], b"FAT32   ")
        self.assertEqual(struct.unpack_from("<I", boot_sector, 28)[0], first, "hidden sectors")
        self.assertEqual(struct.unpack_from("<I", boot_sector, 32)[0], last - first + 1, "sectors")
        self.check_content(f"{image}@@{first * 512}")

    def test_same_again(self):
        """The same content is the same image, to the byte where the files' times are told."""
        for kind in ("img", "iso"):
            made = []
            for name in ("one", "two"):
                result = run("tools/mkmedia", "--images", BUILD, self.path(f"{name}.{kind}"),
                             env=dict(os.environ, SOURCE_DATE_EPOCH="1700000000", TZ=f"UTC+{len(made)}"))
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                with open(self.path(f"{name}.{kind}"), "rb") as file:
                    made.append(file.read())
            self.assertEqual(len(made[0]), len(made[1]), kind)
            differ = [place for place in range(0, len(made[0]), 512)
                      if made[0][place:place + 512] != made[1][place:place + 512]]
            self.assertEqual(differ, [], kind)

    def other_images(self, folder, machine):
        """Images as if for another machine of the PE header's."""
        os.mkdir(self.path(folder))
        for name in medialib.IMAGES:
            with open(os.path.join(BUILD, name), "rb") as file:
                image = bytearray(file.read())
            struct.pack_into("<H", image, struct.unpack_from("<I", image, 0x3C)[0] + 4, machine)
            with open(os.path.join(self.path(folder), name), "wb") as file:
                file.write(image)
        return self.path(folder)

    def test_three_processors(self):
        arm, ia32 = self.other_images("arm", 0xAA64), self.other_images("i386", 0x014C)
        drive = self.make("three.img", "--images", BUILD, "--images", arm, "--images", ia32) + "@@1M"
        self.check_content(drive)
        self.same(drive, "EFI/BOOT/BOOTAA64.EFI", os.path.join(arm, "netdiag.efi"))
        self.same(drive, "EFI/BOOT/BOOTIA32.EFI", os.path.join(ia32, "netdiag.efi"))
        for name in medialib.IMAGES:
            self.same(drive, "aarch64/" + name, os.path.join(arm, name))
            self.same(drive, "ia32/" + name, os.path.join(ia32, name))
        readme = run("mtype", "-i", drive, "::README.TXT").stdout
        for text in ("BOOTX64.EFI", "BOOTAA64.EFI", "BOOTIA32.EFI", "aarch64\\", "ia32\\"):
            self.assertIn(text, readme)

    def test_cd(self):
        image = self.make("cd.iso")
        found = run("xorriso", "-indev", image, "-report_el_torito", "plain").stdout
        place = re.search(r"El Torito boot img :\s+1\s+UEFI\s+y\s+none\s+0x0000\s+0x00\s+([1-9]\d*)\s+(\d+)", found)
        self.assertTrue(place, found)
        self.check_content(f"{image}@@{int(place[2]) * 2048}")

    def test_folder(self):
        os.makedirs(self.path("tree/EFI/BOOT"))
        for name in ("EFI/BOOT/BOOTX64.EFI", "limine.conf", "a kernel"):
            with open(os.path.join(self.path("tree"), name), "w", encoding="ascii") as file:
                file.write(name * 1000)
        image = self.make("tree.img", "--from", self.path("tree"))
        for name in ("EFI/BOOT/BOOTX64.EFI", "limine.conf", "a kernel"):
            self.same(f"{image}@@1M", name, os.path.join(self.path("tree"), name))

    def test_mistakes(self):
        os.mkdir(self.path("empty"))
        mixed, wrong = self.other_images("mixed", 0xAA64), self.other_images("wrong", 0x5064)
        shutil.copy(os.path.join(BUILD, "e1000.efi"), mixed)
        for arguments, text in ((("--from", self.path("empty"), self.path("x.img")), "has no EFI/BOOT/BOOTX64.EFI"),
                                (("--from", "/nowhere", self.path("x.img")), "/nowhere is no folder"),
                                (("--images", self.path("empty"), self.path("x.img")), "netdiag.efi is missing: run"),
                                (("--images", BUILD, "--images", BUILD, self.path("x.img")), "the second folder"),
                                (("--images", mixed, self.path("x.img")), "images for several processors"),
                                (("--images", wrong, self.path("x.img")), "netdiag.efi is no image for x86_64"),
                                (("--images", BUILD, self.path("x.zip")), "ends with neither .img nor .iso"),
                                (("--images", BUILD, "/nowhere/x.img"), "No such file or directory")):
            with self.subTest(text):
                result = run("tools/mkmedia", *arguments)
                self.assertEqual(result.returncode, 2)
                self.assertIn(text, result.stderr)
                self.assertFalse(os.path.exists(self.path("x.img")))


if __name__ == "__main__":
    unittest.main()
