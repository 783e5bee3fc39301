"""What a chart shows, read from its picture."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element, fromstring


@dataclass(frozen=True)
class Picture:
    """A chart that was drawn."""

    svg: Element

    @classmethod
    def of(cls, html: str) -> "Picture":
        return cls(fromstring(html))  # noqa: S314 - the chart is ours

    @property
    def size(self) -> tuple[float, float]:
        left, top, width, height = map(float, self.svg.attrib["viewBox"].split())
        assert (left, top) == (0, 0)
        return width, height

    def boxes(self, kind: str) -> list[dict[str, float]]:
        names = ("x", "y", "width", "height")
        return [
            {name: float(box.attrib[name]) for name in names}
            for box in self.svg.iter("rect")
            if box.attrib["class"] == f"chart-{kind}"
        ]

    def texts(self, kind: str = "text") -> list[str]:
        return [each.text or "" for each in self.svg.iter("text") if each.attrib["class"] == f"chart-{kind}"]

    def outside(self) -> list[str]:
        """What does not lie inside the picture, or has no size."""
        width, height = self.size
        found = [
            f"rect {box.attrib}"
            for kind in ("bar", "in", "out")
            for box, placed in zip(self._boxes(kind), self.boxes(kind), strict=True)
            if not (
                0 <= placed["x"] <= placed["x"] + placed["width"] <= width + 0.02
                and 0 <= placed["y"] <= placed["y"] + placed["height"] <= height + 0.02
            )
        ]
        found += [
            f"text {each.attrib}"
            for each in self.svg.iter("text")
            if not (0 <= float(each.attrib["x"]) <= width and 0 < float(each.attrib["y"]) <= height)
        ]
        found += [
            f"line {each.attrib}"
            for each in self.svg.iter("line")
            for end, most in (("x1", width), ("x2", width), ("y1", height), ("y2", height))
            if not 0 <= float(each.attrib[end]) <= most
        ]
        return found

    def _boxes(self, kind: str) -> list[Element]:
        return [box for box in self.svg.iter("rect") if box.attrib["class"] == f"chart-{kind}"]
