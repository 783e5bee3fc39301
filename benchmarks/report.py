"""The figures as a page of the documentation."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.dataset import MOVEMENTS, PRODUCTS
from benchmarks.measuring import Bar, Comparison, Figure, Table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

_INTRODUCTION = """# Benchmarks

Made by `nox -s bench`; not to be edited by hand. A *floor* is the same work by the barest means, taken in the same run, so that the
ratio says something on any machine; the times do not.
"""

PARTS = {
    "inventory": f"""## The inventory on SQLite

{PRODUCTS:,} products in 14 locations and {MOVEMENTS:,} movements, a catalogue made by dice of a fixed seed
(`benchmarks/dataset.py`).
""",
    "browsing": """## The inventory in a browser

The same catalogue, through the server of `inventory serve` and a real Chromium on one machine.
""",
    "replication": """## Replication on MySQL

`inventory_replication` over a source and two replicas in containers of their own, with TLS, and with the durability that MySQL has
by itself. Application and servers share the machine and its cores.
""",
    "stack": """## The containers

`docker-compose.yml` as it is shipped: NGINX over three instances over a source and its replica, all of them and the program that
asks on one machine. [Capacity](capacity.md) says what follows from it.
""",
}
"""The parts of the page in their order, each with its heading; a run that measures one leaves the other as it is."""


def write(part: str, machine: Mapping[str, str], tables: Iterable[Table | Comparison], page: Path = PAGE) -> None:
    """Write one part of the page."""
    lines = [PARTS[part], *(f"- {name}: {value}" for name, value in machine.items())]
    for table in tables:
        lines += [f"\n### {table.title}\n", f"{table.explanation}\n", *_lines(table)]
    parts = _written(page) | {part: "\n".join(lines) + "\n"}
    page.write_text(
        "\n".join([_INTRODUCTION, *(parts[name] for name in PARTS if name in parts)]), "utf-8", newline="\n"
    )


def _written(page: Path) -> dict[str, str]:
    """The parts that the page has."""
    text = page.read_text("utf-8") if page.exists() else ""
    found = {}
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]:
        for name, introduction in PARTS.items():
            if part.startswith(introduction.partition("\n")[0]):
                found[name] = part.rstrip("\n") + "\n"
    return found


def _lines(table: Table | Comparison) -> Iterator[str]:
    if isinstance(table, Comparison):
        yield f"| {' | '.join(table.columns)} |"
        yield f"| --- |{' ---: |' * (len(table.columns) - 1)}"
        yield from (f"| {' | '.join(row)} |" for row in table.rows)
        return
    yield "| what | measured | floor | ratio | bar | |"
    yield "| --- | ---: | ---: | ---: | ---: | --- |"
    for figure in table.figures:
        yield f"| {' | '.join(_cells(figure))} |"


def _cells(figure: Figure) -> Iterator[str]:
    yield figure.what
    yield f"{_number(figure.measured)} {figure.unit}"
    yield "" if figure.floor is None else f"{_number(figure.floor)} {figure.unit}"
    yield "" if not figure.floor else f"{figure.measured / figure.floor:.2f}"
    yield "" if figure.bar is None else _bar(figure.bar, figure.unit)
    yield "" if figure.bar is None else _verdict(figure)


def _bar(bar: Bar, unit: str) -> str:
    match bar.kind:
        case "most":
            return f"≤ {_number(bar.value)} {unit}"
        case "least":
            return f"≥ {_number(bar.value)} {unit}"
        case "times":
            return f"≤ {bar.value:g} times the floor"


def _verdict(figure: Figure) -> str:
    return "**misses**" if figure.misses else "met"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
