"""test_processors - the images for AArch64 and ia32, each in one machine: netdiag on both families, and the drivers
below the firmware's own network stack."""

import hashlib
import os

from harness import BUILD, SUCCESS, QemuTest
import nics
import qemulib

ADDRESS = "10.0.2.15/24"
FETCHED = "blob"
PAIR = ("e1000e", "virtio-net-pci")


class ProcessorTest(QemuTest):
    """Machines with another processor, which its images are for."""

    arch = None

    def images(self):
        return {name: os.path.join(BUILD, self.arch, name) for name in ("netdiag.efi", "e1000.efi", "virtio-net.efi")}

    def blob(self):
        """A folder to serve by TFTP, with a file of odd length in it; and that one's SHA-256."""
        content = bytes(index * 7 % 251 for index in range(100001))
        with open(os.path.join(self.folder, FETCHED), "wb") as file:
            file.write(content)
        return f"user,id={{id}},tftp={self.folder}", hashlib.sha256(content).hexdigest()

    def boot_pair(self, commands, **options):
        """The commands in a machine with one NIC of each family, whose networks are alike."""
        netdev, self.sum = self.blob()
        return self.boot(commands, [(model, netdev) for model in PAIR], arch=self.arch, **options)

    def assert_seen(self, listing, drivers):
        """Each NIC with address and link, and with its driver."""
        self.assert_status(listing, SUCCESS)
        rows = listing.text.split("eth")[1:]
        self.assertEqual(len(rows), len(PAIR), listing)
        for index, (row, model, driver) in enumerate(zip(rows, PAIR, drivers)):
            for part in (nics.TABLE[model].pci_id, nics.TABLE[model].part, qemulib.mac(index)):
                self.assertIn(part, row)
            self.assertRegex(row, rf"driver {driver}\n")
        self.assertIn("1000 Mb/s full", rows[0])
        self.assertRegex(rows[1], r"up|Mb/s")

    def both_families(self):
        """Seen while nobody drives them, and left as they were; pinged by netdiag; then a file by the
        firmware's stack over the drivers, which stay."""
        ping = [f"netdiag ping 10.0.2.2 -c 5 -i 20 --addr {ADDRESS} -n {index}" for index in range(len(PAIR))]
        fetch = [f"netdiag fetch tftp://10.0.2.2/{FETCHED} -n {index}" for index in range(len(PAIR))]
        results = self.boot_pair(["netdiag list", "netdiag list", *ping, "load e1000.efi virtio-net.efi", *fetch,
                                  "netdiag list", "netdiag selftest -n 0"])
        for listing in results[:2]:
            self.assert_seen(listing, ["-", "-"])
        for result in results[2:4]:
            self.assert_ping(result, 5)
        for result in results[5:7]:
            self.assert_status(result, SUCCESS)
            self.assertIn(self.sum, result.text.replace("\n", "").replace(" ", ""))
        self.assert_seen(results[7], ["Intel.*", ".*[Vv]irtio.*"])


class AArch64(ProcessorTest):
    arch = "aarch64"

    def test_both_families(self):
        self.both_families()


class Ia32(ProcessorTest):
    arch = "ia32"

    def test_both_families(self):
        self.both_families()
