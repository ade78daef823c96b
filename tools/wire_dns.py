"""wire_dns - badnet's name server: it knows one name (RFC 1035)."""

import struct

HEADER = struct.Struct(">HHHHHH")
TYPE_A, TYPE_AAAA, CLASS_IN = 1, 28, 1
ANSWERS = 0x8580  # a response, authoritative, recursion available
NO_NAME = 3
TTL_S = 60


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def answer(data, name, address):
    """The response to a query: `address`, 4 or 16 bytes, for an A or AAAA record of `name`, nothing for other types, an
    error for other names; None for what is no query."""
    if len(data) < HEADER.size:
        return None
    identification, flags, questions = HEADER.unpack_from(data)[:3]
    end = data.find(b"\0", HEADER.size)
    if flags & 0x8000 or questions != 1 or end < 0 or len(data) < end + 5:
        return None
    asked = data[HEADER.size:end + 1].lower()
    kind, family = struct.unpack(">HH", data[end + 1:end + 5])
    known = asked == encode(name) and family == CLASS_IN
    record = b""
    if known and kind == (TYPE_A if len(address) == 4 else TYPE_AAAA):
        record = b"\xc0\x0c" + struct.pack(">HHIH", kind, CLASS_IN, TTL_S, len(address)) + address
    header = HEADER.pack(identification, ANSWERS | (flags & 0x0100) | (0 if known else NO_NAME), 1, bool(record), 0, 0)
    return header + data[HEADER.size:end + 5] + record
