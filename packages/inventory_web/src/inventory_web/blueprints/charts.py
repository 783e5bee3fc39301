"""Charts as SVG: bars, days and levels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

MOST_TICKS = 5


def round_ticks(largest: int, most: int = MOST_TICKS) -> tuple[int, ...]:
    """Return whole numbers from 0 to at least ``largest``, at most ``most`` (2 or more), in equal steps of 1, 2 or 5 times 10ⁿ."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            steps = max(1, -(-largest // step))
            if steps < most:
                return tuple(range(0, steps * step + 1, step))
        power *= 10


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps 0 to ``begin`` and ``largest`` to ``end``; ``end`` may be smaller than ``begin``."""

    largest: int
    begin: float
    end: float

    def at(self, value: int) -> float:
        """Return the position of the value, limited to the ends."""
        share = min(1.0, max(0.0, value / self.largest)) if self.largest else 0.0
        return self.begin + (self.end - self.begin) * share


TEXT_SIZE = 12
CHARACTER = 7.2
"""Width to reserve per character; digits and most letters need less."""


def picture(name: str, title: str, description: str, width: float, height: float) -> Element:
    """Return an empty SVG with title and description for screen readers; ``name`` must be unique on the page."""
    svg = Element(
        "svg",
        {
            "class": f"chart chart-{name}",
            "viewBox": f"0 0 {plain(width)} {plain(height)}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
        },
    )
    SubElement(svg, "title", {"id": f"{name}-title"}).text = title
    SubElement(svg, "desc", {"id": f"{name}-description"}).text = description
    return svg


def box(parent: Element, kind: str, x: float, y: float, width: float, height: float, note: str = "") -> None:
    """Add a filled rectangle of class ``chart-<kind>``; ``note`` is its tooltip."""
    size = {"x": plain(x), "y": plain(y), "width": plain(width), "height": plain(height)}
    rectangle = SubElement(parent, "rect", {"class": f"chart-{kind}", **size})
    if note:
        SubElement(rectangle, "title").text = note


def line(parent: Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
    """Add a straight line of class ``chart-<kind>``."""
    ends = {"x1": plain(x1), "y1": plain(y1), "x2": plain(x2), "y2": plain(y2)}
    SubElement(parent, "line", {"class": f"chart-{kind}", **ends})


def path(parent: Element, kind: str, points: str) -> None:
    """Add a path of class ``chart-<kind>``."""
    SubElement(parent, "path", {"class": f"chart-{kind}", "d": points})


def write(parent: Element, text: str, x: float, y: float, anchor: str = "start", kind: str = "text") -> None:
    """Add a line of text with its baseline at ``y``; ``anchor`` is ``start``, ``middle`` or ``end``."""
    place = {"x": plain(x), "y": plain(y), "text-anchor": anchor}
    SubElement(parent, "text", {"class": f"chart-{kind}", **place}).text = text


def shortened(text: str, most: int) -> str:
    """Shorten the text to at most ``most`` characters, with an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def plain(number: float) -> str:
    """Format a coordinate, rounded to hundredths, without trailing zeros."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def finished(svg: Element) -> Markup:
    """Return the SVG as HTML."""
    return Markup(tostring(svg, encoding="unicode", short_empty_elements=False))  # noqa: S704 - ElementTree escapes


WIDTH = 420
ROW = 38
BAR = 12
LONGEST_LABEL = 30
BARS_FOOT = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, its length (0 or more), and the number at its end."""

    label: str
    value: int
    text: str


def bars(name: str, title: str, description: str, shown: Sequence[Bar], tick: Callable[[int], str]) -> Markup:
    """Draw bars from top to bottom over an axis; ``tick`` formats numbers."""
    bottom = ROW * len(shown)
    svg = picture(name, title, description, WIDTH, bottom + BARS_FOOT)
    ticks = round_ticks(max((bar.value for bar in shown), default=0))
    scale = Scale(ticks[-1], 0, WIDTH)
    for number in ticks:
        line(svg, "grid", scale.at(number), 0, scale.at(number), bottom)
        anchor = {0: "start", ticks[-1]: "end"}.get(number, "middle")
        write(svg, tick(number), scale.at(number), bottom + BARS_FOOT - 5, anchor, "tick")
    for place, bar in enumerate(shown):
        top = ROW * place
        available = min(LONGEST_LABEL, int((WIDTH - CHARACTER * (len(bar.text) + 2)) / CHARACTER))
        write(svg, shortened(bar.label, available), 0, top + 16)
        write(svg, bar.text, WIDTH, top + 16, "end", "value")
        box(svg, "bar", 0, top + 21, scale.at(bar.value), BAR, f"{bar.label}: {bar.text}")
    return finished(svg)


HALF = 90
DAYS_TOP = 10
DAYS_FOOT = 22
DATES = 4
"""Maximum number of dates on the axis."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day: its label, the units received and issued (0 or more), and its description."""

    label: str
    incoming: int
    outgoing: int
    note: str


def days(name: str, title: str, description: str, shown: Sequence[Day], tick: Callable[[int], str]) -> Markup:
    """Draw the days (at least one) from left to right, both directions at the same scale; ``tick`` formats numbers."""
    height = DAYS_TOP + 2 * HALF + DAYS_FOOT
    svg = picture(name, title, description, WIDTH, height)
    ticks = round_ticks(max(max(day.incoming, day.outgoing) for day in shown), most=3)
    left = CHARACTER * max(len(tick(number)) for number in ticks) + 6
    zero = DAYS_TOP + HALF
    up, down = Scale(ticks[-1], zero, DAYS_TOP), Scale(ticks[-1], zero, DAYS_TOP + 2 * HALF)
    for number in ticks:
        for scale in (up, down) if number else (up,):
            line(svg, "grid" if number else "axis", left, scale.at(number), WIDTH, scale.at(number))
            write(svg, tick(number), left - 6, scale.at(number) + 4, "end", "tick")
    slot = (WIDTH - left) / len(shown)
    dated = {round(place * (len(shown) - 1) / (DATES - 1)) for place in range(DATES)}
    for place, day in enumerate(shown):
        x, wide = left + place * slot + slot * 0.1, slot * 0.8
        if day.incoming:
            box(svg, "in", x, up.at(day.incoming), wide, zero - up.at(day.incoming), day.note)
        if day.outgoing:
            box(svg, "out", x, zero, wide, down.at(day.outgoing) - zero, day.note)
        if place in dated:
            anchor = "end" if place == len(shown) - 1 else "middle" if place else "start"
            write(
                svg,
                day.label,
                WIDTH if anchor == "end" else x + wide / 2 if place else left,
                height - 6,
                anchor,
                "tick",
            )
    return finished(svg)


LEVELS_TOP = 8
LEVELS_BOTTOM = 78
LEVELS_HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Level:
    """A quantity from ``share`` of the time on (0 is the beginning, 1 the end)."""

    share: float
    quantity: int


def levels(
    name: str, title: str, description: str, shown: Sequence[Level], ends: tuple[str, str], tick: Callable[[int], str]
) -> Markup:
    """Draw the levels (at least one, in order of time, the first at 0) up to 1; ``ends`` are the labels of both ends."""
    svg = picture(name, title, description, WIDTH, LEVELS_HEIGHT)
    ticks = round_ticks(max(level.quantity for level in shown), most=3)
    left = CHARACTER * max(len(tick(number)) for number in ticks) + 6
    up = Scale(ticks[-1], LEVELS_BOTTOM, LEVELS_TOP)
    for number in ticks:
        line(svg, "grid" if number else "axis", left, up.at(number), WIDTH, up.at(number))
        write(svg, tick(number), left - 6, up.at(number) + 4, "end", "tick")
    places = [left + (WIDTH - left) * min(1.0, max(0.0, level.share)) for level in shown]
    heights = [up.at(level.quantity) for level in shown]
    points = f"M{plain(places[0])} {plain(heights[0])}"
    for x, y in zip(places[1:], heights[1:], strict=True):
        points += f"H{plain(x)}V{plain(y)}"
    points += f"H{plain(WIDTH)}"
    path(svg, "area", f"{points}V{plain(LEVELS_BOTTOM)}H{plain(places[0])}Z")
    path(svg, "line", points)
    write(svg, ends[0], left, LEVELS_HEIGHT - 6, "start", "tick")
    write(svg, ends[1], WIDTH, LEVELS_HEIGHT - 6, "end", "tick")
    return finished(svg)
