"""Measure, and write ``docs/benchmarks.md``; exit 1 if a figure misses its bar."""

import argparse
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks import changing, dataset, exchange, machine, reading, replication, report
from benchmarks.measuring import Comparison, Ground, Table, say
from tests.capabilities import missing

Tables = Iterator[Table | Comparison]

ROOMS: dict[str, Callable[[Ground], Iterator[Table]]] = {
    "reading": reading.measure,
    "changing": changing.measure,
    "exchange": exchange.measure,
}
REPLICATION = "replication"


def main() -> int:
    """Run what was asked for; only a run of all rooms of the inventory, or of replication, writes its part of the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "rooms", nargs="*", choices=[*ROOMS, REPLICATION, []], help="what to measure (default: everything)"
    )
    parser.add_argument("--folder", type=Path, help="where the inventory is kept for the next run")
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--page", type=Path, help="write this file instead of docs/benchmarks.md")
    given = parser.parse_args()
    rooms = given.rooms or [*ROOMS, REPLICATION]
    lack = missing("docker")
    if lack and not given.rooms:
        rooms.remove(REPLICATION)
        say(f"{REPLICATION} is left out: it needs {lack}")
    missed = 0
    if inventory := [room for room in ROOMS if room in rooms]:
        whole = len(inventory) == len(ROOMS)
        versions = {"SQLite": sqlite3.sqlite_version, "SQLAlchemy": version("sqlalchemy")}
        missed += _run("inventory", versions, _inventory(inventory, given.folder, given.repetitions), given.page, whole)
    if REPLICATION in rooms:
        missed += _run(REPLICATION, replication.versions(), replication.measure(), given.page, True)
    return int(missed > 0)


def _inventory(rooms: list[str], kept: Path | None, repetitions: int) -> Tables:
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as scratch:
        folder = kept or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        ground = Ground(dataset.cached(folder), Path(scratch), repetitions)
        for room in rooms:
            yield from ROOMS[room](ground)


def _run(part: str, versions: dict[str, str], measured: Tables, page: Path | None, whole: bool) -> int:
    """Measure a part and write it, where it is whole or a page was named; give the number of figures that miss their bar."""
    described = machine.description(**versions)
    tables = []
    for table in measured:
        _tell(table)
        tables.append(table)
    if whole or page is not None:
        report.write(part, described, tables, page or report.PAGE)
    return sum(figure.misses for table in tables if isinstance(table, Table) for figure in table.figures)


def _tell(table: Table | Comparison) -> None:
    say(f"{table.title}")
    if isinstance(table, Comparison):
        for row in table.rows:
            say(f"  {row[0]:50} {' '.join(f'{cell:>10}' for cell in row[1:])}")
        return
    for figure in table.figures:
        ratio = f"{figure.measured / figure.floor:6.2f} x floor" if figure.floor else ""
        verdict = "MISSES" if figure.misses else ""
        say(f"  {figure.what:50} {figure.measured:10.2f} {figure.unit:10} {ratio} {verdict}".rstrip())


if __name__ == "__main__":
    raise SystemExit(main())
