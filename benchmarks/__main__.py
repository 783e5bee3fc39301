"""Measure, and write ``docs/benchmarks.md``; exit 1 if a figure misses its bar."""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import changing, dataset, exchange, machine, reading, report
from benchmarks.measuring import Ground, Table, say

ROOMS: dict[str, Callable[[Ground], Iterator[Table]]] = {
    "reading": reading.measure,
    "changing": changing.measure,
    "exchange": exchange.measure,
}


def main() -> int:
    """Run the rooms that were asked for; only a run of all of them writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], help="what to measure (default: everything)")
    parser.add_argument("--folder", type=Path, help="where the inventory is kept for the next run")
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--page", type=Path, help="write this file instead of docs/benchmarks.md")
    given = parser.parse_args()
    described = machine.description()
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        ground = Ground(dataset.cached(folder), Path(scratch), given.repetitions)
        tables = [table for room in given.rooms or ROOMS for table in _measured(room, ground)]
    page = given.page or (None if given.rooms else report.PAGE)
    if page is not None:
        report.write(described, tables, page)
    return int(any(figure.misses for table in tables for figure in table.figures))


def _measured(room: str, ground: Ground) -> Iterator[Table]:
    for table in ROOMS[room](ground):
        say(f"{table.title}")
        for figure in table.figures:
            ratio = f"{figure.measured / figure.floor:6.2f} x floor" if figure.floor else ""
            verdict = "MISSES" if figure.misses else ""
            say(f"  {figure.what:50} {figure.measured:10.2f} {figure.unit:10} {ratio} {verdict}".rstrip())
        yield table


if __name__ == "__main__":
    raise SystemExit(main())
