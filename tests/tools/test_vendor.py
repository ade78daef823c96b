"""test_vendor - tools/vendor: what it copies, that the copy is whole, and that --check sees every difference."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Vendor(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="v-")
        self.addCleanup(folder.cleanup)
        self.kernel = folder.name
        self.copy = os.path.join(folder.name, "vendor/nic")

    def run_tool(self, *arguments, status=0, tool=os.path.join(ROOT, "tools/vendor"), path=os.environ["PATH"]):
        result = subprocess.run([tool, self.kernel, *arguments], capture_output=True, text=True, check=False,
                                env=dict(os.environ, PATH=path))
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def path(self, name):
        return os.path.join(self.copy, name)

    def change(self, name):
        with open(self.path(name), "a", encoding="utf-8") as file:
            file.write("/* mine */\n")

    def test_compiles(self):
        """Each choice by itself, with no folder but its own to include from."""
        flags = ["-std=c11", "-ffreestanding", "-mgeneral-regs-only", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        for arguments in (["--glue", "plain"], ["--glue", "none", "--family", "e1000"],
                          ["--glue", "none", "--family", "virtio"]):
            with self.subTest(arguments):
                self.run_tool(*arguments)
                sources = [os.path.join(folder, name) for folder, _, names in os.walk(self.copy)
                           for name in names if name.endswith(".c")]
                self.assertGreater(len(sources), 15)
                result = subprocess.run(["gcc", *flags, "-I", self.path("include"), *sources], capture_output=True,
                                        text=True, check=False)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(len([name for name in sources if "/drivers_" in name]), 1)

    def test_choices(self):
        """The same command with another choice leaves nothing of the one before."""
        self.run_tool()
        self.assertTrue(os.path.exists(self.path("net/virtio/virtq.c")))
        text = self.run_tool("--family", "e1000", "--glue", "none")
        self.assertFalse(os.path.exists(self.path("net/virtio/virtq.c")))
        self.assertFalse(os.path.exists(self.path("kernel/plain/plain.c")))
        self.assertTrue(os.path.exists(self.path("net/drivers_e1000.c")))
        self.assertNotIn("plain.h", text)
        self.assertIn("0 differ", self.run_tool("--check"))
        text = self.run_tool("--glue", "menios")
        self.assertTrue(os.path.exists(os.path.join(self.kernel, "vendor/e1000/kernel/menios/menios_platform.c")))
        self.assertIn("e1000_menios_early();", text)
        self.assertIn("CINCLUDE += -Ivendor/e1000/include -Ivendor\n", text)

    def test_check(self):
        self.run_tool()
        self.change("net/netdev.c")
        os.remove(self.path("kernel/place.c"))
        text = self.run_tool("--check", status=1)
        self.assertIn("net/netdev.c: changed in the copy", text)
        self.assertIn("kernel/place.c: missing in the copy", text)
        self.assertIn(", 2 differ", text)

    def test_check_against_a_newer_tree(self):
        """This tree goes on: a file that changed, one that is new, one that is gone."""
        with tempfile.TemporaryDirectory(prefix="t-") as tree:
            for name in ("driver", "include", "tools"):
                shutil.copytree(os.path.join(ROOT, name), os.path.join(tree, name),
                                ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(os.path.join(ROOT, "LICENSE"), tree)
            tool = os.path.join(tree, "tools/vendor")
            self.assertIn("commit unknown (no git)", self.run_tool(tool=tool))
            with open(os.path.join(tree, "driver/net/netdev.c"), "a", encoding="utf-8") as file:
                file.write("\n")
            with open(os.path.join(tree, "driver/net/newer.c"), "w", encoding="utf-8") as file:
                file.write("\n")
            os.remove(os.path.join(tree, "driver/kernel/msi.h"))
            text = self.run_tool("--check", status=1, tool=tool)
            self.assertIn("net/netdev.c: changed in this tree", text)
            self.assertIn("net/newer.c: new in this tree", text)
            self.assertIn("kernel/msi.h: no longer in this tree", text)
            self.run_tool(tool=tool)
            self.assertFalse(os.path.exists(self.path("kernel/msi.h")))
            self.assertIn("0 differ", self.run_tool("--check", tool=tool))

    def test_machine_without_git(self):
        self.assertIn("commit unknown (no git)", self.run_tool(path="/nowhere"))

    def test_changes_are_not_lost(self):
        self.run_tool()
        self.change("net/netdev.c")
        text = self.run_tool(status=1)
        self.assertIn("net/netdev.c; --force overwrites", text)
        with open(self.path("net/netdev.c"), encoding="utf-8") as file:
            self.assertIn("mine", file.read())
        self.run_tool("--force")
        self.assertIn("0 differ", self.run_tool("--check"))

    def test_errors(self):
        """Each names the thing and the remedy."""
        self.assertIn("run it without --check", self.run_tool("--check", status=2))
        self.assertIn("a folder inside", self.run_tool("--to", "../elsewhere", status=2))
        self.assertIn("a folder inside", self.run_tool("--to", "/elsewhere", status=2))
        self.assertIn("invalid choice", self.run_tool("--family", "tulip", status=2))
        os.makedirs(self.copy)
        with open(self.path("something"), "w", encoding="utf-8"):
            pass
        self.assertIn("was not made by this tool", self.run_tool(status=2))
        with open(self.path("VENDORED"), "w", encoding="utf-8") as file:
            file.write("what?\n")
        self.assertIn("vendor again", self.run_tool("--check", status=2))
        self.kernel = os.path.join(self.kernel, "nowhere")
        self.assertIn("is no folder", self.run_tool(status=2))

    def test_library(self):
        """What is copied of driver/lib is what the Makefile links a vendored kernel with."""
        with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
            listed = re.search(r"VENDORED_LIB := \$\(addprefix driver/lib/,(.*)\)", file.read()).group(1)
        self.run_tool()
        copied = {name for name in os.listdir(self.path("lib")) if name.endswith(".c")}
        self.assertEqual(copied, set(re.split(r"[, ]+", listed)))


if __name__ == "__main__":
    unittest.main()
