"""test_handoff - the reference kernel goes on where the firmware's NIC stopped, and no frame is lost."""

import contextlib
import importlib.machinery
import importlib.util
import os
import re
import socket
import threading
import time
import unittest

from harness import BUILD, DENIED, EVERY, LEASE, PAIR, ROOT, SUCCESS, QemuTest, make_uki, qemulib

LOADER = importlib.machinery.SourceFileLoader("handoff_demo", os.path.join(ROOT, "tools/handoff-demo"))
demo = importlib.util.module_from_spec(importlib.util.spec_from_loader("handoff_demo", LOADER))
LOADER.exec_module(demo)


class Handoff(unittest.TestCase):
    def none_lost(self, nic, origin="adopted", **options):
        result = demo.run(BUILD, nic, **options)
        self.assertEqual(result["origin"], origin, result)
        for name in ("lost", "gaps", "duplicated", "reordered", "damaged"):
            self.assertEqual(result[name], 0, result)
        self.assertEqual(result["first"], result["firmware"] + 1,
                         "the kernel's first is the one after the firmware's last")
        return result

    def test_virtio_live(self):
        """Modern, transitional (which has an I/O BAR 0 as well), with an IOMMU's addresses, below a root port: without
        a reset, which would touch far more registers."""
        for nic, interrupts in (("virtio-net-pci", "poll"), ("virtio-net-transitional", "intx"),
                                ("virtio-net-iommu", "intx"), ("virtio-net-port", "msix")):
            with self.subTest(nic + " " + interrupts):
                result = self.none_lost(nic, interrupts=interrupts, trace=True, echo=True)
                leaving, left = (result["accesses"][mark] for mark in (demo.MARK_LEAVING, demo.MARK_LEFT))
                print(f"     {nic}: ExitBootServices {leaving}, then to the first delivered frame {left} "
                      "(writes, reads)", flush=True)
                self.assertLessEqual(leaving[0], 1, "a doorbell, if buffers had been given back")
                self.assertLessEqual(leaving[1], 6, "status and link twice where the driver's timer came in between")
                self.assertLess(sum(left), 80)
                self.assertEqual(result["interrupts"] > 0, interrupts != "poll", result)
                # Not every one: QEMU sends when its own thread comes to it, and a full queue refuses an answer.
                self.assertGreater(result["echoed"], 0, result)
                self.assertLessEqual(result["echoed"], result["frame_replies"], result)

    def test_virtio_quiet(self):
        """The device was reset: what it had received is lost, and counted. From its first frame on the kernel misses
        none."""
        for nic, interrupts in (("virtio-net-pci", "poll"), ("virtio-net-transitional", "msix")):
            with self.subTest(nic + " " + interrupts):
                result = demo.run(BUILD, nic, mode="--quiet", interrupts=interrupts, frames=1000)
                self.assertEqual(result["origin"], "adopted", result)
                self.assertEqual(result["lost"], result["rx_missed"] + result["held"], result)
                self.assertEqual(result["first"], result["firmware"] + result["lost"] + 1, result)
                for name in ("gaps", "duplicated", "reordered", "damaged"):
                    self.assertEqual(result[name], 0, result)

    def test_live_polled(self):
        for nic in EVERY:
            with self.subTest(nic):
                self.none_lost(nic)

    def test_quiet(self):
        """Quiet from ExitBootServices until the adoption: what QEMU holds back meanwhile is delivered all the same."""
        for nic in PAIR:
            with self.subTest(nic):
                self.none_lost(nic, mode="--quiet")

    def test_pic(self):
        for machine in ("q35", "pc"):
            with self.subTest(machine):
                self.assertGreater(self.none_lost("e1000", machine=machine, interrupts="pic")["interrupts"], 0)

    def moderated(self, nic, machine, interrupts):
        """100,000 frames as fast as they come: none lost with or without moderation, and with it no more interrupts in
        the time that it takes than were asked for."""
        free, moderated = (self.none_lost(nic, machine=machine, interrupts=interrupts, frames=100000, rate=0, ring=1024,
                                          moderation=moderation) for moderation in (0, 500))
        print(f"     {nic} {machine} {interrupts}: interrupts per frame: "
              f"{free['interrupts'] / free['kernel']:.3f} as they come, "
              f"{moderated['interrupts'] / moderated['kernel']:.3f} at 500 a second at the most", flush=True)
        self.assertGreater(free["interrupts"], 0)
        self.assertGreater(moderated["interrupts"], 0)
        self.assertLessEqual(moderated["interrupts"], 500 * 1.1 * moderated["elapsed_us"] / 1e6 + 10, moderated)

    def test_100000_by_intx(self):
        for nic, machine in (("e1000", "q35"), ("e1000", "pc"), ("e1000e", "q35")):
            with self.subTest(nic + " " + machine):
                self.moderated(nic, machine, "intx")

    def test_100000_by_msi(self):
        self.moderated("e1000e", "q35", "msi")

    def test_100000_by_msix(self):
        self.moderated("e1000e", "q35", "msix")

    def test_echo(self):
        """Every frame goes back by interrupts as well."""
        for nic, interrupts in (("e1000", "intx"), ("e1000e", "msix")):
            with self.subTest(nic):
                result = self.none_lost(nic, interrupts=interrupts, echo=True)
                self.assertEqual(result["frame_replies"], result["kernel"], result)
                # What QEMU still holds back for a slow peer when the machine ends goes with it.
                self.assertGreater(result["echoed"], 0, result)
                self.assertLessEqual(result["echoed"], result["frame_replies"], result)

    def test_ring_that_bridges(self):
        """A ring that is large enough loses nothing while the kernel is not there yet; one that is too small does, and
        every lost frame is accounted for."""
        for nic in PAIR:
            with self.subTest(nic):
                self.none_lost(nic, ring=4096, gap=3000, frames=4000)
                result = demo.run(BUILD, nic, ring=64, gap=3000, frames=4000)
                self.assertEqual(result["origin"], "adopted")
                self.assertGreater(result["lost"], 0)
                self.assertEqual(result["lost"], result["refused"] + result["rx_missed"], result)
                self.assertEqual(result["gaps"], result["lost"], result)
                self.assertEqual((result["duplicated"], result["reordered"], result["damaged"]), (0, 0, 0), result)

    def test_accesses(self):
        """At ExitBootServices registers are touched as often as NOTES says, and the adoption does not reset the NIC."""
        for nic in PAIR:
            with self.subTest(nic):
                # Between the mark and the end of timers a heartbeat may come that looks at the link. Not every time.
                for _ in range(3):
                    accesses = self.none_lost(nic, trace=True)["accesses"]
                    if accesses[demo.MARK_LEAVING] == [1, 3]:
                        break
                print(f"     {nic}: ExitBootServices {accesses[demo.MARK_LEAVING]}, then to the first delivered frame "
                      f"{accesses[demo.MARK_LEFT]} (writes, reads)", flush=True)
                self.assertEqual(accesses[demo.MARK_LEAVING], [1, 3])
                self.assertGreater(accesses[demo.MARK_LEFT][1], 0)


class Unharmed(QemuTest):
    def test_linux_that_knows_nothing_of_it(self):
        """Linux runs with the NIC as it was left while the peer keeps sending; none of its free memory changes."""
        uki = make_uki(self.folder, "checkmemory")
        for nic, mode in (("e1000e", "--live"), ("e1000", "--live"), ("e1000e", "--quiet"), ("e1000", "--quiet")):
            with self.subTest(nic + " " + mode):
                peer = self.peer(answer=False)
                machine = self.machine([f"netdiag handoff {mode} linux.efi"], [(nic, peer.netdev())],
                                       files={"linux.efi": uki}, memory="512M")
                self.assertTrue(machine.wait_for("will be handed over"), machine.output[-800:])
                machine.offered = 0
                sender = threading.Thread(target=self.keep_sending, args=(peer, machine), daemon=True)
                sender.start()
                self.assertTrue(machine.wait_for("MEMORY FILLED"), machine.output[-800:])
                enough = machine.offered + 2000
                self.wait_until(machine, lambda machine=machine, enough=enough: machine.offered >= enough,
                                "2000 frames")
                machine.type("\n")
                found = machine.wait_for(r"MEMORY CHECKED: (\d+) MiB, (\d+) words changed")
                machine.finished = True
                self.assertTrue(found, machine.output[-800:])
                self.assertGreater(int(found.group(1)), 200)
                self.assertEqual(int(found.group(2)), 0)
                machine.close()
                sender.join(5)

    @staticmethod
    def keep_sending(peer, machine):
        """Nobody takes frames out of the ring: the wire refuses what does not fit."""
        while not getattr(machine, "finished", False):
            machine.offered += 1
            try:
                peer.try_send(demo.wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, machine.offered, 1514))
            except OSError:
                return
            time.sleep(0.0005)


class Command(QemuTest):
    def images(self):
        return super().images() | self.boot_programs("kernel", "snpstop")

    def test_arm_show_cancel(self):
        results = self.boot(["netdiag handoff --show", "netdiag handoff --live --ring 4096", "netdiag handoff --show",
                             "netdiag handoff --quiet", "netdiag handoff --show", "netdiag handoff --cancel",
                             "netdiag handoff --show", "netdiag handoff --live --quiet", "netdiag handoff --ring 100",
                             "netdiag handoff --live nosuch.efi",
                             "netdiag handoff --show kernel.efi", "netdiag handoff --live -- kernel.efi " + "x " * 70],
                            [("e1000e", None)])
        texts = [result.text for result in results]
        self.assertIn("No handoff is published", texts[0])
        self.assertIn("armed, will be live", texts[2])
        self.assertIn("4096 descriptors", texts[2])
        self.assertIn(": valid", texts[2])
        self.assertIn("armed, will be quiet", texts[4])
        self.assertIn("withdrawn", texts[5])
        self.assertIn("No handoff is published", texts[6])
        self.assertIn("exclude each other", texts[7])
        self.assertIn("not a power of two", texts[8])
        self.assertIn("cannot load 'nosuch.efi'", texts[9])
        self.assertIn("start nothing", texts[10])
        self.assertIn("too long", texts[11])
        self.assert_status(results[5], SUCCESS)

    def test_lease_rides_along(self):
        """Also with rings of another size, for which the firmware's stack has to start again."""
        results = self.boot(["load e1000.efi", *LEASE, "netdiag handoff --ring 512",
                             "netdiag handoff --show"], [("e1000e", None)])
        self.assertIn("512 descriptors", results[4].text)
        self.assertIn("address 10.0.2.15 mask 255.255.255.0 gateway 10.0.2.2", results[4].text)

    def test_beside_ipxe(self):
        """iPXE's driver takes any Intel NIC that is connected: this is said, and the NIC is as free, or as held, as it
        was."""
        nic = qemulib.nic_arguments("e1000e", "user,id={id}", rom=None)
        results = self.boot(["netdiag list", "netdiag handoff --live --all", "netdiag list", "netdiag handoff --show",
                             "connect -r", "netdiag handoff --live"], [nic])
        self.assertIn("takes the NIC from e1000.efi: start without that driver", results[1].text)
        self.assert_status(results[1], DENIED)
        self.assertEqual(results[0].text, results[2].text)
        self.assertIn("No handoff is published", results[3].text)
        self.assertIn("is held by", results[5].text)
        self.assert_status(results[5], DENIED)

    def test_next_image(self):
        """netdiag starts the kernel itself; nothing arrives, so the kernel gives up by itself. A socket of this
        machine, as `nc -u -l` would open it, hears its log, from the first line to the panic's."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            machine = self.machine([f"netdiag handoff --live -- kernel.efi --frames 5 --idle 3 --panic "
                                    f"--netconsole @10.0.2.15/,{port}@10.0.2.2/"], [("e1000", None)])
            self.assertTrue(machine.wait_for(None), machine.output[-800:])
            self.assertIn("kernel: netconsole: unsent 0", machine.output)
            listener.setblocking(False)
            lines = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    lines.append(listener.recv(2048).decode("ascii"))
        self.assertIn("kernel: boot services left\n", lines[:2])
        self.assertIn("kernel: running\n", lines)
        self.assertIn("outside of any call on the NIC", lines[-1])

    def test_fresh_start(self):
        """Without a handoff, and after it was withdrawn, the kernel resets the NIC and drives it with its own rings."""
        withdrawn = ["netdiag handoff --live", "netdiag handoff --cancel"]
        for nic, interrupts, before in (("e1000e", "msi", []), ("e1000e", "msi", withdrawn),
                                        ("virtio-net-pci", "msix", []),
                                        ("virtio-net-transitional", "intx", withdrawn)):
            with self.subTest(f"{nic} {before}"):
                peer = self.peer(answer=False)
                machine = self.machine(before + [f"kernel.efi --interrupts {interrupts} --frames 20"],
                                       [(nic, peer.netdev())])
                self.assertTrue(machine.wait_for("kernel: running"), machine.output[-800:])
                self.assertIn("starting afresh", machine.output)
                for sequence in range(1, 21):
                    peer.send(demo.wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, sequence, 100))
                self.assertTrue(machine.wait_for(demo.REPORT.pattern), machine.output[-800:])
                self.assertRegex(machine.output, r"kernel: fresh firmware 0 kernel 20 first 1 last 20 lost 0")

    def test_snp_was_shut_down(self):
        """What somebody does to the SNP after the handoff was asked for does not undo it."""
        for nic, mode in (("e1000e", "--live"), ("e1000", "--live"), ("e1000e", "--quiet")):
            with self.subTest(nic + " " + mode):
                peer = self.peer(answer=False)
                machine = self.machine([f"netdiag handoff {mode}", "snpstop", "netdiag handoff --show",
                                        "kernel.efi --frames 50"], [(nic, peer.netdev())])
                self.assertTrue(machine.wait_for("kernel: running"), machine.output[-800:])
                self.assertIn("snpstop: state 0", machine.output)
                for sequence in range(1, 51):
                    peer.send(demo.wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, sequence, 100))
                self.assertTrue(machine.wait_for(demo.REPORT.pattern), machine.output[-800:])
                self.assertRegex(machine.output, r"kernel: adopted firmware \d+ kernel 50 first 1 last 50 lost 0")

    def test_behind_bridges(self):
        """The entry names the bridges, and the kernel finds the same: below a root port, and below a switch with two
        more."""
        for bridges, path in ((["pcie-root-port,id=b1,chassis=1,slot=1,addr=4"], r"path 00:04\.0"),
                              (["pcie-root-port,id=b0,chassis=1,slot=1,addr=4", "x3130-upstream,id=up,bus=b0",
                                "xio3130-downstream,id=b1,bus=up,chassis=2,slot=2,addr=3"],
                               r"path 00:04\.0 01:00\.0 02:03\.0")):
            with self.subTest(path):
                peer = self.peer(answer=False)
                nic = [word for bridge in bridges for word in ("-device", bridge)]
                nic += qemulib.nic_arguments("e1000e", peer.netdev(), properties="bus=b1")
                machine = self.machine(["netdiag handoff --live", "netdiag handoff --show", "kernel.efi --frames 20"],
                                       [nic])
                self.assertTrue(machine.wait_for("kernel: running"), machine.output[-800:])
                self.assertRegex(machine.output, path)
                for sequence in range(1, 21):
                    peer.send(demo.wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, sequence, 100))
                self.assertTrue(machine.wait_for(r"kernel: adopted firmware \d+ kernel 20 first 1 last 20 lost 0"),
                                machine.output[-800:])

    def test_two_nics(self):
        """Both are in the table; a kernel adopts the one and the other."""
        peers = [self.peer(answer=False) for _ in range(2)]
        for index in range(2):
            with self.subTest(index):
                machine = self.machine(["netdiag handoff --live --all", "netdiag handoff --show",
                                        f"kernel.efi --nic {index} --frames 20"],
                                       [(nic, peer.netdev()) for nic, peer in zip(PAIR, peers)])
                self.assertTrue(machine.wait_for("kernel: running"), machine.output[-800:])
                self.assertEqual(len(re.findall("armed, will be live", machine.output)), 2)
                for sequence in range(1, 21):
                    peers[index].send(demo.wirepeer.test_frame(b"\xff" * 6, peers[index].mac, 1, sequence, 100))
                self.assertTrue(machine.wait_for(r"kernel: adopted firmware 0 kernel 20 first 1 last 20 lost 0"),
                                machine.output[-800:])

    def test_transmit_ring_goes_on(self):
        """Frames that the firmware queued and did not ask for again, and the kernel's after them, leave once, in
        order."""
        for nic, mode in (("e1000", "--live"), ("e1000e", "--live"), ("e1000e", "--quiet"),
                          ("virtio-net-pci", "--live")):
            with self.subTest(nic + " " + mode):
                peer = self.peer(answer=False)
                machine = self.machine([f"netdiag handoff {mode}", "kernel.efi --transmit 100"], [(nic, peer.netdev())])
                self.assertTrue(machine.wait_for("kernel: running"), machine.output[-800:])
                self.assertTrue(peer.wait(lambda frames: len(frames) >= 200))
                # Only now the frame that ends the kernel: a virtio device says later what it has sent.
                peer.send(demo.wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, 1, 100))
                self.assertTrue(machine.wait_for(demo.REPORT.pattern), machine.output[-800:])
                self.assertIn("kernel: adopted", machine.output)
                self.assertTrue(peer.catch_up())  # the stack may send some, too
                self.assertIn(f" tx_frames {len(peer.frames)} tx_errors 0 ", machine.output)
                self.assertEqual(self.numbers(peer), list(range(1, 201)))

    def test_queued_frames_leave_once(self):
        """The transmitter stands still with 100 frames in its ring when boot services end; they leave when the kernel
        has the NIC, before the kernel's own."""
        for nic in PAIR:
            with self.subTest(nic):
                peer = self.peer(answer=False)
                machine = self.machine(["netdiag handoff --quiet", "kernel.efi --transmit 100 --stalled --hold"],
                                       [(nic, peer.netdev())])
                self.assertTrue(machine.wait_for("kernel: holding"), machine.output[-800:])
                self.assertEqual(self.numbers(peer), [])
                machine.type(" ")
                self.assertTrue(machine.wait_for("kernel: running"), machine.output[-800:])
                self.assertTrue(peer.wait(lambda frames: len(frames) >= 200))
                peer.send(demo.wirepeer.test_frame(b"\xff" * 6, peer.mac, 1, 1, 100))
                self.assertTrue(machine.wait_for(demo.REPORT.pattern), machine.output[-800:])
                self.assertIn("kernel: adopted", machine.output)
                self.assertEqual(self.numbers(peer), list(range(1, 201)))

    @staticmethod
    def numbers(peer):
        """Of the test frames that were sent to the peer."""
        peer.catch_up()
        tests = [demo.wirepeer.parse_test_frame(frame) for frame in peer.frames]
        return [test[2] if test[3] else "damaged" for test in tests if test]

    def test_kernel_answers_ping(self):
        from scapy.all import ICMP, IP, Ether, Raw
        for nic in ("e1000", "virtio-net-pci"):
            with self.subTest(nic):
                peer = self.peer(answer=False)
                machine = self.machine(["netdiag handoff --live", "kernel.efi --interrupts intx"],
                                       [(nic, peer.netdev())])
                self.assertTrue(machine.wait_for("boot services left"), machine.output[-800:])
                for sequence in range(5):
                    peer.send(bytes(Ether(src=peer.mac, dst="52:54:00:12:34:56") / IP(src="10.9.9.1", dst="10.9.9.2") /
                                    ICMP(id=3, seq=sequence) / Raw(b"kernel")))
                self.assertTrue(peer.wait(lambda frames: sum(Ether(frame).haslayer(ICMP) for frame in frames) >= 5))
                replies = [Ether(frame)[ICMP] for frame in peer.frames if Ether(frame).haslayer(ICMP)]
                self.assertEqual([(reply.type, reply.id, reply.seq) for reply in replies],
                                 [(0, 3, i) for i in range(5)])


if __name__ == "__main__":
    unittest.main()
