"""test_models - AArch64 and ia32 beyond what `make test` boots: every NIC, and the drivers from option ROMs."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "qemu"))

from harness import BUILD, EVERY, SUCCESS, nics  # noqa: E402
from test_processors import ADDRESS, FETCHED, PAIR, ProcessorTest, qemulib  # noqa: E402


class Models(ProcessorTest):
    def every_nic(self):
        models = [*EVERY, "virtio-net-transitional"]
        results = self.boot([f"netdiag ping 10.0.2.2 -c 3 -i 20 --addr {ADDRESS} -n {i}" for i in range(len(models))],
                            [(model, None) for model in models], arch=self.arch)
        for result in results:
            self.assert_ping(result, 3)

    def option_roms(self):
        """The firmware finds a driver in each NIC's ROM and its stack fetches over it; no driver is loaded."""
        netdev, digest = self.blob()
        cards = [qemulib.nic_arguments(model, netdev, index=index, mac=qemulib.mac(index),
                                       rom=os.path.join(BUILD, self.arch, nics.TABLE[model].rom))
                 for index, model in enumerate(PAIR)]
        results = self.boot(["connect -r", "netdiag list", *[f"netdiag fetch tftp://10.0.2.2/{FETCHED} -n {index}"
                                                             for index in range(len(PAIR))]], cards, arch=self.arch)
        self.assert_seen(results[1], ["Intel.*", ".*[Vv]irtio.*"])
        for result in results[2:]:
            self.assert_status(result, SUCCESS)
            self.assertIn(digest, result.text.replace("\n", "").replace(" ", ""))


class AArch64(Models):
    arch = "aarch64"

    def test_every_nic(self):
        self.every_nic()

    def test_option_roms(self):
        self.option_roms()


class Ia32(Models):
    arch = "ia32"

    def test_every_nic(self):
        self.every_nic()

    def test_option_roms(self):
        self.option_roms()
