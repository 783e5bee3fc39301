"""The diagram of the topology: each layer calls the one below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from markupsafe import Markup

from inventory_web.blueprints.ops.topology import Health
from inventory_web.charts.drawing import box, finished, line, picture, shortened, write

MARGIN = 2
"""Half the width of a thick frame."""
WIDTH = 424
PART_WIDTH, PART_HEIGHT = 132, 52
GAP = 12
PER_LINE = 3
BETWEEN_LAYERS = 34
LONGEST_NAME = 16


@dataclass(frozen=True, slots=True)
class Part:
    """A box: its name, its role, its state, and whether it served this page."""

    name: str
    kind: str
    health: Health
    here: bool


def system_picture(title: str, description: str, layers: Sequence[Sequence[Part]]) -> Markup:
    """Draw the layers (each with at least one part) from top to bottom; lines join those that served this page."""
    tops, height = [], float(MARGIN)
    for parts in layers:
        tops.append(height)
        height += _lines(parts) * (PART_HEIGHT + GAP) - GAP + BETWEEN_LAYERS
    svg = picture("system", title, description, WIDTH, height - BETWEEN_LAYERS + MARGIN)
    above: list[tuple[float, float]] = []
    for top, parts in zip(tops, layers, strict=True):
        places = [_place(parts, number, top) for number in range(len(parts))]
        used = [place for place, part in zip(places, parts, strict=True) if part.here]
        for x, y in above:
            for x_below, y_below in used:
                line(svg, "wire", x + PART_WIDTH / 2, y + PART_HEIGHT, x_below + PART_WIDTH / 2, y_below)
        above = used
    for top, parts in zip(tops, layers, strict=True):
        for number, part in enumerate(parts):
            _draw(svg, part, *_place(parts, number, top))
    return finished(svg)


def _lines(parts: Sequence[Part]) -> int:
    return -(-len(parts) // PER_LINE)


def _place(parts: Sequence[Part], number: int, top: float) -> tuple[float, float]:
    row, column = divmod(number, PER_LINE)
    in_row = min(PER_LINE, len(parts) - row * PER_LINE)
    left = (WIDTH - in_row * PART_WIDTH - (in_row - 1) * GAP) / 2
    return left + column * (PART_WIDTH + GAP), top + row * (PART_HEIGHT + GAP)


def _draw(svg: Element, part: Part, x: float, y: float) -> None:
    box(svg, f"part chart-{part.health}{' chart-here' if part.here else ''}", x, y, PART_WIDTH, PART_HEIGHT)
    write(svg, shortened(part.name, LONGEST_NAME), x + PART_WIDTH / 2, y + (22 if part.kind else 31), "middle", "value")
    if part.kind:
        write(svg, shortened(part.kind, LONGEST_NAME + 3), x + PART_WIDTH / 2, y + 40, "middle", "tick")
