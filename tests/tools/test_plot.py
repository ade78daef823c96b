"""test_plot - tools/plot: its images are read as XML, and every mark is where its number belongs."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SVG = "{http://www.w3.org/2000/svg}"
ROWS = [{"size": 64, "rate": {"tx": 800, "rx": 700}}, {"size": 512, "rate": {"tx": 400, "rx": None}},
        {"size": 1024, "rate": {"tx": 200, "rx": 100}}, {"size": 1514, "rate": {"tx": 0, "rx": 50}}]


class Plot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="p-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "bench.json")
        self.image = os.path.join(folder.name, "bench.svg")

    def run_plot(self, data, *arguments):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(data if isinstance(data, str) else json.dumps(data))
        return subprocess.run([sys.executable, os.path.join(ROOT, "tools/plot"), self.path, *arguments],
                              capture_output=True, text=True, check=False)

    def draw(self, data, *arguments):
        result = self.run_plot(data, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        image = xml.etree.ElementTree.parse(self.image).getroot()
        width, height = float(image.get("width")), float(image.get("height"))
        for element in image.iter():  # nothing is drawn outside
            for names, limit in ((("x", "x1", "x2", "cx"), width), (("y", "y1", "y2", "cy"), height)):
                for name in names:
                    if element.get(name):
                        self.assertTrue(0 <= float(element.get(name)) <= limit, element.attrib)
            if element.get("x") and element.get("height"):
                self.assertLessEqual(float(element.get("y")) + float(element.get("height")), height, element.attrib)
        return image

    def fails(self, data, message, *arguments):
        result = self.run_plot(data, *arguments)
        self.assertEqual(result.returncode, 2)
        self.assertIn(message, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse(os.path.exists(self.image))

    @staticmethod
    def texts(image):
        return [element.text for element in image.iter(SVG + "text")]

    def scale(self, image, anchor, place, names):
        """A function from places on the image to numbers, by two labels of the axis."""
        found = [(float(element.get(place)), float(element.text)) for element in image.iter(SVG + "text")
                 if element.text and re.fullmatch(r"-?[\d.]+", element.text) and element.get("text-anchor") == anchor]
        (p1, v1), (p2, v2) = [pair for pair in found if pair[1] in names][:2]
        return lambda at: v1 + (at - p1) / (p2 - p1) * (v2 - v1)

    def test_lines(self):
        image = self.draw({"a": {"rows": ROWS}}, "--rows", "a.rows", "--x", "size", "--y", "rate.tx", "rate.rx",
                          "--title", "<rates> & sizes", "--x-label", "bytes", "--y-label", "frames/s",
                          "--legend", "out", "in")
        texts = self.texts(image)
        for text in ("<rates> & sizes", "bytes", "frames/s", "out", "in", "0", "200", "800"):
            self.assertIn(text, texts)
        self.assertEqual(image.find(SVG + "title").text, "<rates> & sizes")
        x, y = self.scale(image, "middle", "x", (500, 1000)), self.scale(image, "end", "y", (0, 800))
        marks = [(x(float(mark.get("cx"))), y(float(mark.get("cy")) + 4)) for mark in image.iter(SVG + "circle")]
        wanted = [(64, 800), (512, 400), (1024, 200), (1514, 0), (64, 700), (1024, 100), (1514, 50)]
        self.assertEqual(len(marks), len(wanted), "a missing number is no mark")
        for mark, point in zip(marks, wanted):
            for at, value, tolerance in zip(mark, point, (2, 2)):
                self.assertAlmostEqual(at, value, delta=tolerance)
        lines = [line.get("points").count(",") for line in image.iter(SVG + "polyline")]
        self.assertEqual(lines, [4, 2], "and a gap in the line")

    def test_bars(self):
        image = self.draw(ROWS, "--x", "size", "--y", "rate.tx", "rate.rx", "--kind", "bar")
        y = self.scale(image, "end", "y", (0, 800))
        bars = [bar for bar in image.iter(SVG + "rect") if bar.find(SVG + "title") is not None]
        heights = [y(float(bar.get("y")) + 4) for bar in bars]
        for height, value in zip(heights, (800, 400, 200, 0, 700, 100, 50), strict=True):
            self.assertAlmostEqual(height, value, delta=2)
        ends = sorted((float(bar.get("x")), float(bar.get("x")) + float(bar.get("width"))) for bar in bars)
        for (_, end), (start, _) in zip(ends, ends[1:]):
            self.assertLessEqual(end, start + 0.15, "bars lie beside each other")
        self.assertEqual(len({round(float(bar.get("y")) + float(bar.get("height"))) for bar in bars}), 1)

    def test_categories(self):
        rows = [{"us": "<1", "n": 3}, {"us": "1-2", "n": 0}, {"us": "2-4", "n": 90000}]
        image = self.draw(rows, "--x", "us", "--y", "n", "--kind", "bar", "--log-y")
        self.assertLessEqual({"<1", "1-2", "2-4", "1", "100k"}, set(self.texts(image)))
        bars = [bar for bar in image.iter(SVG + "rect") if bar.find(SVG + "title") is not None]
        self.assertEqual(len(bars), 2, "there is no place for a 0")
        self.assertEqual(self.texts(image).count("n"), 1, "one series needs no legend")

    def test_files(self):
        """One run a file, beside each other."""
        other = os.path.join(os.path.dirname(self.path), "other.json")
        with open(other, "w", encoding="utf-8") as file:
            json.dump({"transmit": {"rate": 50}}, file)
        image = self.draw({"transmit": {"rate": 100}}, other, "--x", "file", "--y", "transmit.rate", "--kind", "bar")
        self.assertLessEqual({"bench", "other"}, set(self.texts(image)))
        bars = [bar for bar in image.iter(SVG + "rect") if bar.find(SVG + "title") is not None]
        self.assertEqual([bar.find(SVG + "title").text for bar in bars], ["bench: 100", "other: 50"])

    def test_from_zero(self):
        """Heights are to be compared."""
        image = self.draw([{"x": 1, "y": 100}, {"x": 2, "y": 90}], "--x", "x", "--y", "y", "--kind", "bar")
        bars = [float(bar.get("height")) for bar in image.iter(SVG + "rect") if bar.find(SVG + "title") is not None]
        self.assertAlmostEqual(bars[1] / bars[0], 0.9, delta=0.01)

    def test_log(self):
        rows = [{"x": 10 ** power, "y": 10 ** (power * 2)} for power in range(4)]
        image = self.draw(rows, "--x", "x", "--y", "y", "--log-x", "--log-y")
        marks = [(float(mark.get("cx")), float(mark.get("cy"))) for mark in image.iter(SVG + "circle")]
        steps = {(round(b[0] - a[0]), round(a[1] - b[1])) for a, b in zip(marks, marks[1:])}
        self.assertEqual(len(steps), 1, "powers are at equal distances")

    def test_extremes(self):
        for rows in ([{"x": 5, "y": 5}], [{"x": 1, "y": 0}, {"x": 1, "y": 0}], [{"x": 0, "y": -7}, {"x": 1, "y": -9}],
                     [{"x": -1e18, "y": 1e18}, {"x": 1e18, "y": 3}], [{"x": i, "y": i} for i in range(300)],
                     [{"x": 1, "y": 1e-9}, {"x": 2, "y": 2e-9}]):
            for kind in ("line", "bar"):
                with self.subTest(rows[:2], kind=kind):
                    self.draw(rows, "--x", "x", "--y", "y", "--kind", kind)

    def test_mistakes(self):
        xy = ("--x", "size", "--y", "rate.tx")
        self.fails("{", "Expecting property name", *xy)
        self.fails({"a": 1, "b": 2}, "no 'rows' on the way to 'rows'; there is: a, b", "--rows", "rows", *xy)
        self.fails([1, 2], "'the file' is neither an object nor an array of objects: name one with --rows", *xy)
        self.fails({"a": 5}, "'a' is neither an object nor an array of objects", "--rows", "a", *xy)
        self.fails([], "is neither an object nor an array of objects", *xy)
        self.fails(ROWS, "no row has a number that can be drawn in 'rat'; the first has: file, size, rate",
                   "--x", "size", "--y", "rat")
        self.fails(ROWS, "no row has 'siz'", "--x", "siz", "--y", "rate.tx")
        self.fails(ROWS, "1 fields and 2 names for the legend", *xy, "--legend", "a", "b")
        self.fails([{"x": 0, "y": 1}], "--log-x wants lines over numbers above 0", "--x", "x", "--y", "y", "--log-x")
        self.fails([{"x": 0, "y": True}], "no row has a number", "--x", "x", "--y", "y")
        self.fails('[{"x": 0, "y": NaN}]', "no row has a number", "--x", "x", "--y", "y")
        self.fails(ROWS, "an image has 300 by 200 or more", *xy, "--width", "10")


if __name__ == "__main__":
    unittest.main()
