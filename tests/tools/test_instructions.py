"""tools/instructions: the driver executes no more instructions per frame than its table says."""

import importlib.machinery
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(REPO, "tools", "instructions")
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(REPO, "build")))

loader = importlib.machinery.SourceFileLoader("instructions", TOOL)
tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("instructions", loader))
with mock.patch.object(sys, "dont_write_bytecode", True):
    loader.exec_module(tool)

ALONE = threading.Lock()  # tests run in threads of one process, and share what one of them replaces


class Instructions(unittest.TestCase):
    def test_within_the_table(self):
        result = subprocess.run([TOOL, "--build", BUILD], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("e1000.snp_receive_60 ", result.stdout)
        self.assertIn("virtio-net.net_transmit_1514 ", result.stdout)

    def test_by_function(self):
        """What the functions take is what the path does, each once."""
        functions = {}
        counts = tool.count(os.path.join(BUILD, "paths"), "e1000", functions)
        for path, total in counts.items():
            self.assertAlmostEqual(sum(functions[path].values()), total, msg=path)
        self.assertGreater(functions["e1000.snp_receive_60"]["e1000_data_peek"], 0)
        with self.assertRaisesRegex(tool.CountError, "no path is called e1000.nothing"):
            tool.show_functions(BUILD, "e1000.nothing")

    def run_with(self, counts, *arguments, compiler="gcc-12"):
        """(exit status, what it prints) with the families' counts given."""
        out = io.StringIO()
        with mock.patch.object(tool, "count", lambda _, family: counts if family == "e1000" else {}), \
                mock.patch.object(tool, "compiler_of", lambda _: compiler), \
                mock.patch.object(sys, "argv", ["instructions", "--table", self.table, *arguments]), \
                mock.patch.object(tool, "print", lambda *words, **how: print(*words, **{"file": out} | how),
                                  create=True):
            return tool.main(), out.getvalue()

    def setUp(self):
        ALONE.acquire()
        self.addCleanup(ALONE.release)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.table = os.path.join(folder.name, "table.txt")

    def test_verdicts(self):
        self.assertEqual(self.run_with({"e1000.a": 100.0, "e1000.b": 200.0}, "--update")[0], 0)
        for now, status, word in ((100.0, 0, "+0.0%"), (105.0, 0, "+5.0%"), (105.1, 1, "FAIL"), (94.9, 0, "better"),
                                  (95.0, 0, "-5.0%")):
            with self.subTest(now=now):
                got, text = self.run_with({"e1000.a": now, "e1000.b": 200.0})
                self.assertEqual(got, status, text)
                self.assertIn(word, text.splitlines()[1])
                self.assertNotIn("FAIL", text.splitlines()[2])
        # A path that is no longer counted is not a path that got better
        self.assertEqual(self.run_with({"e1000.a": 100.0})[0], 1)
        # A new one has no figure yet
        status, text = self.run_with({"e1000.a": 100.0, "e1000.b": 200.0, "e1000.c": 1.0})
        self.assertEqual(status, 0)
        self.assertIn("not in the table", text)

    def test_compilers(self):
        self.run_with({"e1000.a": 100.0}, "--update")
        status, text = self.run_with({"e1000.a": 900.0}, compiler="gcc-99")
        self.assertEqual(status, 0, "another compiler's counts are no regression")
        self.assertIn("does not know", text)
        self.run_with({"e1000.a": 120.0}, "--update", compiler="gcc-14")
        self.assertEqual(self.run_with({"e1000.a": 120.0}, compiler="gcc-14")[0], 0)
        self.assertEqual(self.run_with({"e1000.a": 120.0}, compiler="gcc-12")[0], 1)


if __name__ == "__main__":
    unittest.main()
