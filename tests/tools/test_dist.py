"""test_dist - the release archive, as who downloads it sees it; and the version, which has one place."""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import medialib  # noqa: E402
import nics  # noqa: E402
import version  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
TOP = f"netdiag-{version.text()}"
ARCHIVE = TOP + ".tar.gz"
# What a kernel takes that wants the e1000 family (README, "To vendor the core")
VENDORED = ("driver/net/*.c", "driver/net/e1000/*.c", "driver/kernel/*.c", "driver/lib/crc32.c")


def run(*command, cwd=ROOT, **options):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          **options)


def content(path):
    with open(path, "rb") as file:
        return file.read()


class Dist(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="dist-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.made = cls.make("one")
        with tarfile.open(os.path.join(cls.folder, "one", ARCHIVE)) as archive:
            cls.members = archive.getmembers()
            archive.extractall(cls.folder)
        cls.tree = os.path.join(cls.folder, TOP)

    @classmethod
    def make(cls, name, images=BUILD, tree=ROOT, **environment):
        os.mkdir(os.path.join(cls.folder, name))
        return run(os.path.join(tree, "tools/mkdist"), "--images", images, os.path.join(cls.folder, name),
                   env=os.environ | environment)

    def test_sums(self):
        self.assertEqual(self.made.returncode, 0, self.made.stderr)
        self.assertIn("images for x86_64", self.made.stdout)
        beside = run("sha256sum", "-c", "--quiet", ARCHIVE + ".sha256", cwd=os.path.join(self.folder, "one"))
        self.assertEqual((beside.returncode, beside.stdout), (0, ""))
        inside = run("sha256sum", "-c", "--quiet", "SHA256SUMS", cwd=self.tree)
        self.assertEqual((inside.returncode, inside.stdout), (0, ""))
        with open(os.path.join(self.tree, "SHA256SUMS"), encoding="utf-8") as file:
            listed = [line.rstrip("\n").split("  ", 1)[1] for line in file]
        found = [os.path.relpath(os.path.join(top, name), self.tree) for top, _, names in os.walk(self.tree)
                 for name in names]
        self.assertEqual(sorted([*listed, "SHA256SUMS"]), sorted(found))

    def test_content(self):
        for name in (*medialib.IMAGES, *(nic.rom for nic in nics.TABLE.values() if nic.rom)):
            self.assertEqual(content(os.path.join(self.tree, "images/x86_64", name)),
                             content(os.path.join(BUILD, name)), name)
        for name in ("README.md", "INSTALL.md", "BOOTING.md", "LICENSE", "Makefile", "include/net/netdevice.h",
                     "include/net/HANDOFF.md", "driver/net/netdev.c", "driver/kernel/consumer.c", "tools/sign",
                     "tests/run"):
            self.assertEqual(content(os.path.join(self.tree, name)), content(os.path.join(ROOT, name)), name)
        listed = run("mdir", "-b", "-i", os.path.join(self.tree, "images/netdiag.img@@1M"), "::/EFI/BOOT").stdout
        self.assertIn("BOOTX64.EFI", listed)
        self.assertTrue(os.access(os.path.join(self.tree, "tools/qemu"), os.X_OK))
        for member in self.members:
            self.assertTrue(member.name.startswith(TOP + "/"), member.name)
            self.assertTrue(member.isfile(), member.name)
            self.assertEqual((member.uid, member.gid, member.uname, member.gname), (0, 0, "root", "root"))
            self.assertIn(member.mode, (0o644, 0o755))
            self.assertNotRegex(member.name, r"/build/|__pycache__|/\.git/|/\.ci/|~$|\.swp$")

    def test_same_again(self):
        """The same bytes in another time zone and with another umask, and from the unpacked release itself."""
        old = os.umask(0o077)
        try:
            self.make("two", TZ="UTC+7", LC_ALL="C")
        finally:
            os.umask(old)
        tree = os.path.join(self.folder, "unpacked")
        shutil.copytree(self.tree, tree)
        os.makedirs(os.path.join(tree, "build"))
        self.make("three", images=os.path.join(self.tree, "images/x86_64"), tree=tree)
        one = content(os.path.join(self.folder, "one", ARCHIVE))
        for name in ("two", "three"):
            other = content(os.path.join(self.folder, name, ARCHIVE))
            self.assertEqual(hashlib.sha256(one).hexdigest(), hashlib.sha256(other).hexdigest(), name)

    def test_vendored(self):
        """The core compiles as the archive has it, with nothing but a C compiler."""
        sources = sorted(path for pattern in VENDORED for path in glob.glob(os.path.join(self.tree, pattern))
                         if not re.search("drivers_(?!e1000)", path))
        self.assertGreater(len(sources), 10)
        for path in sources:
            result = run("gcc", "-std=c11", "-O1", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                         "-I" + os.path.join(self.tree, "include"), path)
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_mistakes(self):
        old = os.path.join(self.folder, "old")
        os.mkdir(old)
        for name in medialib.IMAGES:
            shutil.copy(os.path.join(BUILD, name), old)
        image = content(os.path.join(old, "e1000.efi"))
        told = f"netdiag,{version.text()},".encode()
        self.assertIn(told, image)
        with open(os.path.join(old, "e1000.efi"), "wb") as file:
            file.write(image.replace(told, told[:-2] + b"9,"))
        empty = os.path.join(self.folder, "empty")
        os.mkdir(empty)
        for number, (images, text) in enumerate(((old, "/e1000.efi is version 0.9, and this is"),
                                                 (empty, "netdiag.efi is missing: run"))):
            result = self.make(f"wrong{number}", images=images)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(text, result.stderr)
            self.assertEqual(os.listdir(os.path.join(self.folder, f"wrong{number}")), [])


class Version(unittest.TestCase):
    def test_one_place(self):
        """What netdiag says, and what README shows of it, is version.h's; no other source has it written out."""
        self.assertRegex(version.text(), r"^\d+\.\d+$")
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            shown = re.findall(r"netdiag (\d+\.\d+)\b", file.read())
        self.assertEqual(set(shown), {version.text()})
        sources = [path for top in ("app", "driver", "include/efi", "tools")
                   for path in glob.glob(os.path.join(ROOT, top, "**", "*"), recursive=True) if os.path.isfile(path)]
        for path in (*sources, os.path.join(ROOT, "Makefile")):
            if "__pycache__" not in path and not path.endswith(("report.h", "mkdist", ".md")):  # examples
                self.assertNotRegex(content(path), rf"netdiag[ -]{re.escape(version.text())}\b".encode(), path)

    def test_images(self):
        """netdiag.efi carries it for its own texts, and so does each image's SBAT section (test_media)."""
        self.assertIn(f"netdiag {version.text()}".encode(), content(os.path.join(BUILD, "netdiag.efi")))


if __name__ == "__main__":
    unittest.main()
