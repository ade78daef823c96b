"""test_capture - netdiag capture against QEMU's own dump of the same wire, and the pages of netdiag monitor as a serial
terminal shows them."""

import json
import os
import re
import subprocess
import threading
import unittest

from harness import NOT_FOUND, Prompt, QemuTest, qemulib, test_frame

ADDR = "--addr 10.9.9.2/24"
OTHER = bytes.fromhex("020000000077")
FRAMES = 200
SHORTEST = 2 * 60  # digits of a frame


def records(path):
    """The frames of a capture file, as tshark reads them: their bytes, in hexadecimal. Short ones are filled up on
    their way."""
    command = ["tshark", "-n", "-r", path, "-T", "json", "-x", "--no-duplicate-keys"]
    result = subprocess.run(command, capture_output=True, check=True, env=dict(os.environ, HOME="/tmp"))
    frames = (packet["_source"]["layers"]["frame_raw"][0] for packet in json.loads(result.stdout))
    return [frame.ljust(SHORTEST, "0") for frame in frames]


def ways(frames):
    """Those that the NIC sent, and those that came to it. Each way keeps its order; but a reply may be on the wire
    before the next request, and be taken from the ring behind it."""
    own = qemulib.MAC.replace(":", "")
    return [frame for frame in frames if frame[12:24] == own], [frame for frame in frames if frame[12:24] != own]


class Screen:
    """As much of a terminal as edk2's serial driver uses (UEFI 2.10, appendix D): where which character stands."""

    ESCAPE = re.compile(r"\x1b\[([0-9;=?]*)([A-Za-z])")

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0

    def new_line(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[" "] * self.columns]

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.new_line()
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character >= " ":
            if self.column < self.columns:
                self.cells[self.row][self.column] = character
            self.column += 1

    def feed(self, text):
        at = 0
        while at < len(text):
            match = self.ESCAPE.match(text, at)
            if not match:
                self.put(text[at])
                at += 1
                continue
            at = match.end()
            if match[2] == "H":
                row, column = (int(number or 1) for number in ((match[1] or "1;1").split(";") + ["1"])[:2])
                self.row, self.column = min(row, self.rows) - 1, min(column, self.columns) - 1
            elif match[2] == "J":
                self.cells = [[" "] * self.columns for _ in range(self.rows)]

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]


class Capture(QemuTest):
    def file(self, machine, name):
        content = qemulib.read_from_disk(machine.disk, name)
        self.assertTrue(content, f"no {name} on the disk")
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def wait_for_capture(self, machine, shell, name):
        found = machine.wait_for(rf"Capturing on eth0 to '{name}\.pcapng'", since=shell.offset)
        self.assertTrue(found, machine.output[-500:])

    def test_frame_by_frame(self):
        """What went over the wire while each command ran, nothing else and nothing less: QEMU's dump is the judge."""
        peer = self.peer("10.9.9.1")
        dump = os.path.join(self.folder, "wire.pcap")
        machine = self.machine([], [("e1000e", peer.netdev())], finish="",
                               extra=["-object", f"filter-dump,id=dump,netdev=n0,file={dump},maxlen=2000"])
        shell = Prompt(self, machine)
        parts = {
            "ping.pcapng": shell(f"netdiag ping 10.9.9.1 {ADDR} -c 3 -i 50 --capture ping.pcapng"),
            "frames.pcapng": shell("netdiag frames -s 60-1514 --capture fs0:\\frames.pcapng"),
        }
        machine.type(f"netdiag capture all.pcapng -c {FRAMES}\r")
        self.wait_for_capture(machine, shell, "all")
        for number in range(FRAMES):
            peer.send(test_frame(OTHER, peer.mac, 1, number, 60 + number * 7))
        parts["all.pcapng"] = shell.read()
        machine.type("netdiag capture arp.pcapng -c 2 arp and not vlan\r")
        self.wait_for_capture(machine, shell, "arp")
        arp = bytes.fromhex("ffffffffffff") + peer.mac + bytes.fromhex("08060001080006040001") + peer.mac + bytes(16)
        tagged = arp[:12] + b"\x81\0\0\x05" + arp[12:]
        for frame in (test_frame(OTHER, peer.mac, 2, 1, 60), tagged, arp, tagged, arp.ljust(60, b"\0")):
            peer.send(frame)
        parts["arp.pcapng"] = shell.read()
        missing = shell("netdiag capture nowhere\\x.pcapng -t 1")
        status = shell("echo %lasterror%")
        bench = shell("netdiag bench --peer 10.9.9.1 -t 5 -l 60-1514")
        machine.type("reset -s\r")
        self.assertTrue(machine.wait_for(None))
        self.assertIn("there is no such folder", missing)
        self.assertIn(NOT_FOUND, status)
        for text in (r"transmit +[1-9]\d* frames/s", r"echo +[1-9]\d* frames/s", r"rtt min/median/p99/max = [\d/]+ us"):
            self.assertRegex(bench, text)
        wire = ways(records(dump))
        begin = [0, 0]
        for name, text in parts.items():
            path = self.file(machine, name)
            capinfos = subprocess.run(["capinfos", "-M", path], capture_output=True, text=True, check=True).stdout
            self.assertIn("82574L at 0000:00:", capinfos)
            self.assertIn("Speed = 1000000000", capinfos)
            frames = records(path)
            self.assertRegex(text, rf"capture: {len(frames)} frames in '[^']*{name}' \(\d+ bytes\)")
            self.assertIn(", 0 dropped", re.sub(r"\s+", " ", text))
            with self.subTest(name):
                self.assertTrue(frames)
                if name == "arp.pcapng":
                    self.assertEqual(frames, 2 * [arp.hex().ljust(SHORTEST, "0")])
                    continue
                for way, ours in enumerate(ways(frames)):
                    if ours:
                        begin[way] = wire[way].index(ours[0], begin[way])
                    end = begin[way] + len(ours)
                    self.assertTrue(ours == wire[way][begin[way]:end], "other frames than on the wire")
                    begin[way] = end
        self.assertEqual(len(records(os.path.join(self.folder, "all.pcapng"))), FRAMES)

    def test_monitor(self):
        """At two sizes of the serial console, while frames come."""
        peer = self.peer("10.9.9.1")
        machine = self.machine([], [("e1000e", peer.netdev())], finish="")
        raw, feed = [], machine._feed
        machine._feed = lambda data: (raw.append(data), feed(data))
        shell = Prompt(self, machine)
        over = threading.Event()

        def keep_sending():
            while not over.wait(0.005):
                try:
                    peer.send(test_frame(OTHER, peer.mac, 1, 7, 1000))
                except OSError:
                    return

        sender = threading.Thread(target=keep_sending, daemon=True)
        sender.start()
        try:
            for columns, rows in ((80, 25), (100, 31)):
                machine.type(f"mode {columns} {rows}\r")
                prompt = machine.wait_for(r"FS\d:\\> ", since=shell.offset)  # behind what sets the terminal's mode
                self.assertTrue(prompt, machine.output[-500:])
                shell.offset = prompt.end()
                raw.clear()
                shell("netdiag monitor -t 4")
                page = b"".join(raw).decode("ascii", "replace")
                screen = Screen(columns, rows)
                screen.feed(page[:page.rindex("\r\n")])  # before the Shell's prompt scrolls it
                lines = screen.lines()
                with self.subTest(size=f"{columns} x {rows}"):
                    text = "\n".join(lines)
                    title = r"netdiag monitor   eth0  82574L  52:54:00:12:34:56  at 0000:00:\S+ +00:00:\d\d$"
                    self.assertRegex(lines[0], title, text)
                    self.assertIn("Link up, 1000 Mb/s full duplex", lines[1])
                    self.assertRegex(lines[3], r"^in +\d+ +\S+ [kM]?b/s +[1-9]\d* +\S+ [kM]?B +1000$", text)
                    self.assertRegex(text, r"512-1023 +[1-9]")
                    self.assertRegex(text, r"test frames +[1-9]")
                    self.assertIn(":".join(f"{byte:02x}" for byte in peer.mac), text)
                    self.assertRegex("".join(line[12:] for line in lines[6:9]), "[#:]", text)
                    self.assertIn("Q or Esc: end", lines[rows - 1], text)
        finally:
            over.set()  # the thread may wait for a NIC that nobody drives any more, until QEMU ends
        small = shell("netdiag monitor -t 1 > page.txt")
        self.assertIn("monitor draws on the console", small)
        machine.type("reset -s\r")
        self.assertTrue(machine.wait_for(None))


if __name__ == "__main__":
    unittest.main()
