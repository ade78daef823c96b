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
    "trip": ("round trip to a peer", "ns", False),
    "arp": ("round trip inside QEMU", "ns", False),
    "connect": ("ConnectController", "ns", False),
    "start": ("... to Start", "ns", False),
    "initialize": ("... to Initialize", "ns", False),
    "first-echo": ("... to the first echo", "ns", False),
    "memory": ("memory held", "bytes", False),
    "image": ("image in memory", "bytes", False),
}
OURS = "ours"


class BenchError(Exception):
    """Something a person can act on."""


# Virtual nanoseconds per guest instruction, as a power of two: near what the emulation does, so that waiting takes no
# longer than it would
ICOUNT_SHIFT = 5


def parse(text, instructions=False):
    """What the guest's program said: [(work, size, nanoseconds, bytes or instructions per operation)]. Times are
    medians; of instructions, which have no noise but the timer's interrupt, it is the least."""
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
        value = int(match[6]) / (1 << ICOUNT_SHIFT) if instructions else ticks * 1e9 / rate
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
