"""bench_kernel - the kernel home for tools/bench: our reference kernel and Linux's own drivers receive the same frames
in the same QEMU.

Linux is Debian's linux-image-amd64 (the cloud kernel that the tests boot has no e1000): the installed one, or the
package unpacked below build/. It runs tests/linux/netbench.c as its init."""

import glob
import os
import re
import shutil
import struct
import subprocess

import nics
import qemulib
import wirepeer

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNEL = re.compile(r"^kernel: \w+ firmware (\d+) kernel (\d+) first .* lost (\d+) .* interrupts (\d+) end", re.M)
ELAPSED = re.compile(r"^kernel: statistics: .* elapsed_us (\d+)", re.M)
LINUX = re.compile(r"^linux: frames (\d+) elapsed_us (\d+) interrupts (\d+) end", re.M)
MODULES = {"e1000": "e1000", "e1000e": "e1000e", "virtio-net-pci": "virtio_net"}
INTERRUPTS = {"e1000": "intx", "e1000e": "msix", "virtio-net-pci": "msix"}  # what Linux takes, too
MODERATION = 8000  # interrupts a second at the most; Linux' own moderation is dynamic
LENGTH = 60


def find_linux(build):
    """(kernel, folder of modules), from the system or unpacked; fetched by apt-get when there is none."""
    for root in ("/", os.path.join(build, "linux", "root")):
        for kernel in sorted(glob.glob(os.path.join(root, "boot/vmlinuz-*-amd64")), reverse=True):
            modules = os.path.join(root, "lib/modules", os.path.basename(kernel).split("-", 1)[1])
            if glob.glob(os.path.join(modules, "kernel/drivers/net/ethernet/intel/e1000e/*")):
                return kernel, modules
    folder = os.path.join(build, "linux")
    os.makedirs(folder, exist_ok=True)
    shown = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=False)
    package = re.search(r"Depends: (linux-image-\S+)", shown.stdout)
    if not package:
        raise qemulib.QemuError("apt knows no linux-image-amd64: install it, or leave out --only kernel")
    for command in (["apt-get", "-q", "download", package[1]], ["sh", "-c", "dpkg-deb -x linux-image-*.deb root"]):
        if subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode:
            raise qemulib.QemuError(f"{' '.join(command)} failed in {folder}: install linux-image-amd64")
    return find_linux(build)


def needed(modules, name):
    """A module's file and those it needs, in the order to load."""
    with open(os.path.join(modules, "modules.order" if not os.path.exists(os.path.join(modules, "modules.dep"))
                           else "modules.dep"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        path, _, others = line.partition(":")
        if os.path.basename(path).split(".ko")[0] == name:
            return [os.path.join(modules, other) for other in [*reversed(others.split()), path]]
    return []


def dependencies(modules):
    """Runs depmod where the package's scripts have not."""
    if not os.path.exists(os.path.join(modules, "modules.dep")):
        base, version = modules.split("/lib/modules/")
        depmod = shutil.which("depmod") or "/sbin/depmod"
        qemulib.run_tool([depmod, "-b", base or "/", version])


def make_initrd(folder, modules, model):
    """(initrd, names of the modules in the order to load)."""
    dependencies(modules)
    root = os.path.join(folder, "root")
    for name in ("dev", "proc", "modules"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    qemulib.run_tool(["gcc", "-static", "-Os", "-o", os.path.join(root, "init"),
                      os.path.join(ROOT, "tests/linux/netbench.c")])
    wanted = [MODULES[model]] if model != "virtio-net-pci" else ["virtio_pci", MODULES[model]]
    paths = list(dict.fromkeys(path for name in wanted for path in needed(modules, name)))
    for path in paths:
        shutil.copy(path, os.path.join(root, "modules"))
    initrd = os.path.join(folder, "initrd")
    with open(initrd, "wb") as output:
        subprocess.run(["sh", "-c", "find . | cpio --quiet -o -H newc"], cwd=root, stdout=output, check=True)
    return initrd, [os.path.basename(path) for path in paths]


def frames_for(count):
    """Numbered frames from 1 on, as a stream takes them."""
    peer = b"\x02\xbe\x9c\0\0\x01"
    frames = (wirepeer.test_frame(b"\xff" * 6, peer, 1, number, LENGTH) for number in range(1, count + 1))
    return b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)


def wait(machine, pattern, what):
    match = machine.wait_for(pattern)
    if not match:
        raise qemulib.QemuError(f"{what}; last lines:\n{machine.output[-1200:]}")
    return match


def ours(build, folder, model, peer, count, moderation, send):
    """(frames, microseconds, interrupts) of the reference kernel, from the first frame to the last."""
    command = f"kernel.efi --interrupts {INTERRUPTS[model]} --frames {count} --idle 30"
    command += f" --moderation {MODERATION}" if moderation else ""
    disk = os.path.join(folder, "disk.img")
    qemulib.make_disk(disk, {"kernel.efi": os.path.join(build, "tests", "kernel.efi"),
                             "startup.nsh": qemulib.script([command])})
    nic = qemulib.nic_arguments(model, peer.netdev())
    with qemulib.Machine(disk=disk, nics=[nic]) as machine:
        machine.start()
        wait(machine, "kernel: running", "the kernel does not run")
        send()
        match = wait(machine, KERNEL.pattern, "no report of the kernel")
        elapsed = wait(machine, ELAPSED.pattern, "no time of the kernel")
    return int(match[2]), int(elapsed[1]), int(match[4])


def linux(build, folder, model, peer, count, moderation, send):
    """The same of Linux."""
    kernel, modules = find_linux(build)
    initrd, names = make_initrd(folder, modules, model)
    if nics.TABLE[model].driver == "e1000" and not moderation:
        names[-1] += "+InterruptThrottleRate=0"
    words = f"console=ttyS0 quiet panic=-1 -- {count} {' '.join(names)}"
    nic = qemulib.nic_arguments(model, peer.netdev())
    extra = ["-kernel", kernel, "-initrd", initrd, "-append", words]
    with qemulib.Machine(nics=[nic], extra=extra) as machine:
        machine.start()
        wait(machine, "linux: running", "Linux does not run")
        send()
        match = wait(machine, LINUX.pattern, "no report of Linux")
    return tuple(int(match[index]) for index in (1, 2, 3))
