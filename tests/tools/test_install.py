"""test_install - what INSTALL.md and README.md tell people to type: QEMU takes each machine as written, with the NIC
and the ROM in it; libvirt's schema takes the XML; the files that are named exist."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import medialib  # noqa: E402
import nics  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
PAGES = ("README.md", "INSTALL.md", "BOOTING.md")
# The pages' own names of what is built
MADE = ("netdiag.iso", "netdiag.img")


def page(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def blocks(text, language=""):
    return re.findall(rf"(?ms)^ *```{language}\n(.*?)^ *```$", text)


def machines():
    """(page, words) of each whole command line that starts a machine."""
    for name in PAGES:
        for block in blocks(page(name)):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("qemu-system-") and " ... " not in line:
                    yield name, shlex.split(line)


class Qemu:
    """A machine that is set up and does not run. A context manager."""

    def __init__(self, words, folder):
        self.path = os.path.join(folder, "qmp")
        self.process = subprocess.Popen([*words, "-S", "-qmp", f"unix:{self.path},server=on,wait=on"], cwd=folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)

    def connect(self):
        """The socket has a name before anybody listens there. None when QEMU has ended instead."""
        while self.process.poll() is None:
            end = socket.socket(socket.AF_UNIX)
            try:
                end.connect(self.path)
                return end
            except (FileNotFoundError, ConnectionRefusedError):
                end.close()
                time.sleep(0.01)
        return None

    def __enter__(self):
        self.socket = self.connect()
        self.said = "" if self.socket else self.process.stdout.read()
        if self.socket:
            self.file = self.socket.makefile("rw")
            self.file.readline()
            self.ask("qmp_capabilities")
        return self

    def ask(self, command, **arguments):
        """None when QEMU has ended instead."""
        try:
            self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            self.file.flush()
            for line in self.file:
                answer = json.loads(line)
                if "return" in answer or "error" in answer:
                    return answer.get("return", answer)
        except OSError:
            pass
        return None

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self.socket:
            self.file.close()
            self.socket.close()


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="i-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        os.symlink(BUILD, os.path.join(cls.folder, "build"))
        for name in os.listdir(BUILD):
            if name.endswith((".efi", ".rom")):
                os.symlink(os.path.join(BUILD, name), os.path.join(cls.folder, name))
        files = medialib.netdiag_files([BUILD])
        medialib.iso_image(os.path.join(cls.folder, "netdiag.iso"), files)
        medialib.gpt_image(os.path.join(cls.folder, "netdiag.img"), files)

    def start(self, words):
        folder = tempfile.TemporaryDirectory(prefix="q-")
        self.addCleanup(folder.cleanup)
        for name in os.listdir(self.folder):
            os.symlink(os.path.join(self.folder, name), os.path.join(folder.name, name))
        machine = Qemu(words, folder.name)
        machine.__enter__()
        self.addCleanup(machine.__exit__)
        return machine

    def devices(self, machine):
        """{(vendor, device)} of the machine's PCI bus."""
        buses = machine.ask("query-pci")
        if buses is None:
            self.fail(machine.process.stdout.read())
        return {(device["id"]["vendor"], device["id"]["device"]) for bus in buses for device in bus["devices"]}

    def test_machines(self):
        found = list(machines())
        self.assertGreaterEqual(len(found), 3)
        for name, words in found:
            with self.subTest(" ".join(words)):
                self.assertTrue({"virtio-rng-pci", "max,pauth-impdef=on"} & set(words),
                                f"{name}: newer firmware offers no network without random numbers")
                machine = self.start(words)
                self.assertEqual(machine.said, "")
                model = next(word for word in words if re.match(r"(e1000|virtio-net)", word)).split(",")[0]
                nic = nics.TABLE[model]
                self.assertIn((nic.vendor, nic.device_id), self.devices(machine))

    def test_rom_for_all(self):
        """Proxmox' -global puts our ROM into a NIC whose own arguments name none."""
        option, = re.findall(r"--args '(-global \S+)'", page("INSTALL.md"))
        self.assertEqual(option.split("=")[0], "-global e1000e.romfile")
        option = re.sub(r"=.*/", "=", option)
        machine = self.start(["qemu-system-x86_64", "-M", "q35", "-display", "none", "-nodefaults", "-netdev",
                              "user,id=n", *option.split(), "-device",
                              "e1000e,netdev=n,id=nic"])
        self.assertEqual(machine.ask("qom-get", path="/machine/peripheral/nic", property="romfile"), "e1000e.rom")

    def test_libvirt(self):
        domain, = blocks(page("INSTALL.md"), "xml")
        path = os.path.join(self.folder, "domain.xml")
        for text, valid in ((domain, True), (domain.replace("<rom file", "<rom path"), False)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            result = subprocess.run(["virt-xml-validate", path, "domain"], capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode == 0, valid, result.stdout + result.stderr)

    def test_files_and_sections(self):
        """Whatever the pages call by name is there: ROMs, images, tools, make's targets; links lead somewhere."""
        made = {nic.rom for nic in nics.TABLE.values()} | set(medialib.IMAGES) | set(MADE)
        with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
            makefile = file.read()
        text = page("INSTALL.md")
        for rom in re.findall(r"\b([a-z0-9-]+\.rom)\b", text):
            self.assertIn(rom, made)
        for tool in re.findall(r"\btools/([a-z-]+)", text):
            self.assertTrue(os.access(os.path.join(ROOT, "tools", tool), os.X_OK), tool)
        for targets in re.findall(r"\bmake ((?:[a-z-]+ ?)+)", text):
            for target in targets.split():
                self.assertRegex(makefile, rf"(?m)^([a-z ]+ )?{target}( [a-z ]+)?:", target)
        for name in PAGES:
            headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-")
                        for line in re.findall(r"(?m)^#+ (.*)$", page(name))}
            for anchor in re.findall(r"\]\(#([^)]*)\)", page(name)):
                self.assertIn(anchor, headings, name)
            for path in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page(name)):
                self.assertTrue(os.path.exists(os.path.join(ROOT, path.replace("\n", ""))), f"{name}: {path}")


if __name__ == "__main__":
    unittest.main()
