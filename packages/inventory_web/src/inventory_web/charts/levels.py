"""A small step chart of a quantity over time: a balance stays the same until the next movement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from inventory_web.charts.drawing import CHARACTER, finished, line, path, picture, plain, write
from inventory_web.charts.scales import Scale, round_ticks

WIDTH = 420
TOP = 8
BOTTOM = 78
HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Level:
    """A quantity from ``share`` of the time on (0 is the beginning, 1 the end)."""

    share: float
    quantity: int


def levels(
    name: str, title: str, description: str, shown: Sequence[Level], ends: tuple[str, str], tick: Callable[[int], str]
) -> Markup:
    """Draw the levels (at least one, in order of time, the first at 0) up to 1; ``ends`` are the labels of both ends."""
    svg = picture(name, title, description, WIDTH, HEIGHT)
    ticks = round_ticks(max(level.quantity for level in shown), most=3)
    left = CHARACTER * max(len(tick(number)) for number in ticks) + 6
    up = Scale(ticks[-1], BOTTOM, TOP)
    for number in ticks:
        line(svg, "grid" if number else "axis", left, up.at(number), WIDTH, up.at(number))
        write(svg, tick(number), left - 6, up.at(number) + 4, "end", "tick")
    places = [left + (WIDTH - left) * min(1.0, max(0.0, level.share)) for level in shown]
    heights = [up.at(level.quantity) for level in shown]
    points = f"M{plain(places[0])} {plain(heights[0])}"
    for x, y in zip(places[1:], heights[1:], strict=True):
        points += f"H{plain(x)}V{plain(y)}"
    points += f"H{plain(WIDTH)}"
    path(svg, "area", f"{points}V{plain(BOTTOM)}H{plain(places[0])}Z")
    path(svg, "line", points)
    write(svg, ends[0], left, HEIGHT - 6, "start", "tick")
    write(svg, ends[1], WIDTH, HEIGHT - 6, "end", "tick")
    return finished(svg)
