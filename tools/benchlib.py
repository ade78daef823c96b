"""benchlib - what tools/bench measured: statistics, ratios, the table and the plot. No machine is needed here."""

import re
import statistics

LINE = re.compile(r"^bench: ([a-z-]+) (\d+): (\d+) ticks for (\d+) operations, (\d+) samples, (\d+) to (\d+)", re.M)
RATE = re.compile(r"^bench: (\d+) ticks per second", re.M)
MEMORY = re.compile(r"^bench: memory (-?\d+) pages, image (\d+) bytes", re.M)
HOLD = re.compile(r"^bench: hold (\d+): (\d+) kept", re.M)
FAILED = re.compile(r"^bench: (.* failed|no work .*|NIC \d+ of .*)$", re.M)
PAGE = 4096

# Work: what it is called in tables, its unit, and whether more is better
WORK = {
    "transmit": ("transmit", "ns/frame", False),
    "transmit-bursts": ("transmit, 128 per tail write", "ns/frame", False),
    "receive": ("receive, 8 waiting", "ns/frame", False),
    "empty-receive": ("empty Receive", "ns/call", False),
    "empty-status": ("empty GetStatus", "ns/call", False),
    "tpl": ("RaiseTPL and RestoreTPL", "ns", False),
    "tpl-pending": ("... with an event pending", "ns", False),
    "copy-words": ("copy: the driver's memcpy", "ns", False),
    "copy-firmware": ("copy: CopyMem", "ns", False),
    "copy-bytes": ("copy: rep movsb", "ns", False),
    "copy-long": ("copy: rep movsq", "ns", False),
    "trip": ("round trip to a peer", "ns", False),
    "arp": ("round trip inside QEMU", "ns", False),
    "connect": ("ConnectController", "ns", False),
    "start": ("... to Start", "ns", False),
    "initialize": ("... to Initialize", "ns", False),
    "first-echo": ("... to the first echo", "ns", False),
    "pxe": ("power-on to the first byte by PXE", "ns", False),
    "tftp": ("TFTP download", "ns/MiB", False),
    "http": ("HTTP download", "ns/MiB", False),
    "overruns": ("no receive buffer free", "times", False),
    "kernel": ("kernel, receive", "ns/frame", False),
    "kernel-moderated": ("kernel, receive, moderated", "ns/frame", False),
    "interrupts": ("kernel, interrupts", "per 1000", False),
    "interrupts-moderated": ("kernel, interrupts, moderated", "per 1000", False),
    "kept": ("kernel, received of 1000", "frames", True),
    "kept-moderated": ("kernel, received of 1000, moderated", "frames", True),
    "file": ("image file", "bytes", False),
    "memory": ("memory held", "bytes", False),
    "image": ("image in memory", "bytes", False),
}
OURS = "ours"


class BenchError(Exception):
    """Something a person can act on."""


# Virtual nanoseconds per guest instruction, as a power of two: near what the emulation does, so that waiting takes no
# longer than it would
ICOUNT_SHIFT = 5


def parse(text, instructions=False, least=False):
    """What the guest's program said: [(work, size, nanoseconds, bytes or instructions per operation)]. Times are
    medians unless `least` is asked for; of instructions, which have no noise but the timer's interrupt, it is the
    least."""
    failed = FAILED.search(text)
    if failed:
        raise BenchError(f"the guest says: {failed[0]}")
    found = []
    rates = list(RATE.finditer(text))
    for match in LINE.finditer(text):
        rate = next((int(rate[1]) for rate in reversed(rates) if rate.start() < match.start()), None)
        if not rate:
            raise BenchError(f"no ticks per second before '{match[0]}'")
        work, size, ticks, operations = match[1], int(match[2]), int(match[3]), int(match[4])
        ticks = int(match[6]) if least or instructions else ticks
        value = ticks / (1 << ICOUNT_SHIFT) if instructions else ticks * 1e9 / rate
        found.append((work, size, value / operations))
    for match in MEMORY.finditer(text):
        found.append(("memory", 0, int(match[1]) * PAGE))
        if int(match[2]):
            found.append(("image", 0, int(match[2])))
    return found


class Results:
    """Values by what they are of: (part, NIC, work, size) and the driver."""

    def __init__(self):
        self.values = {}

    def add(self, part, nic, driver, work, size, value):
        self.values.setdefault((part, nic, work, size), {}).setdefault(driver, []).append(value)

    def rows(self):
        """One row for each value there is of a driver, with its ratio to ours where both are."""
        rows = []
        for (part, nic, work, size), drivers in self.values.items():
            ours = statistics.median(drivers[OURS]) if OURS in drivers else None
            for driver, values in drivers.items():
                median = statistics.median(values)
                row = {"part": part, "nic": nic, "driver": driver, "work": work, "size": size, "median": median,
                       "least": min(values), "most": max(values), "rounds": len(values), "values": values}
                if driver != OURS and ours and median:
                    row["ours_over_this"] = ours / median
                    row["times_faster"] = median / ours
                rows.append(row)
        return rows


ACCESSES = {1: "transmit", 2: "completion", 3: "receive", 4: "empty-receive", 5: "empty-status"}  # marks of bench.h
WARM_UP, WINDOW, ROUNDS, EMPTY_CALLS, SIZES = 2, 8, 8, 200, 3  # of bench.c


def accesses(counts, text, samples):
    """[(work, register accesses per operation)] from the counts by mark; `text` says how many windows came again."""
    frames = (samples + WARM_UP) * ROUNDS * WINDOW * SIZES
    again = sum(int(match) for match in re.findall(r"^bench: early (\d+)", text, re.M)) * WINDOW
    operations = {1: frames, 2: frames, 3: frames + again, 4: samples * EMPTY_CALLS, 5: samples * EMPTY_CALLS}
    found = []
    for mark, work in ACCESSES.items():
        writes, reads = counts.get(mark, (0, 0))
        found += [(f"{work}, writes", writes / operations[mark]), (f"{work}, reads", reads / operations[mark])]
    return found


def unit(row):
    """Of a row's values."""
    if row["part"] in ("instructions", "nics", "cost instructions"):
        return "instructions"
    if row["part"] == "accesses":
        return "accesses"
    return "frames kept" if row["part"] == "rings" else WORK[row["work"]][1]


# What issue and review ask for: NIC, part, work, size, rival, the most that ours may take of the rival's median
E1000, VIRTIO = ("e1000", "e1000e"), ("virtio-net-pci",)
TARGETS = (
    (E1000, "snp", "transmit", 60, "iPXE", 1 / 3),
    (E1000, "snp", "transmit", 1514, "iPXE", 1 / 2),
    (VIRTIO, "snp", "transmit", 60, "VirtioNetDxe", 1 / 5),
    (E1000, "snp", "receive", 60, "iPXE", 1 / 5),
    (E1000, "snp", "receive", 1514, "iPXE", 1 / 5),
    (E1000, "snp", "empty-receive", 0, "iPXE", 1 / 2),
    (E1000, "snp", "empty-status", 0, "iPXE", 1 / 2),
    (("e1000e",), "snp", "first-echo", 0, "iPXE", 1 / 8),
    (E1000 + VIRTIO, "snp", "trip", 60, "iPXE", 1),
    (VIRTIO, "snp", "trip", 60, "VirtioNetDxe", 1),
    (E1000 + VIRTIO, "stack", "tftp", 0, "iPXE", 1),
    (VIRTIO, "stack", "tftp", 0, "VirtioNetDxe", 1),
    (E1000 + VIRTIO, "stack", "http", 0, "iPXE", 1),
    (VIRTIO, "stack", "http", 0, "VirtioNetDxe", 1),
)
DRIVER_LIMIT = 64 << 10  # `make check` holds the drivers' images to it
SIZE_LIMITS = {"e1000.efi": DRIVER_LIMIT, "virtio-net.efi": DRIVER_LIMIT, "netdiag.efi": 160 << 10}


def targets(rows):
    """One row a target: what was measured, and whether it holds; those that were not measured are left out."""
    by_place = {(row["part"], row["nic"], row["work"], row["size"], row["driver"]): row for row in rows}
    found = []
    for models, part, work, size, rival, most in TARGETS:
        for nic in models:
            row = by_place.get((part, nic, work, size, rival), {})
            if "ours_over_this" in row:
                found.append({"nic": nic, "work": label(work, size), "rival": rival, "most": most,
                              "measured": row["ours_over_this"], "met": row["ours_over_this"] <= most,
                              "instructions": by_place.get(("instructions", nic, work, size, rival), {}).get(
                                  "ours_over_this")})
    for image, limit in SIZE_LIMITS.items():
        row = by_place.get(("size", image, "file", 0, OURS))
        if row and limit:
            found.append({"nic": image, "work": "image file", "rival": "limit", "most": 1,
                          "measured": row["median"] / limit, "met": row["median"] <= limit, "instructions": None})
    return found


PLOTTED = (("transmit", 60), ("transmit", 1514), ("receive", 60), ("receive", 1514), ("empty-receive", 0),
           ("empty-status", 0), ("trip", 60), ("first-echo", 0))


def plot_rows(rows):
    """One row for each kind of work, with how many times faster than iPXE ours is on each NIC."""
    found = {}
    for row in rows:
        if row["part"] == "snp" and row["driver"] == "iPXE" and "times_faster" in row:
            found.setdefault((row["work"], row["size"]), {})[row["nic"]] = row["times_faster"]
    names = {"empty-receive": "no frame", "empty-status": "GetStatus", "first-echo": "first echo", "trip": "round trip"}
    return [{"work": names.get(work, work) + f" {size}" * (size > 0), **found[work, size]}
            for work, size in PLOTTED if (work, size) in found]


def keep(old, new):
    """The new rows, and those old ones that are of other parts, NICs or work."""
    measured = {(row["part"], row["nic"], row["work"]) for row in new}
    return new + [row for row in old if (row["part"], row["nic"], row["work"]) not in measured]


def times(ratio):
    """A ratio as people read it."""
    if ratio is None:
        return "-"
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def label(work, size):
    name = WORK.get(work, (work,))[0]
    return f"{name}, {size} B" if size else name


def table(rows, part):
    """Markdown: one line for each NIC and work, one column for each rival, with ours over the rival's median."""
    rows = [row for row in rows if row["part"] == part]
    rivals = list(dict.fromkeys(row["driver"] for row in rows if row["driver"] != OURS))
    places = list(dict.fromkeys((row["nic"], row["work"], row["size"]) for row in rows))
    lines = ["| NIC | work | " + " | ".join(f"of {rival}'s" for rival in rivals) + " |",
             "|---|---|" + "---:|" * len(rivals)]
    for nic, work, size in places:
        found = {row["driver"]: row.get("ours_over_this") for row in rows
                 if (row["nic"], row["work"], row["size"]) == (nic, work, size)}
        if any(found.get(rival) for rival in rivals):
            cells = [times(found.get(rival)) for rival in rivals]
            lines.append(f"| {nic} | {label(work, size)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def target_table(data):
    lines = ["| NIC | work | beside | at most | measured | instructions | |", "|---|---|---|---:|---:|---:|---|"]
    for row in data["targets"]:
        ratios = [times(row[field]) for field in ("most", "measured", "instructions")]
        cells = [row["nic"], row["work"], row["rival"], *ratios, "met" if row["met"] else "NOT MET"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def value_table(rows, part, digits=0):
    """Markdown: one line for each NIC and work, one column a driver, with the values themselves."""
    rows = [row for row in rows if row["part"] == part]
    drivers = list(dict.fromkeys(row["driver"] for row in rows))
    lines = ["| NIC | work | " + " | ".join(drivers) + " |", "|---|---|" + "---:|" * len(drivers)]
    values = {}
    for row in rows:
        values.setdefault((row["nic"], row["work"], row["size"]), {})[row["driver"]] = row["median"]
    for (nic, work, size), found in values.items():
        cells = [f"{found[driver]:,.{digits}f}" if driver in found else "-" for driver in drivers]
        lines.append(f"| {nic} | {label(work, size)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def kernel_table(rows):
    """Frames a second as a ratio, interrupts as they are."""
    values = {(row["nic"], row["work"], row["driver"]): row["median"] for row in rows if row["part"] == "kernel"}
    lines = ["| NIC | moderation | ours over Linux's rate | interrupts per 1000 frames, ours | Linux's | "
             "received of 1000, ours | Linux's |", "|---|---|---:|---:|---:|---:|---:|"]
    for nic in dict.fromkeys(key[0] for key in values):
        for suffix, name in (("", "none"), ("-moderated", "on")):
            ours, linux = (values.get((nic, "kernel" + suffix, driver)) for driver in (OURS, "Linux"))
            if ours and linux:
                counts = [f"{values[nic, what + suffix, driver]:.{digits}f}" if (nic, what + suffix, driver) in values
                          else "-" for what, digits in (("interrupts", 1), ("kept", 0)) for driver in (OURS, "Linux")]
                lines.append(f"| {nic} | {name} | {times(linux / ours)} | {' | '.join(counts)} |")
    return "\n".join(lines) + "\n"


def ring_table(rows):
    """What is left of a burst, by ring size."""
    values = {(row["nic"], row["work"], row["size"]): row["median"] for row in rows if row["part"] == "rings"}
    bursts = sorted({key[2] for key in values})
    lines = ["| NIC | descriptors | " + " | ".join(f"of {burst}" for burst in bursts) + " |",
             "|---|---:|" + "---:|" * len(bursts)]
    for nic, work in dict.fromkeys(key[:2] for key in values):
        cells = [f"{values[nic, work, burst]:.0f}" if (nic, work, burst) in values else "-" for burst in bursts]
        lines.append(f"| {nic} | {work.split()[1]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


SECTIONS = (
    ("snp", "Through SNP", "Time of ours over time of the rival: less than 1 is faster. \"bare\" is a loop without a "
     "driver, the ceiling.", lambda rows: table(rows, "snp")),
    ("instructions", "Guest instructions", "Per frame or call, the loop of the bench around it included.",
     lambda rows: value_table(rows, "instructions")),
    ("costs", "What is not the driver's", "Nanoseconds; only their proportions say something.",
     lambda rows: value_table(rows, "costs")),
    ("cost instructions", "What is not the driver's, in instructions", "A `rep` counts as one for each turn.",
     lambda rows: value_table(rows, "cost instructions")),
    ("accesses", "Register accesses", "Per frame or call, in QEMU's trace.",
     lambda rows: value_table(rows, "accesses", 3)),
    ("stack", "Through the firmware's stack", "Ours over the rival's time; the SHA-256 of each download is right.",
     lambda rows: table(rows, "stack")),
    ("kernel", "In a kernel", "Frames of 60 bytes as fast as the NIC takes them.", kernel_table),
    ("rings", "Bursts that nobody polls for", "Frames that are left of a burst when SNP is asked for the first of them "
     "after all of it was sent.", ring_table),
    ("nics", "More NICs", "Guest instructions per frame beside NICs that are open and idle, and of each 10 ms for all.",
     lambda rows: value_table(rows, "nics")),
)


def report(data):
    """The whole table in Markdown."""
    host = data["host"]
    parts = ["# Bench\n", "Made by `make bench`, which README.md explains. QEMU runs without KVM and other work may\n"
             "have gone on: only ratios of one run say something, and instructions do not depend on the\nmachine.\n",
             f"{host['date']}: {host['qemu']};\n{host['processors']} processors, {host['processor']}, load "
             f"{host['load']:.1f} at the start;\n{data['rounds']} rounds of {data['samples']} samples, drivers in "
             f"turn{', the least of the samples of each boot' * data.get('least', False)}.\n"]
    if data["targets"]:
        parts += ["## What was asked for\n", target_table(data)]
    for part, title, text, make in SECTIONS:
        if any(row["part"] == part for row in data["rows"]):
            parts += [f"## {title}\n", text + "\n", make(data["rows"])]
    return "\n".join(parts)
