"""test_bench - tools/bench's statistics, tables and plot, without a machine."""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import benchlib  # noqa: E402
import bench_kernel  # noqa: E402
import bench_stack  # noqa: E402

SAID = """=== bench 0 3 transmit
bench: 2000000000 ticks per second
bench: transmit 60: 12800 ticks for 64 operations, 3 samples, 6400 to 99999
bench: empty-status 0: 2000 ticks for 200 operations, 3 samples, 1600 to 2000
bench: memory 5 pages, image 131072 bytes
bench: early 2, waited 337 us
bench: hold 100: 64 kept
bench: Success
"""


def tool():
    loader = importlib.machinery.SourceFileLoader("bench_tool", os.path.join(ROOT, "tools", "bench"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_tool", loader))
    loader.exec_module(module)
    return module


def results(*values):
    found = benchlib.Results()
    for value in values:
        found.add(*value)
    return found.rows()


class Parse(unittest.TestCase):
    def test_times(self):
        """Medians, as nanoseconds an operation by the rate said before; memory in bytes."""
        self.assertEqual(benchlib.parse(SAID), [("transmit", 60, 100.0), ("empty-status", 0, 5.0), ("memory", 0, 20480),
                                                ("image", 0, 131072)])

    def test_instructions(self):
        """The least, and not the median, by the shift of -icount."""
        self.assertEqual(benchlib.parse(SAID, True)[0], ("transmit", 60, 6400 / 64 / 2 ** benchlib.ICOUNT_SHIFT))

    def test_least(self):
        self.assertEqual(benchlib.parse(SAID, False, True)[0], ("transmit", 60, 50.0))

    def test_failures(self):
        for text in ("bench: receive 60: failed", "bench: no work is called 'x'", "bench: NIC 3 of 2, 1 samples: none"):
            with self.assertRaises(benchlib.BenchError):
                benchlib.parse(SAID + text + "\n")
        with self.assertRaises(benchlib.BenchError):
            benchlib.parse(SAID.split("\n", 2)[2])  # no rate before

    def test_accesses(self):
        """By operations of bench.c; windows that came again count."""
        frames = 4 * 64 * 3
        found = dict(benchlib.accesses({1: [frames, 0], 3: [0, frames + 16], 5: [0, 800]}, SAID, 2))
        self.assertEqual(found["transmit, writes"], 1)
        self.assertEqual(found["transmit, reads"], 0)
        self.assertEqual(found["receive, reads"], 1)
        self.assertEqual(found["empty-status, reads"], 2)

    def test_numbers_of_the_guest(self):
        """The counts that accesses() divides by are those of the program."""
        with open(os.path.join(ROOT, "tests/efi/bench.h"), encoding="utf-8") as file:
            header = file.read()
        with open(os.path.join(ROOT, "tests/efi/bench.c"), encoding="utf-8") as file:
            program = file.read()
        self.assertRegex(header, rf"#define WINDOW +{benchlib.WINDOW}U")
        self.assertRegex(header, rf"#define ROUNDS +{benchlib.ROUNDS}U")
        self.assertRegex(program, rf"#define WARM_UP +{benchlib.WARM_UP}U")
        self.assertRegex(program, rf"#define EMPTY_CALLS +{benchlib.EMPTY_CALLS}U")
        self.assertIn("enum section { OTHER, TRANSMIT, COMPLETION, RECEIVE, EMPTY_RECEIVE, EMPTY_STATUS", header)


class Tables(unittest.TestCase):
    ROWS = results(("snp", "e1000", "ours", "transmit", 60, 90), ("snp", "e1000", "iPXE", "transmit", 60, 400),
                   ("snp", "e1000", "ours", "transmit", 60, 100), ("snp", "e1000", "iPXE", "transmit", 60, 300),
                   ("snp", "e1000", "ours", "transmit", 60, 5000), ("snp", "e1000", "iPXE", "transmit", 60, 200),
                   ("snp", "e1000", "ours", "receive", 60, 100), ("snp", "e1000", "iPXE", "receive", 60, 200),
                   ("instructions", "e1000", "ours", "transmit", 60, 10),
                   ("instructions", "e1000", "iPXE", "transmit", 60, 40),
                   ("size", "e1000.efi", "ours", "file", 0, 70000),
                   ("kernel", "e1000", "ours", "kernel", 0, 10), ("kernel", "e1000", "Linux", "kernel", 0, 40),
                   ("kernel", "e1000", "ours", "interrupts", 0, 9), ("kernel", "e1000", "Linux", "interrupts", 0, 5),
                   ("kernel", "e1000", "Linux", "kept", 0, 139.75),
                   ("rings", "e1000", "ours", "ring 64", 10, 10), ("rings", "e1000", "ours", "ring 64", 100, 63))

    def test_ratios(self):
        """Of medians, which one slow round does not move."""
        row = next(row for row in self.ROWS if row["driver"] == "iPXE" and row["part"] == "snp")
        self.assertEqual(row["median"], 300)
        self.assertAlmostEqual(row["ours_over_this"], 1 / 3)
        self.assertAlmostEqual(row["times_faster"], 3)
        self.assertEqual((row["least"], row["most"], row["rounds"]), (200, 400, 3))

    def test_keep(self):
        """What was measured anew replaces the old; the rest stays."""
        new = results(("snp", "e1000", "ours", "transmit", 60, 1))
        kept = benchlib.keep(self.ROWS, new)
        self.assertEqual(len(kept), 1 + len(self.ROWS) - 2)
        self.assertEqual(kept[0]["median"], 1)

    def test_targets(self):
        found = {(row["nic"], row["work"]): row for row in benchlib.targets(self.ROWS)}
        self.assertTrue(found["e1000", "transmit, 60 B"]["met"])
        self.assertEqual(found["e1000", "transmit, 60 B"]["instructions"], 0.25)
        self.assertFalse(found["e1000", "receive, 8 waiting, 60 B"]["met"])
        self.assertFalse(found["e1000.efi", "image file"]["met"])
        self.assertEqual(len(found), 3)

    def test_markdown(self):
        data = {"host": {"date": "D", "qemu": "Q", "processors": 2, "processor": "P", "load": 0.5}, "rounds": 3,
                "samples": 25, "rows": self.ROWS, "targets": benchlib.targets(self.ROWS)}
        text = benchlib.report(data)
        self.assertIn("| e1000 | transmit, 60 B | iPXE | 0.33 | 0.33 | 0.25 | met |", text)
        self.assertIn("| e1000 | receive, 8 waiting, 60 B | 0.50 |", text)
        self.assertIn("| e1000 | none | 4.00 | 9.0 | 5.0 | - | 140 |", text)
        self.assertIn("| e1000 | 64 | 10 | 63 |", text)
        widths = [line.count("|") for line in text.splitlines() if line.startswith("|")]
        self.assertEqual([line for line in text.splitlines() if len(line) > 200], [])
        self.assertTrue(widths)

    def test_plot(self):
        """tools/plot draws what plot_rows makes."""
        rows = benchlib.plot_rows(self.ROWS)
        self.assertEqual(rows[0], {"work": "transmit 60", "e1000": 3})
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bench.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"plot": rows}, file)
            subprocess.run([os.path.join(ROOT, "tools/plot"), path, "--rows", "plot", "--x", "work", "--y", "e1000",
                            "--kind", "bar"], check=True)
            root = xml.etree.ElementTree.parse(os.path.join(folder, "bench.svg")).getroot()
            self.assertTrue(root.tag.endswith("svg"))


class Tool(unittest.TestCase):
    def test_commands(self):
        """Which NIC a kind of work is done on, and by which program."""
        bench = tool()
        self.assertEqual(bench.commands("ours", "e1000e", ("transmit", "empty", "arp"), 7),
                         ["load -nc e1000.efi", "bench 0 7 transmit empty", "bench 2 7 arp"])
        self.assertEqual(bench.commands("bare", "e1000", ("transmit", "trip", "receive"), 7),
                         ["ceiling 0 7 transmit", "ceiling 1 7 hear receive"])
        self.assertEqual(bench.commands("VirtioNetDxe", "virtio-net-pci", ("memory",), 2), ["bench 0 2 memory"])
        self.assertEqual(bench.commands("iPXE", "e1000", ("pxe",), 2), [])
        words = bench.device("e1000", "", 3, "", "")
        self.assertEqual((words[0], "netdev" in words[1], len(words)), ("-device", False, 2))

    def test_arguments(self):
        for words in (["--rounds", "0"], ["--only", "nothing"], ["--samples", "500"]):
            done = subprocess.run([os.path.join(ROOT, "tools/bench"), *words], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words[0], done.stderr)
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([os.path.join(ROOT, "tools/bench"), "--build", folder], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("`make bench` builds it", done.stderr)

    def test_peer(self):
        """Swallows, echoes and sends bursts, in frames behind their length."""
        bench = tool()
        sent = []
        peer = bench.BenchPeer.__new__(bench.BenchPeer)
        peer.send = sent.append
        head = b"\x02" * 6 + b"\x04" * 6 + b"\x88\xb5"
        for operation, expected in ((bench.SWALLOW, 0), (bench.ECHO, 1), (bench.BURST, 3)):
            sent.clear()
            peer.take((head + bench.REQUEST.pack(b"BNCH", operation, 3, 512, 7)).ljust(60, b"\0"))
            stream = b"".join(sent)
            length = int.from_bytes(stream[:4], "big")
            self.assertEqual(len(stream), expected * (length + 4))
            if expected:
                self.assertEqual(stream[4:16], b"\x04" * 6 + b"\x02" * 6)
                self.assertEqual(length, 60 if operation == bench.ECHO else 512)
        sent.clear()
        peer.take(head)
        peer.take(head.ljust(60, b"\0"))
        self.assertEqual(sent, [])


class Others(unittest.TestCase):
    def test_kernels_reports(self):
        said = "linux: frames 9 elapsed_us 8 interrupts 7 end\n"
        self.assertEqual(bench_kernel.LINUX.search(said).groups(), ("9", "8", "7"))
        said = ("kernel: fresh firmware 0 kernel 9 first 1 last 9 lost 0 duplicated 0 reordered 0 damaged 0 "
                "interrupts 3 end\n")
        self.assertEqual(bench_kernel.KERNEL.search(said).groups(), ("0", "9", "0", "3"))

    def test_modules(self):
        """In the order to load: what a module needs comes first."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "modules.dep"), "w", encoding="utf-8") as file:
                file.write("a/virtio_net.ko: a/net_failover.ko a/failover.ko\na/failover.ko:\n")
            names = [os.path.basename(path) for path in bench_kernel.needed(folder, "virtio_net")]
        self.assertEqual(names, ["failover.ko", "net_failover.ko", "virtio_net.ko"])

    def test_downloads(self):
        said = "file: 2097152 bytes in 6.70 s, 315.7 KiB/s\n"
        self.assertEqual(bench_stack.FETCHED.findall(said), [("2097152", "6.70")])
        self.assertTrue(bench_stack.AS_IT_SHOULD.search("SHA-256 00, as it\n        should be"))


if __name__ == "__main__":
    unittest.main()
