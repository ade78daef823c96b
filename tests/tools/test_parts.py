"""PARTS.md, the page about the parts of the e1000 family, agrees with the table that the driver is built from."""

import re
import unittest

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "driver" / "net" / "e1000"


def rows(page, columns):
    """The rows of tables of so many columns, without their headings."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns and not set(line) <= set("|-"):
            yield cells


class Parts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = (FOLDER / "PARTS.md").read_text()
        source = (FOLDER / "e1000_parts.c").read_text()
        cls.header = (FOLDER / "e1000_parts.h").read_text()
        source = re.sub(r"\\\n", " ", source)
        cls.macros = dict(re.findall(r"(?m)^#define (\w+)(?:\(.*?\))? +(.*)$", source))
        cls.parts = dict(re.findall(r"(?s)struct e1000_part part_(\w+) = \{(.*?)\n\};", source))
        cls.models = re.findall(r'MODEL\("(\w+)", 0x(\w+), \d+, \w+, part_(\w+)\)', source)

    def quirks(self, text):
        """The quirks that a piece of C names, by itself or through a macro."""
        found = set(re.findall(r"E1000_QUIRK_(\w+)", text))
        for word in set(re.findall(r"\w+", text)) & self.macros.keys():
            found |= self.quirks(self.macros[word])
        return found

    def test_every_id(self):
        listed = [(name, pci.removeprefix("8086:"), part) for name, pci, part, _, _ in rows(self.page, 5)
                  if pci.startswith("8086:")]
        table = [(name, pci.lower(), part) for name, pci, part in self.models]
        self.assertGreater(len(table), 30)
        self.assertEqual(listed, table)
        self.assertEqual(len({pci for _, pci, _ in table}), len(table))

    def test_strangers(self):
        """Each has one row, and none is in the driver's table."""
        source = (FOLDER.parents[2] / "app" / "doctor" / "defects_nics.c").read_text()
        strangers = [pci.lower() for pci in re.findall(r"\{0x(\w+), [A-Z_]+, ", source)]
        self.assertGreater(len(strangers), 100)
        self.assertEqual(strangers, sorted(set(strangers)))
        self.assertFalse(set(strangers) & {pci.lower() for _, pci, _ in self.models})

    def test_every_part_is_used(self):
        self.assertEqual(set(self.parts), {part for _, _, part in self.models})

    def test_every_quirk(self):
        everyone = set(self.parts)
        listed = {}
        for name, who, _, _ in rows(self.page, 4):
            if name != "quirk":
                but = re.fullmatch(r"all but (.*)", who)
                listed[name] = everyone - set(but[1].replace(" and ", " ").split()) if but else set(who.split())
        table = {}
        for part, text in self.parts.items():
            for quirk in self.quirks(text):
                table.setdefault(quirk, set()).add(part)
        self.assertEqual(listed, table)
        self.assertEqual(set(listed), set(re.findall(r"(?m)^#define E1000_QUIRK_(\w+)", self.header)))

    def test_silicon(self):
        """What the table about the silicon says of times, tables and addresses."""
        heading, *lines = list(rows(self.page, 8))
        said = {line[0]: dict(zip(heading[1:], line[1:])) for line in lines}
        waits = {"PCI_RESET_US": "5 ms", "SPI_RESET_US": "20 ms", "PCH_RESET_US": "20 ms",
                 "PCIE_RESET_US": "1 ms, then AUTO_RD"}
        for name, wait in waits.items():
            self.assertEqual(int(re.match(r"\d+", self.macros[name])[0]), int(wait.split()[0]) * 1000)
        seen = set()
        for part, text in self.parts.items():
            column, = (column for column in heading[1:] if part[:5] in column)
            seen.add(column)
            for word in list(re.findall(r"\w+", text)):
                text += "\n" + self.spelled_out(word)
            value = {key: re.search(rf"\.{key} = ([^,\n]+)", text)[1]
                     for key in ("phy_address", "mta_words", "rar_count", "reset_us")}
            self.assertEqual(said["then no access for"][column], waits[value["reset_us"]], part)
            self.assertEqual(said["PHY, at address"][column].split(", ")[1], value["phy_address"], part)
            self.assertEqual(said["MTA words"][column], value["mta_words"].replace("E1000_MTA_COUNT", "128"), part)
            ours = value["rar_count"].replace("E1000_RAR_COUNT", "15")
            self.assertEqual(said["receive addresses of ours"][column], ours, part)
        self.assertEqual(seen, set(heading[1:]))

    def spelled_out(self, word):
        """What a macro of fields stands for."""
        text = self.macros.get(word, "") if word.startswith("COMMON_") else ""
        return text + "\n" + "\n".join(self.spelled_out(inner) for inner in re.findall(r"\w+", text))

    def test_seen(self):
        """QEMU's models are the only ones that were booted."""
        seen = {name: where for name, pci, _, where, _ in rows(self.page, 5) if where.startswith("QEMU")}
        self.assertEqual(set(seen), {"82540EM", "82544GC", "82545EM", "82574L"})
        self.assertIn("None of them has been seen on silicon", self.page)


if __name__ == "__main__":
    unittest.main()
