"""A chart with a column up and a column down for each day: received and issued units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from inventory_web.charts.drawing import CHARACTER, box, finished, line, picture, write
from inventory_web.charts.scales import Scale, round_ticks

WIDTH = 420
HALF = 90
TOP = 10
FOOT = 22
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
    height = TOP + 2 * HALF + FOOT
    svg = picture(name, title, description, WIDTH, height)
    ticks = round_ticks(max(max(day.incoming, day.outgoing) for day in shown), most=3)
    left = CHARACTER * max(len(tick(number)) for number in ticks) + 6
    zero = TOP + HALF
    up, down = Scale(ticks[-1], zero, TOP), Scale(ticks[-1], zero, TOP + 2 * HALF)
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
