"""test_inside - what netdiag reports of a NIC, as text, JSON and screens: one machine with a NIC of either family."""

import json
import re
import subprocess
import sys
import unittest

from harness import NOT_FOUND, SUCCESS, QemuTest, qemulib, split

MODELS = ("e1000e", "virtio-net-pci")
UNSUPPORTED = "0x3"


class Inside(QemuTest):
    """Everything in one boot."""

    def commands(self):
        """(line, status, file) of each; what goes to a file is JSON."""
        yield "netdiag list", SUCCESS, None
        yield "netdiag list --json >a list.jsn", SUCCESS, "list.jsn"
        yield "netdiag pnig", "0x2", None
        yield "netdiag handoff --show --json >a handoff.jsn", NOT_FOUND, "handoff.jsn"
        for i in range(len(MODELS)):
            nic = f"-n {i}"
            ping = f"netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -c 3 -i 50 {nic}"
            for line, name in (
                    (f"netdiag info --registers --nvm {nic}", "info"), (f"netdiag stats -t 1 {nic}", "stats"),
                    (ping, "ping"), (f"netdiag frames -c 50 {nic}", "frames"), (f"netdiag echo -t 1 {nic}", "echo"),
                    (f"netdiag regs {nic}", "regs"), (f"netdiag rings {nic}", "rings"),
                    (f"netdiag selftest {nic}", "self"), (f"netdiag stats --watch -t 2 {nic}", "watch")):
                yield f"{line} --json >a {name}{i}.jsn", SUCCESS, f"{name}{i}.jsn"
            for line in ("regs", "rings", "selftest", "stats --watch -t 2"):
                yield f"netdiag {line} {nic}", SUCCESS, None
            yield f"netdiag identify -t 1 {nic}", UNSUPPORTED if "virtio" in MODELS[i] else SUCCESS, None

    def test_inside(self):
        peers = [self.peer("10.9.9.1") for _ in MODELS]
        commands = list(self.commands())
        machine = self.machine([line for line, _, _ in commands],
                               [(model, peer.netdev()) for model, peer in zip(MODELS, peers)])
        self.assertTrue(machine.wait_for(None), machine.output[-1500:])
        results = {}
        for result in split(machine.output):
            results[result.line.strip()] = result.printed, result.status
        documents = {}
        for line, status, name in commands:
            with self.subTest(line):
                text, ended = results[line]
                self.assertEqual(ended, status, text)
                if name:
                    documents[name] = self.parse(machine.disk, name)
        self.check_documents(documents)
        self.check_texts({line: text for line, (text, _) in results.items()})

    def parse(self, disk, name):
        raw = qemulib.read_from_disk(disk, name)
        self.assertIsNotNone(raw, name)
        tool = subprocess.run([sys.executable, "-m", "json.tool"], input=raw, capture_output=True, check=False)
        self.assertEqual(tool.returncode, 0, f"{name}: {tool.stderr}\n{raw}")
        return json.loads(raw)

    def check_documents(self, documents):
        nics = documents["list.jsn"]["nics"]
        self.assertEqual([nic["mac"] for nic in nics], [qemulib.mac(i) for i in range(len(MODELS))])
        self.assertEqual(documents["handoff.jsn"]["error"]["name"], "EFI_NOT_FOUND")
        for i in range(len(MODELS)):
            self.assertEqual(documents[f"ping{i}.jsn"]["statistics"]["received"], 3)
            self.assertEqual(documents[f"frames{i}.jsn"]["echoed"], 50)
            self.assertEqual(documents[f"info{i}.jsn"]["mac"], qemulib.mac(i))
            self.assertEqual(len(documents[f"watch{i}.jsn"]["samples"]), 3)
            for queue in documents[f"rings{i}.jsn"]["queues"]:
                self.assertEqual(queue["free"] + queue["filled"] + queue["done"], queue["size"], queue)
            self_test = documents[f"self{i}.jsn"]
            self.assertEqual((self_test["failed"], self_test["loops"]), (0, 1), self_test)
            verdicts = {check["name"]: check["verdict"] for check in self_test["checks"]}
            self.assertEqual(verdicts["DMA: memory below 4 GiB"], "ok", self_test)
            self.assertEqual(verdicts["DMA: memory above 4 GiB"], "skipped", "OVMF gives none above, but says so")
        registers = {row["name"]: row for row in documents["regs0.jsn"]["registers"]}
        self.assertIn("LU", registers["STATUS"]["bits"])
        self.assertTrue(registers["ICR"]["unread"] and registers["ICR"]["clears"])
        registers = {row["name"]: row for row in documents["regs1.jsn"]["registers"]}
        self.assertIn("DRIVER_OK", registers["device_status"]["bits"])

    def check_texts(self, texts):
        self.assertIn("did you mean 'ping'?", texts["netdiag pnig"])
        self.assertIn("1000 Mb/s full", texts["netdiag list"])
        self.assertRegex(texts["netdiag rings -n 0"], r"(?m)^     0 #{32}  head 0")
        self.assertIn("avail_event", texts["netdiag rings -n 1"])
        self.assertIn("loopback: frames of 1514 bytes come back unchanged (13.4.22)", texts["netdiag selftest -n 0"])
        self.assertIn("They are as they were.", texts["netdiag identify -t 1 -n 0"])
        self.assertIn("no lights that a driver can switch", texts["netdiag identify -t 1 -n 1"])
        for line, text in texts.items():
            for shown in text.splitlines():
                self.assertLess(len(shown) if "--watch" not in line else 0, 80, f"{line}: {shown}")


if __name__ == "__main__":
    unittest.main()
