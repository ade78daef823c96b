#!/usr/bin/python3
"""version - prints netdiag's version, as include/efi/version.h has it."""

import os
import re

HEADER = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "include", "efi", "version.h")


def numbers():
    """(major, minor)"""
    with open(HEADER, encoding="ascii") as file:
        found = dict(re.findall(r"(?m)^#define NETDIAG_VERSION_(MAJOR|MINOR) +(\d+)$", file.read()))
    return int(found["MAJOR"]), int(found["MINOR"])


def text():
    return "{}.{}".format(*numbers())


def revision():
    """For 16 bits, as an option ROM's code revision is: 0x0001 is 0.1."""
    major, minor = numbers()
    return major << 8 | minor


if __name__ == "__main__":
    print(text())
