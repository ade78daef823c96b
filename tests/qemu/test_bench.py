"""test_bench - tools/bench in a tiny run: it works, and its JSON has every field. No figure is judged."""

import json
import os
import unittest

from harness import QemuTest


class Bench(QemuTest):
    def test_tiny(self):
        """One boot of our driver, one sample of each kind of work."""
        path = os.path.join(self.folder, "bench.json")
        only = ["transmit", "empty", "receive", "trip", "first", "memory", "sizes"]
        done = self.tool("bench", "--rounds", "1", "--samples", "1", "--nic", "e1000e", "--driver", "ours",
                         "--output", path, "--only", *only)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("round 1, ours on e1000e", done.stderr)
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        for field in ("host", "rounds", "samples", "mebibytes", "frames", "rows", "targets", "plot"):
            self.assertIn(field, data)
        measured = {(row["work"], row["size"]) for row in data["rows"] if row["part"] == "snp"}
        self.assertEqual(measured, {(work, size) for work in ("transmit", "receive") for size in (60, 512, 1514)} |
                         {("trip", 60), ("trip", 1514)} |
                         {(work, 0) for work in ("empty-receive", "empty-status", "connect", "start", "initialize",
                                                 "first-echo", "memory", "image")})
        for row in data["rows"]:
            self.assertGreater(row["median"], 0, row)
            self.assertEqual(row["driver"], "ours")
            for field in ("part", "nic", "least", "most", "rounds", "values"):
                self.assertIn(field, row)
        with open(os.path.join(self.folder, "bench.md"), encoding="utf-8") as file:
            self.assertIn("# Bench", file.read())


if __name__ == "__main__":
    unittest.main()
