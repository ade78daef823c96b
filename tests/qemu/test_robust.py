"""test_robust - the driver under load while its world changes: disturbances, removal, floods."""

import os
import re
import subprocess
import unittest

from harness import BUILD, ROOT, QemuTest

MODELS = ("e1000", "e1000e")


class Soak(QemuTest):
    def test_soak(self):
        """The short version of `make soak`; every kind of disturbance occurs."""
        for model in MODELS:
            with self.subTest(model):
                result = subprocess.run([os.path.join(ROOT, "tools/soak"), "--build", BUILD, "--nic", model, "--frames",
                                         "20000"], capture_output=True, text=True, check=False)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                summary = re.search(r"20000 sent, 20000 arrived, 20000 received, 0 lost, 0 duplicated, 0 reordered, 0 damaged; "
                                    r"(\d+) filter changes, (\d+) link flaps, (\d+) restarts .*; nothing held", result.stdout)
                self.assertTrue(summary, result.stdout)
                filters, flaps, restarts = (int(count) for count in summary.groups())
                self.assertGreaterEqual(filters, 6, "kinds of filter change")
                self.assertGreaterEqual(flaps, 1)
                self.assertGreaterEqual(restarts, 4, "Shutdown, Stop, Reset, DisconnectController")


if __name__ == "__main__":
    unittest.main()
