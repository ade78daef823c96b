"""test_robust - the driver under load while its world changes: disturbances, removal, floods."""

import array
import fcntl
import os
import re
import socket
import struct
import termios
import unittest

from harness import ABORTED, DEVICE_ERROR, NOT_FOUND, PAIR, SUCCESS, Prompt, QemuTest, qemulib, split
import wirepeer

TDT = 0x3818


class Soak(QemuTest):
    def test_soak(self):
        """The short version of `make soak`; every kind of disturbance occurs."""
        for model in PAIR + ("virtio-net-pci",):
            with self.subTest(model):
                result = self.tool("soak", "--nic", model, "--frames", "20000")
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                summary = re.search(r"20000 sent, 20000 arrived, 20000 received, 0 lost, 0 duplicated, 0 reordered, "
                                    r"0 damaged; (\d+) filter changes, (\d+) link flaps, (\d+) restarts .*; "
                                    r"nothing held", result.stdout)
                self.assertTrue(summary, result.stdout)
                print("     " + result.stdout.strip().splitlines()[-1], flush=True)
                filters, flaps, restarts = (int(count) for count in summary.groups())
                self.assertGreaterEqual(filters, 6, "kinds of filter change")
                self.assertGreaterEqual(flaps, 1)
                self.assertGreaterEqual(restarts, 4, "Shutdown, Stop, Reset, DisconnectController")


class Removal(QemuTest):
    """The NIC is unplugged while frames move. OVMF does not answer device_del; tests/efi/unplug.c does, from a timer
    event that interrupts whatever runs. QEMU then answers reads of the NIC's registers with zeroes."""

    def images(self):
        return super().images() | self.boot_programs("unplug", "removal")

    def start(self, model, commands, peer, **options):
        """e1000e hangs below a root port, e1000 in a slot of the old machine: both can be unplugged."""
        nic = qemulib.nic_arguments(model, peer.netdev(), port=model == "e1000e")
        machine = "q35" if model == "e1000e" else "pc"
        return self.machine(["load unplug.efi"] + commands, [nic], machine=machine, **options)

    def unplug(self, machine, at, nic="nic0"):
        self.assertTrue(machine.wait_for(at), machine.output[-1000:])
        self.assertEqual(machine.qmp("device_del", id=nic), {"return": {}})

    def removed_during(self, model, command, at):
        machine = self.start(model, [f"{command} -v", "netdiag list"], self.peer("10.9.9.1"))
        self.unplug(machine, at)
        self.assertTrue(machine.wait_for(None), f"no end; last lines:\n{machine.output[-1000:]}")
        _, result, listing = split(machine.output)
        self.check_removed("e1000", result)
        self.assert_status(listing, NOT_FOUND)

    def check_removed(self, driver, result):
        self.assertIn(f"{driver}: error: the device no longer answers", result.text)
        self.assertRegex(result.text, "netdiag: .*(has gone from the bus|was it removed)")
        self.assertIn("nothing held: pool 0, dma 0, pages 0, events 0, protocols 0, attributes 0", result.text)
        self.assert_status(result, DEVICE_ERROR)

    def test_frames(self):
        for model in PAIR:
            with self.subTest(model):
                self.removed_during(model, "netdiag frames -c 1000000", r"\d+ of 1000000 sent")

    def test_ping(self):
        self.removed_during("e1000", "netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -c 100000 -i 1", "icmp_seq=100 ")

    def test_echo(self):
        self.removed_during("e1000e", "netdiag echo --addr 10.9.9.2/24", "ECHO on")

    def test_snp(self):
        """Every SNP function's answer afterwards; the driver lets go, and memory and handles are as before."""
        for model in PAIR:
            with self.subTest(model):
                machine = self.start(model, ["load -nc e1000.efi", "removal"], self.peer(answer=False))
                self.unplug(machine, "removal: unplug it")
                self.assertTrue(machine.wait_for(None), f"no end; last lines:\n{machine.output[-1000:]}")
                self.assertRegex(machine.output, r"removal: \d{4,} passed, 0 failed")
                self.assert_status(split(machine.output)[-1], SUCCESS)

    def test_virtio(self):
        """Two in one machine, both of which the firmware's driver has: one that netdiag takes, then one under our SNP.
        On QEMU's user network, which takes every frame at once: QEMU 7.2 itself crashes when its virtio-net is
        unplugged with a frame that waits for a slow wire."""
        nics = [qemulib.nic_arguments("virtio-net-pci", "user,id={id}", index=index, mac=qemulib.mac(index), port=True)
                for index in range(2)]
        ping = "netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -n eth0 -c 1000000 -i 1 -v --take"
        machine = self.machine(["load unplug.efi", ping, "netdiag list", "load -nc virtio-net.efi", "removal"], nics,
                               machine="q35")
        self.unplug(machine, "icmp_seq=100 ")
        self.unplug(machine, "removal: unplug it", "nic1")
        self.assertTrue(machine.wait_for(None), f"no end; last lines:\n{machine.output[-1000:]}")
        _, ping, listing, _, removal = split(machine.output)
        self.check_removed("virtio-net", ping)
        self.assertNotIn(qemulib.mac(0), listing.text)
        self.assertIn(qemulib.mac(1), listing.text)
        self.assertRegex(removal.text, r"removal: \d{3,} passed, 0 failed")
        self.assert_status(removal, SUCCESS)

    def test_under_the_stack(self):
        """The firmware's stack lets go of a NIC that is no longer there, and e1000.efi can be unloaded."""
        for model in PAIR:
            with self.subTest(model):
                machine = self.start(model, ["load e1000.efi"], self.peer(), finish="")
                shell = Prompt(self, machine)
                driver = re.search(r"(?m)^([0-9A-F]+) .*Intel 8254x/82574L Gigabit Ethernet", shell("drivers")).group(1)
                machine.type("netdiag frames -c 1000000\r")
                self.unplug(machine, r"\d+ of 1000000 sent")
                self.assertIn("the NIC no longer answers: was it removed?", shell.read())
                self.assertIn("Success", shell(f"unload -n {driver}"))
                self.assertNotIn("MAC(525400123456", shell("dh -d -v"))
                self.assertNotIn("Gigabit Ethernet", shell("drivers"))


class Flood(QemuTest):
    """More frames at a time than a ring holds. QEMU reads a stream socket in gulps of 68 KiB, and its e1000 drops what
    does not fit; its e1000e holds it back."""

    FRAMES = 20000

    def wire(self, model):
        """(the NIC's arguments, the listening end of its wire)"""
        path = os.path.join(self.folder, f"stream-{model}")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen()
        return qemulib.nic_arguments(model, f"stream,id={{id}},server=off,addr.type=unix,addr.path={path}"), listener

    def send(self, machine, connection, count):
        """Numbered test frames; returns when QEMU has read them all."""
        frames = (wirepeer.test_frame(b"\xff" * 6, wirepeer.MAC, 1, sequence, 60) for sequence in range(1, count + 1))
        connection.sendall(b"".join(struct.pack(">I", len(frame)) + frame for frame in frames))
        unread = array.array("i", [1])
        while unread[0]:
            fcntl.ioctl(connection, termios.TIOCOUTQ, unread)
            self.assertFalse(machine.wait_for(None, 0.05), "the machine has ended")

    def counts(self, text):
        """(received, missed)"""
        return [int((re.search(rf"rx_{name} +(\d+)", text) or [0, 0])[1]) for name in ("frames", "missed")]

    def test_every_frame_is_counted(self):
        """netdiag with a ring of eight: received or missed, nothing in between."""
        for model in PAIR:
            with self.subTest(model):
                nic, listener = self.wire(model)
                machine = self.machine(["netdiag stats -t 3600 --ring 8"], [nic])
                connection = listener.accept()[0]
                self.addCleanup(connection.close)
                self.assertTrue(machine.wait_for("Counting"), machine.output[-500:])
                self.send(machine, connection, self.FRAMES)
                machine.type("\x1b")
                self.assertTrue(machine.wait_for(None), machine.output[-500:])
                received, missed = self.counts(machine.output)
                self.assertEqual(received + missed, self.FRAMES)
                self.assertEqual(missed > 0, model == "e1000", "QEMU's e1000e misses nothing")

    def test_snp_goes_on(self):
        """The firmware's stack takes a hundred frames a second; afterwards it works as before."""
        nic, listener = self.wire("e1000")
        machine = self.machine(["load e1000.efi"], [nic], finish="")
        connection = listener.accept()[0]
        self.addCleanup(connection.close)
        connection.settimeout(qemulib.TIMEOUT_S)
        shell = Prompt(self, machine)
        self.send(machine, connection, self.FRAMES)
        received, missed = self.counts(shell("netdiag stats -t 1"))
        self.assertGreater(received, 0)
        self.assertGreater(missed, 0)
        machine.type("netdiag echo -c 100\r")
        self.assertTrue(machine.wait_for("ECHO on"), machine.output[-500:])
        self.send(machine, connection, 100)
        with connection.makefile("rb") as stream:
            replies = 0
            while replies < 100:
                frame = stream.read(struct.unpack(">I", stream.read(4))[0])
                test = wirepeer.parse_test_frame(frame)
                if test:
                    self.assertEqual(test[0], wirepeer.REPLY)
                    self.assertTrue(test[3], "intact")
                    replies += 1
        self.assertRegex(shell.read(), r"echo: 1\d\d frames")


class Hang(QemuTest):
    """A transmitter that stops: without bus mastering QEMU's models take frames and never report them done."""

    def start(self, model, commands, **options):
        nic = qemulib.nic_arguments(model, self.peer("10.9.9.1").netdev(), properties="addr=5")
        return self.machine(commands, [nic], **options)

    def bus_master(self, machine, on):
        """Writes the PCI command register of device 5 over the host bridge's ports."""
        for line in ("o /w 0xcf8 0x80002804", f"o /h 0xcfc {7 if on else 3}"):
            self.assertEqual(machine.qmp("human-monitor-command", **{"command-line": line}), {"return": ""})

    def stop_for_a_while(self, machine, until):
        """Lets `until` happen without bus mastering. Then pings are answered again, for longer than a hang takes to
        show."""
        self.assertTrue(machine.wait_for("icmp_seq=50 "), machine.output[-500:])
        self.bus_master(machine, False)
        until()
        self.bus_master(machine, True)
        offset = len(machine.output)
        self.assertTrue(machine.wait_for(r"(64 bytes from .*\n){300}", since=offset), machine.output[-500:])
        machine.type("\x1b")

    PING = "netdiag ping 10.9.9.1 --addr 10.9.9.2/24 -c 100000 -i 10"

    def test_it_is_reset_and_goes_on(self):
        for model in PAIR:
            with self.subTest(model):
                machine = self.start(model, [self.PING])
                warning = "e1000: warning: the transmitter hangs, resetting; TDH"
                self.stop_for_a_while(machine, lambda machine=machine, warning=warning: self.assertTrue(
                    machine.wait_for(warning), machine.output[-500:]))
                self.assertTrue(machine.wait_for(None), machine.output[-500:])
                self.assertRegex(machine.output, r"packets transmitted, \d{3,} received")
                self.assert_status(split(machine.output)[0], ABORTED)

    def test_statistics_show_it(self):
        """Beside the firmware's stack, which goes on as well."""
        machine = self.start("e1000e", ["load e1000.efi"], finish="")
        shell = Prompt(self, machine)
        machine.type(self.PING + "\r")

        def frames_wait():
            tail = machine.read_register(TDT)
            self.wait_until(machine, lambda: machine.read_register(TDT) != tail, "one more frame for the transmitter")

        self.stop_for_a_while(machine, frames_wait)
        self.assertRegex(shell.read(), r"packets transmitted, \d{3,} received")
        text = shell("netdiag stats -t 1")
        self.assertRegex(text, r"tx_hangs +[1-9]\d* +resets of a stuck transmitter")
        self.assertRegex(text, r"tx_errors +[1-9]\d* +handed back unsent")


if __name__ == "__main__":
    unittest.main()
