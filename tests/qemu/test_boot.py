"""test_boot - machines that boot from the network with nothing but our option ROM."""

import os
import shutil
import subprocess
import unittest

from harness import BUILD, EVERY, LEASE, PAIR, ROOT, Prompt, QemuTest, hub, make_uki, nics, qemulib

NO_PXE = [f"-fw_cfg name=opt/org.tianocore/IPv{n}PXESupport,string=no" for n in (4, 6)]
DNSMASQ = """port=0
interface=tap0
bind-interfaces
dhcp-range=192.168.77.50,192.168.77.90,1h
dhcp-option=3
dhcp-leasefile={folder}/leases
enable-tftp
tftp-root={folder}
tftp-no-fail
dhcp-vendorclass=set:httpclient,HTTPClient
dhcp-option-force=tag:httpclient,60,HTTPClient
dhcp-userclass=set:ipxe,iPXE
dhcp-boot=tag:httpclient,"http://192.168.77.1:8000/{bootfile}"
dhcp-boot=tag:ipxe,script.ipxe
dhcp-boot=tag:!httpclient,tag:!ipxe,{bootfile}
"""


class BootTest(QemuTest):
    def setUp(self):
        super().setUp()
        self.served = os.path.join(self.folder, "served")
        os.makedirs(self.served)

    def serve(self, source, name=None):
        shutil.copy(source, os.path.join(self.served, name or os.path.basename(source)))

    def nic(self, model, netdev="user,id={id}"):
        return qemulib.nic_arguments(model, netdev, rom=os.path.join(BUILD, nics.TABLE[model].rom))

    def boot_by_pxe(self, model, bootfile, **options):
        """From QEMU's own DHCP and TFTP server."""
        return self.diskless([self.nic(model, f"user,id={{id}},tftp={self.served},bootfile={bootfile}")], **options)

    def boot_in_network(self, model, bootfile, extra=(), disk_commands=None, second=None):
        """In a network of its own with dnsmasq and an HTTP server; `second` is another netdev on the same wire."""
        with open(os.path.join(self.served, "dnsmasq.conf"), "w", encoding="utf-8") as file:
            file.write(DNSMASQ.format(folder=self.served, bootfile=bootfile))
        # Root needs no user namespace, and in a chroot could not have one.
        namespaces = "-npf" if os.geteuid() == 0 else "-Urnpf"
        options = {
            "wrapper": ["unshare", namespaces, "--kill-child", os.path.join(ROOT, "tests/qemu/network.sh"),
                        self.served],
            "extra": [word for line in extra for word in line.split()],
        }
        netdev = "tap,id={id},ifname=tap0,script=no,downscript=no"
        if disk_commands is None:
            return self.diskless([self.nic(model, netdev)], **options)
        nic = hub(model, netdev, second) if second else (model, netdev)
        return self.machine(disk_commands, [nic], finish="", **options)

    def expect(self, machine, text):
        """Waits for `text`. A firmware that has given up booting, or the script, comes to a Shell's prompt instead."""
        machine.wait_for(rf"{text}|^(Shell|FS\d:\\)> ")
        self.assertRegex(machine.output, f"(?m){text}", f"last lines:\n{machine.output[-1500:]}")


class Pxe(BootTest):
    def test_pxe(self):
        self.serve(os.path.join(BUILD, "tests/hello.efi"))
        for model in EVERY:
            with self.subTest(model):
                machine = self.boot_by_pxe(model, "hello.efi")
                self.expect(machine, "HELLO FROM THE NETWORK")
                self.assertIn("Start PXE over IPv4", machine.output)
                self.assertTrue(machine.wait_for(None))

    def test_grub(self):
        """GRUB opens SNP itself, exclusively, and loads a file by TFTP."""
        with open(os.path.join(self.served, "greeting.txt"), "w", encoding="utf-8") as file:
            file.write("A FILE THROUGH GRUB\n")
        config = os.path.join(self.folder, "early.cfg")
        with open(config, "w", encoding="utf-8") as file:
            file.write("cat (tftp)/greeting.txt\nhalt\n")
        subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-p", "(tftp)/grub", "-c", config, "-o",
                        os.path.join(self.served, "grub.efi"), "efinet", "tftp", "net", "normal", "cat", "halt"],
                       check=True, capture_output=True)
        for model in PAIR:
            with self.subTest(model):
                machine = self.boot_by_pxe(model, "grub.efi")
                self.expect(machine, "A FILE THROUGH GRUB")
                self.assertTrue(machine.wait_for(None), "GRUB halts the machine")

    def test_linux(self):
        """A kernel with its initrd and command line in one image, to the first line of its init."""
        self.serve(make_uki(self.folder))
        for model in PAIR:
            with self.subTest(model):
                machine = self.boot_by_pxe(model, "linux.efi", memory="1G")
                self.expect(machine, "HELLO FROM INIT")
                self.assertTrue(machine.wait_for(None), "init switches the machine off")
                self.assertNotIn("Call Trace", machine.output)


class Network(BootTest):
    """What QEMU's own network cannot do: HTTP boot, iPXE's script, IPv6 neighbours."""

    def test_http_boot(self):
        self.serve(os.path.join(BUILD, "tests/hello.efi"))
        for model in PAIR:
            with self.subTest(model):
                machine = self.boot_in_network(model, "hello.efi", extra=NO_PXE)
                self.expect(machine, "HELLO FROM THE NETWORK")
                self.assertIn("Start HTTP Boot over IPv4", machine.output)

    def test_ipxe_on_our_snp(self):
        """iPXE without a driver of its own runs on our SNP, and loads by HTTP."""
        qemulib.need("/usr/lib/ipxe/snponly.efi", "ipxe")
        self.serve("/usr/lib/ipxe/snponly.efi")
        self.serve(os.path.join(BUILD, "tests/hello.efi"))
        with open(os.path.join(self.served, "script.ipxe"), "w", encoding="ascii") as file:
            file.write("#!ipxe\necho SCRIPT RUNS\nchain http://192.168.77.1:8000/hello.efi\n")
        for model in PAIR:
            with self.subTest(model):
                machine = self.boot_in_network(model, "snponly.efi")
                self.expect(machine, "SCRIPT RUNS")
                self.expect(machine, "HELLO FROM THE NETWORK")

    def test_ipv6_ping(self):
        """Neighbour discovery needs multicast to work."""
        for model in PAIR:
            with self.subTest(model):
                machine = self.boot_in_network(model, "none", disk_commands=["load e1000.efi"] + LEASE)
                shell = Prompt(self, machine)
                self.assertIn("4 packets transmitted, 4 received, 0% packet loss", shell("ping -n 4 192.168.77.1"))
                # The firmware looks for the neighbour anew at each run, and where that takes long the first ping is lost.
                shell.until("ping6 -s fe80::5054:ff:fe12:3456 -n 4 fe80::77", "4 packets transmitted, 4 received, 0%", tries=20)


if __name__ == "__main__":
    unittest.main()
