"""The frame of a chart, and functions for SVG elements."""

from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

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
