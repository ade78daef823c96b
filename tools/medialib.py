"""medialib - file systems to boot from: files as FAT, a GPT with an EFI system partition, an El Torito CD."""

import os
import shutil
import struct
import subprocess
import tempfile
import uuid
import zlib

from qemulib import QemuError as MediaError, fill_disk, need, run_tool

BOOT_FILE = "EFI/BOOT/BOOTX64.EFI"
SECTOR = 512
MIB = 1 << 20
FAT32_MIB = 40  # with clusters of one sector, and so at least as many as make it FAT32
# UEFI 2.10, 5.3: a protective MBR, the header, 128 entries of 128 bytes; the same mirrored at the end
ENTRY_COUNT, ENTRY_SIZE = 128, 128
TABLE_SECTORS = ENTRY_COUNT * ENTRY_SIZE // SECTOR
SYSTEM_PARTITION = uuid.UUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
ENTRY = struct.Struct("<16s16sQQQ72s")
# The same content is the same image
NAMESPACE = uuid.UUID("5a9c1f4e-6e0b-4d0e-9c58-3a5e4b1b7f21")


def files_of(folder):
    """{name in an image: path} of everything below a folder."""
    files = {}
    for top, _, names in os.walk(folder, followlinks=True):
        files |= {os.path.relpath(os.path.join(top, name), folder): os.path.join(top, name) for name in names}
    return {name: path for name, path in files.items() if os.path.isfile(path)}


def size_of(content):
    return len(content) if isinstance(content, bytes) else os.path.getsize(content)


def room(files):
    """MiB for these files, their cluster ends, folders and FATs, and for a few more files."""
    return sum(size_of(content) + 64 * SECTOR for content in files.values()) * 17 // 16 // MIB + 4


def fat_image(path, files, offset=0, mib=None):
    """FAT from byte `offset` of an image on, so many MiB large (just enough unless told); FAT32 where there is room.
    The image is made, or kept before there."""
    need("mformat", "mtools")
    mib = mib or room(files)
    with open(path, "r+b" if offset else "wb") as image:
        image.truncate(offset + mib * MIB)
    drive = f"{path}@@{offset}" if offset else path
    # A size is told: mformat would take the image's, which is too large by what lies before.
    run_tool(["mformat", "-i", drive, "-v", "NETDIAG", "-T", str(mib * MIB // SECTOR), "-h", "255", "-s", "63", "-H",
              str(offset // SECTOR), *(["-F", "-c", "1"] if mib >= FAT32_MIB else []), "::"])
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
        result = subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", path, "-V", "NETDIAG", "-J", "-r",
                                 "-e", "efi.img", "-no-emul-boot", folder], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise MediaError(f"xorriso: {result.stderr.strip()}")
