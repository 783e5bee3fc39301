"""Horizontal bars, each with a label above it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from inventory_web.charts.drawing import CHARACTER, box, finished, line, picture, shortened, write
from inventory_web.charts.scales import Scale, round_ticks

WIDTH = 420
ROW = 38
BAR = 12
LONGEST_LABEL = 30
FOOT = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, its length (0 or more), and the number at its end."""

    label: str
    value: int
    text: str


def bars(name: str, title: str, description: str, shown: Sequence[Bar], tick: Callable[[int], str]) -> Markup:
    """Draw bars from top to bottom over an axis; ``tick`` formats numbers."""
    bottom = ROW * len(shown)
    svg = picture(name, title, description, WIDTH, bottom + FOOT)
    ticks = round_ticks(max((bar.value for bar in shown), default=0))
    scale = Scale(ticks[-1], 0, WIDTH)
    for number in ticks:
        line(svg, "grid", scale.at(number), 0, scale.at(number), bottom)
        anchor = {0: "start", ticks[-1]: "end"}.get(number, "middle")
        write(svg, tick(number), scale.at(number), bottom + FOOT - 5, anchor, "tick")
    for place, bar in enumerate(shown):
        top = ROW * place
        available = min(LONGEST_LABEL, int((WIDTH - CHARACTER * (len(bar.text) + 2)) / CHARACTER))
        write(svg, shortened(bar.label, available), 0, top + 16)
        write(svg, bar.text, WIDTH, top + 16, "end", "value")
        box(svg, "bar", 0, top + 21, scale.at(bar.value), BAR, f"{bar.label}: {bar.text}")
    return finished(svg)
