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

INVENTORY_SUITES: dict[str, Callable[[Ground], Iterator[Table]]] = {
    "reading": reading.measure,
    "changing": changing.measure,
    "exchange": exchange.measure,
}
"""The suites of the part ``inventory`` of the page; each other part is one suite."""

BROWSING = "browsing"
REPLICATION, STACK = "replication", "stack"
WITH_SERVERS: dict[str, tuple[Callable[[], dict[str, str]], Callable[[], Tables]]] = {
    REPLICATION: (replication.versions, replication.measure),
    STACK: (stack.versions, stack.measure),
}
NEEDS = {BROWSING: "browser", REPLICATION: "docker", STACK: "docker"}


def main() -> int:
    """Run the requested suites; a part of the page is written only by a run of all its suites."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    every = [*INVENTORY_SUITES, *NEEDS]
    parser.add_argument("suites", nargs="*", choices=[*every, []], help="what to measure (default: everything)")
    parser.add_argument("--folder", type=Path, help="where the inventory is kept for the next run")
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--page", type=Path, help="write this file instead of docs/benchmarks.md")
    given = parser.parse_args()
    suites = given.suites or _possible(every)
    missed = 0
    with _ground(given.folder, given.repetitions) as ground:
        if inventory := [suite for suite in INVENTORY_SUITES if suite in suites]:
            versions = {"SQLite": sqlite3.sqlite_version, "SQLAlchemy": version("sqlalchemy")}
            measured = (table for suite in inventory for table in INVENTORY_SUITES[suite](ground()))
            missed += _run("inventory", versions, measured, given.page, len(inventory) == len(INVENTORY_SUITES))
        if BROWSING in suites:
            missed += _run(BROWSING, browsing.versions(), browsing.measure(ground()), given.page, True)
    for part, (versions_of, measure) in WITH_SERVERS.items():
        if part in suites:
            missed += _run(part, versions_of(), measure(), given.page, True)
    return int(missed > 0)


def _possible(suites: list[str]) -> list[str]:
    """Return the suites that this machine can run; report the others."""
    lacks = {suite: lack for suite, capability in NEEDS.items() if (lack := missing(capability))}
    for suite, lack in lacks.items():
        say(f"{suite} is left out: it needs {lack}")
    return [suite for suite in suites if suite not in lacks]


@contextmanager
def _ground(kept: Path | None, repetitions: int) -> Iterator[Callable[[], Ground]]:
    """Yield a function that creates the inventory on first use."""
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as scratch:
        folder = kept or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        yield lambda: Ground(dataset.cached(folder), Path(scratch), repetitions)


def _run(part: str, versions: dict[str, str], measured: Tables, page: Path | None, whole: bool) -> int:
    """Measure a part; write it if it is complete or a page was named; return the number of figures that miss their bar."""
    described = machine.description(**versions)
    tables = []
    for table in measured:
        _print(table)
        tables.append(table)
    if whole or page is not None:
        report.write(part, described, tables, page or report.PAGE)
    return sum(figure.misses for table in tables if isinstance(table, Table) for figure in table.figures)


def _print(table: Table | Comparison) -> None:
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
