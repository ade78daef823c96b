"""test_wire - tools/wire.py: one end of a machine's wire."""

import os
import sys
import tempfile
import threading
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import wire  # noqa: E402

FRAMES = 20


class Slow(wire.Wire):
    """Takes nothing before it is allowed to."""

    def __init__(self, *paths):
        super().__init__(*paths)
        self.allowed = threading.Event()

    def take(self, frame):
        self.allowed.wait()


class CatchUp(unittest.TestCase):
    def test_machine_that_has_ended(self):
        """What it sent before is on the socket still: all of it is there behind catch_up(), and the mark is not."""
        with tempfile.TemporaryDirectory(prefix="t-") as folder:
            ends = [os.path.join(folder, name) for name in ("a", "b")]
            slow = Slow(ends[0], ends[1]).start()
            machine = wire.Wire(ends[1], ends[0])
            frames = [bytes([number]) * 60 for number in range(1, FRAMES + 1)]
            sender = threading.Thread(target=lambda: [machine.send(frame) for frame in frames])
            sender.start()
            self.assertFalse(slow.wait(lambda got: got, timeout=0.1))
            slow.allowed.set()
            sender.join()
            self.assertTrue(slow.catch_up())
            self.assertEqual(slow.frames, frames)
            slow.stop()
            machine.socket.close()


if __name__ == "__main__":
    unittest.main()
