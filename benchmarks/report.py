"""The figures as a page of the documentation."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.dataset import MOVEMENTS, PRODUCTS
from benchmarks.measuring import Bar, Figure, Table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

_INTRODUCTION = f"""# Benchmarks

Made by `nox -s bench`; not to be edited by hand. Everything is measured on SQLite at {PRODUCTS:,} products in 14 locations
and {MOVEMENTS:,} movements, a catalogue made by dice of a fixed seed (`benchmarks/dataset.py`). A *floor* is the same work
by the barest means, taken in the same run, so that the ratio says something on any machine; the times do not.
"""


def write(machine: Mapping[str, str], tables: Iterable[Table], page: Path = PAGE) -> None:
    """Write the page."""
    parts = [_INTRODUCTION, "## Machine\n", *(f"- {name}: {value}" for name, value in machine.items())]
    for table in tables:
        parts += [f"\n## {table.title}\n", f"{table.explanation}\n", *_lines(table)]
    page.write_text("\n".join(parts) + "\n", "utf-8", newline="\n")


def _lines(table: Table) -> Iterator[str]:
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
