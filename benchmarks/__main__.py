"""Measure, and write ``docs/benchmarks.md``; exit 1 if a figure misses its bar."""

import argparse
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from benchmarks import browsing, changing, dataset, exchange, machine, reading, replication, report, stack
from benchmarks.measuring import Comparison, Ground, Table, say
from tests.capabilities import missing

Tables = Iterator[Table | Comparison]

ROOMS: dict[str, Callable[[Ground], Iterator[Table]]] = {
    "reading": reading.measure,
    "changing": changing.measure,
    "exchange": exchange.measure,
}
"""The rooms of the part ``inventory`` of the page; each other part is one room."""

BROWSING = "browsing"
REPLICATION, STACK = "replication", "stack"
WITH_SERVERS: dict[str, tuple[Callable[[], dict[str, str]], Callable[[], Tables]]] = {
    REPLICATION: (replication.versions, replication.measure),
    STACK: (stack.versions, stack.measure),
}
NEEDS = {BROWSING: "browser", REPLICATION: "docker", STACK: "docker"}


def main() -> int:
    """Run what was asked for; a part of the page is written only by a run of all its rooms."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    every = [*ROOMS, *NEEDS]
    parser.add_argument("rooms", nargs="*", choices=[*every, []], help="what to measure (default: everything)")
    parser.add_argument("--folder", type=Path, help="where the inventory is kept for the next run")
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--page", type=Path, help="write this file instead of docs/benchmarks.md")
    given = parser.parse_args()
    rooms = given.rooms or _possible(every)
    missed = 0
    with _ground(given.folder, given.repetitions) as ground:
        if inventory := [room for room in ROOMS if room in rooms]:
            versions = {"SQLite": sqlite3.sqlite_version, "SQLAlchemy": version("sqlalchemy")}
            measured = (table for room in inventory for table in ROOMS[room](ground()))
            missed += _run("inventory", versions, measured, given.page, len(inventory) == len(ROOMS))
        if BROWSING in rooms:
            missed += _run(BROWSING, browsing.versions(), browsing.measure(ground()), given.page, True)
    for part, (versions_of, measure) in WITH_SERVERS.items():
        if part in rooms:
            missed += _run(part, versions_of(), measure(), given.page, True)
    return int(missed > 0)


def _possible(rooms: list[str]) -> list[str]:
    """Those for which the machine has what they need; the others are told."""
    lacks = {room: lack for room, capability in NEEDS.items() if (lack := missing(capability))}
    for room, lack in lacks.items():
        say(f"{room} is left out: it needs {lack}")
    return [room for room in rooms if room not in lacks]


@contextmanager
def _ground(kept: Path | None, repetitions: int) -> Iterator[Callable[[], Ground]]:
    """Give what makes the inventory, once, for those who need it."""
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as scratch:
        folder = kept or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        yield lambda: Ground(dataset.cached(folder), Path(scratch), repetitions)


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
