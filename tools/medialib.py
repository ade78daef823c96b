"""medialib - file systems to boot from: files as FAT, a GPT with an EFI system partition, an El Torito CD."""

import os
import shutil
import struct
import subprocess
import tempfile
import uuid
import zlib

import processors
from qemulib import QemuError as MediaError, fill_disk, need, run_tool

# By the machine in a PE header: a processor's name, and what firmware starts on it
PROCESSORS = {machine: (name, processors.TABLE[name].boot_file)
              for machine, name in ((0x8664, "x86_64"), (0x014C, "ia32"), (0xAA64, "aarch64"))}
BOOT_FILE = PROCESSORS[0x8664][1]
BOOT_FILES = tuple(boot_file for _, boot_file in PROCESSORS.values())
IMAGES = ("netdiag.efi", "e1000.efi", "virtio-net.efi")
README = """netdiag: network before the operating system.

Boot from this medium, and its menu comes up: netdiag's.

{boot_files}
netdiag.efi            the same, for a UEFI Shell.
e1000.efi              drivers for the firmware's network stack: in a Shell, load e1000.efi.
virtio-net.efi         netdiag itself needs them for its handoff alone.
{others}
With Secure Boot on, the images must be signed with a key that the firmware knows.
"""
SECTOR = 512
MIB = 1 << 20
FAT32_MIB = 40  # with clusters of one sector, and so at least as many as make it FAT32
# UEFI 2.10, 5.3: a protective MBR, the header, 128 entries of 128 bytes; the same mirrored at the end
ENTRY_COUNT, ENTRY_SIZE = 128, 128
TABLE_SECTORS = ENTRY_COUNT * ENTRY_SIZE // SECTOR
SYSTEM_PARTITION = uuid.UUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
ENTRY = struct.Struct("<16s16sQQQ72s")
# The same content is the same image, but for the files' times, which are $SOURCE_DATE_EPOCH or now
SERIAL = "6e657464"
NAMESPACE = uuid.UUID("5a9c1f4e-6e0b-4d0e-9c58-3a5e4b1b7f21")


def files_of(folder):
    """{name in an image: path} of everything below a folder."""
    files = {}
    for top, _, names in os.walk(folder, followlinks=True):
        files |= {os.path.relpath(os.path.join(top, name), folder): os.path.join(top, name) for name in names}
    return {name: path for name, path in files.items() if os.path.isfile(path)}


def processor_of(path):
    """(name, boot file) of the processor that a PE image is for."""
    try:
        with open(path, "rb") as file:
            image = file.read(4096)
        place, = struct.unpack_from("<I", image, 0x3C)
        machine, = struct.unpack_from("<H", image, place + 4)
    except FileNotFoundError:
        raise MediaError(f"{path} is missing: run `make all` first (`make all ARCH=ia32`, "
                         "`make all ARCH=aarch64` for those)") from None
    except struct.error:
        machine = None
    if machine not in PROCESSORS or image[:2] != b"MZ" or image[place:place + 4] != b"PE\0\0":
        raise MediaError(f"{path} is no image for " + ", ".join(name for name, _ in PROCESSORS.values()))
    return PROCESSORS[machine]


def netdiag_files(folders):
    """What a medium has that boots netdiag on the processor that each folder of images is for. The first folder's
    images are in its root, the others' in folders with their processors' names."""
    files, boot_files, others = {}, [], []
    for folder in folders:
        paths = {name: os.path.join(folder, name) for name in IMAGES}
        kinds = {processor_of(path) for path in paths.values()}
        if len(kinds) != 1:
            names = ", ".join(sorted(name for name, _ in kinds))
            raise MediaError(f"{folder} has images for several processors: {names}")
        (processor, boot_file), = kinds
        if boot_file in files:
            raise MediaError(f"{folder} is the second folder with images for {processor}")
        files |= {f"{processor}/{name}" if files else name: path for name, path in paths.items()}
        files[boot_file] = paths["netdiag.efi"]
        shown = boot_file.replace("/", "\\")
        boot_files.append(f"{shown:<22} netdiag as boot loader on {processor}")
        if len(boot_files) > 1:
            others.append(f"{processor + chr(92):<22} the same files for {processor}.")
    text = README.format(boot_files="\n".join(boot_files), others="".join(line + "\n" for line in others))
    return files | {"README.TXT": text.replace("\n", "\r\n").encode()}


def size_of(content):
    return len(content) if isinstance(content, bytes) else os.path.getsize(content)


def room(files):
    """MiB for these files, their cluster ends, folders and FATs, and for a few more files."""
    return sum(size_of(content) + 64 * SECTOR for content in files.values()) * 17 // 16 // MIB + 4


def fat_image(path, files, offset=0, mib=None):
    """FAT from byte `offset` of an image on, so many MiB large (just enough unless told); FAT32 where there is room.
    The image is made, or kept before there."""
    need("mformat", "mtools")
    if "SOURCE_DATE_EPOCH" in os.environ:
        os.environ["TZ"] = "UTC"  # FAT has local times
    mib = mib or room(files)
    with open(path, "r+b" if offset else "wb") as image:
        image.truncate(offset + mib * MIB)
    drive = f"{path}@@{offset}" if offset else path
    # A size is told: mformat would take the image's, which is too large by what lies before.
    run_tool(["mformat", "-i", drive, "-v", "NETDIAG", "-N", SERIAL, "-T", str(mib * MIB // SECTOR), "-h", "255",
              "-s", "63", "-H", str(offset // SECTOR), *(["-F", "-c", "1"] if mib >= FAT32_MIB else []), "::"])
    fill_disk(drive, files)


def guid_bytes(name):
    return uuid.uuid5(NAMESPACE, name).bytes_le


def gpt_image(path, files):
    """A disk with one EFI system partition that holds these files. On a larger disk the table's mirror is not at the
    end, but where the header says."""
    mib = max(FAT32_MIB, room(files))  # FAT32: what a fixed disk's system partition is (UEFI 2.10, 13.3)
    first, last = MIB // SECTOR, (1 + mib) * MIB // SECTOR - 1
    end = (2 + mib) * MIB // SECTOR - 1
    name = "netdiag".encode("utf-16-le")
    entry = ENTRY.pack(SYSTEM_PARTITION.bytes_le, guid_bytes("partition"), first, last, 0, name)
    table = entry.ljust(ENTRY_COUNT * ENTRY_SIZE, b"\0")

    def header(own, other, table_at):
        fields = [b"EFI PART", 0x00010000, HEADER.size, 0, 0, own, other, 2 + TABLE_SECTORS, end - TABLE_SECTORS - 1,
                  guid_bytes("disk"), table_at, ENTRY_COUNT, ENTRY_SIZE, zlib.crc32(table)]
        fields[3] = zlib.crc32(HEADER.pack(*fields))
        return HEADER.pack(*fields)

    with open(path, "wb") as image:
        image.truncate((end + 1) * SECTOR)
        image.seek(446)
        protective = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, end)
        image.write(protective.ljust(64, b"\0") + b"\x55\xaa")
        image.write(header(1, end, 2).ljust(SECTOR, b"\0") + table)
    fat_image(path, files, offset=MIB, mib=mib)
    with open(path, "r+b") as image:
        image.truncate((end + 1) * SECTOR)
        image.seek((end - TABLE_SECTORS) * SECTOR)
        image.write(table + header(end, 1, end - TABLE_SECTORS).ljust(SECTOR, b"\0"))


def iso_image(path, files):
    """A CD that firmware boots from a FAT image on it (El Torito), with the files as files as well."""
    need("xorriso", "xorriso")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            place = os.path.join(folder, name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if isinstance(content, bytes):
                with open(place, "wb") as file:
                    file.write(content)
            else:
                shutil.copyfile(content, place)
        fat_image(os.path.join(folder, "efi.img"), files)
        if "SOURCE_DATE_EPOCH" in os.environ:
            told = int(os.environ["SOURCE_DATE_EPOCH"])
            for top, _, names in os.walk(folder, topdown=False):
                for name in (*names, ""):
                    os.utime(os.path.join(top, name), (told, told))
        result = subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", path, "-V", "NETDIAG", "-J", "-r",
                                 "-e", "efi.img", "-no-emul-boot", folder], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise MediaError(f"xorriso: {result.stderr.strip()}")
