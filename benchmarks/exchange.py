"""Exports compared with a bare loop, and imports with the shipped command."""

import argparse
import csv
import json
import math
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from xlsxwriter import Workbook

from benchmarks.measuring import Bar, Figure, Ground, Table
from inventory_core import Inventory, ProductFilter, SingleDatabase, export_products

ROUNDS = 3
PER_MEGABYTE = 1_000_000 // (1 if sys.platform == "darwin" else 1024)
EXPORT_MOST_TIMES, EXPORT_MOST_MEGABYTES, IMPORT_MOST_TIMES = 1.25, 100, 1.5
HEADER = ("Código", "Nombre", "Descripción", "Categoría", "Cantidad", "Mínimo", "Eliminado", "Último cambio")
NUMBERS = frozenset({"Cantidad", "Mínimo"})
STORED = """
    SELECT p.code, p.name, p.description, c.name, p.quantity, p.minimum,
        CASE WHEN p.retired_at IS NULL THEN 'no' ELSE 'sí' END, p.changed_at
    FROM inventory_product AS p LEFT JOIN inventory_category AS c ON c.id = p.category_id
    WHERE p.retired_at IS NULL ORDER BY p.code_key, p.id
"""
EDITABLE = """
    SELECT p.code, p.name, p.description, c.name, p.quantity, p.minimum,
        (SELECT COUNT(*) FROM inventory_balance AS b WHERE b.product_id = p.id AND b.quantity > 0)
    FROM inventory_product AS p LEFT JOIN inventory_category AS c ON c.id = p.category_id
    WHERE p.retired_at IS NULL ORDER BY p.code_key LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One task in a separate process; ``peak`` is the maximum memory of that process, including libraries."""

    rows: int
    seconds: float
    peak: float
    floor: float = math.inf


def measure(ground: Ground) -> Iterator[Table]:
    """Yield the tables of export and import; each task has its own process."""
    yield _exports(ground)
    yield _imports(ground)


def _exports(ground: Ground) -> Table:
    ours: list[Run] = []
    bare: list[Run] = []
    as_csv: list[Run] = []
    for _ in range(ROUNDS):
        ours.append(_run("xlsx", ground.database, ground.scratch / "ours.xlsx"))
        bare.append(_run("bare", ground.database, ground.scratch / "bare.xlsx"))
        as_csv.append(_run("csv", ground.database, ground.scratch / "ours.csv"))
    explanation = (
        f"All {ours[0].rows:,} active products to a file; best of {ROUNDS} runs, each in its own process. "
        "Floor: XlsxWriter in constant memory, one typed write call per cell, reading from a bare `sqlite3` cursor. "
        "The peak is the resident memory of the whole process, Python and every library included."
    )
    seconds, floor = _best(ours), _best(bare)
    peak = max(run.peak for run in ours)
    return Table(
        "Export",
        explanation,
        [
            Figure("export of all to XLSX", seconds, "s", floor, Bar("times", EXPORT_MOST_TIMES)),
            Figure("its peak memory", peak, "MB", None, Bar("most", EXPORT_MOST_MEGABYTES)),
            Figure("export of all to CSV", _best(as_csv), "s"),
        ],
    )


def _imports(ground: Ground) -> Table:
    new, mixed = ground.scratch / "new.csv", ground.scratch / "mixed.csv"
    rows = _write_mixed(ground.database, mixed)
    _write_new(ground.database, new)
    as_xlsx = new.with_suffix(".xlsx")
    _write_workbook(new, as_xlsx)
    into_empty = [_import(ground.scratch, None, new) for _ in range(ROUNDS)]
    workbook = [_import(ground.scratch, None, as_xlsx) for _ in range(ROUNDS)]
    into_full = [_import(ground.scratch, ground.database, mixed) for _ in range(ROUNDS)]
    explanation = (
        f"`inventory import FILE --json` with the built-in plugins, from start to exit, including movements and undo data; best "
        f"of {ROUNDS}. The new products go into an empty inventory. The mixed file has {rows:,} rows in export order, for the "
        "inventory above: every other row is a new product; of the others, a quarter each changes its name, its minimum, its "
        "quantity (if it is at one location), or nothing. Floor: a bare `sqlite3` program reads the same file with `csv.reader` "
        "and writes the very rows that the import added or changed, with the same indexes and triggers, in one "
        "transaction. The peak is the resident memory of the command's largest process."
    )
    limit = Bar("times", IMPORT_MOST_TIMES)
    return Table(
        "Import",
        explanation,
        [
            Figure(
                f"import of {into_empty[0].rows:,} new products, CSV", _best(into_empty), "s", _floor(into_empty), limit
            ),
            Figure("its speed", _speed(into_empty), "rows/s"),
            Figure("its peak memory", max(run.peak for run in into_empty), "MB"),
            Figure("the same rows from XLSX", _speed(workbook), "rows/s"),
            Figure("its peak memory", max(run.peak for run in workbook), "MB"),
            Figure("import of the mixed file", _best(into_full), "s", _floor(into_full), limit),
            Figure("its speed", _speed(into_full), "rows/s"),
            Figure("its peak memory", max(run.peak for run in into_full), "MB"),
        ],
    )


def _floor(runs: list[Run]) -> float:
    return min(run.floor for run in runs)


def _speed(runs: list[Run]) -> float:
    return max(run.rows / run.seconds for run in runs)


def _import(scratch: Path, inventory: Path | None, file: Path) -> Run:
    """Run the command on a copy of an inventory, or on an empty one."""
    database = scratch / "import.db"
    if inventory is not None:
        shutil.copyfile(inventory, database)
    # As on most machines, the bytecode of the modules is cached.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"INVENTORY_DATABASE_URL": f"sqlite:///{database}", "INVENTORY_ENV": "development"}
    command = [sys.executable, "-m", "inventory_web"]
    subprocess.run([*command, "migrate"], env=environment, check=True, capture_output=True)
    before = scratch / "before.db"
    if file.suffix == ".csv":
        shutil.copyfile(database, before)
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, "import", str(file), "--json"], env=environment, stdout=subprocess.PIPE
    ) as process:
        said = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise ValueError(f"the import of the benchmark failed: {said.decode()}")
    floor = _measure_floor(before, database, file) if file.suffix == ".csv" else math.inf
    _remove(before)
    _remove(database)
    return Run(json.loads(said)["rows"], seconds, usage.ru_maxrss / PER_MEGABYTE, floor)


def _measure_floor(before: Path, after: Path, file: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.import_floor", str(before), str(after), str(file)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _best(runs: list[Run]) -> float:
    return min(run.seconds for run in runs)


def _write_mixed(database: Path, file: Path, rows: int = 100_000) -> int:
    rng = random.Random(1)  # noqa: S311
    with closing(sqlite3.connect(database)) as connection:
        stored = connection.execute(EDITABLE, (rows // 2,)).fetchall()
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEADER[:6])
        for number, (code, name, description, category, quantity, minimum, places) in enumerate(stored):
            known = [code, name, description, category, quantity, minimum]
            if number % 4 == 0:
                known[1] = f"{name} {number}"
            elif number % 4 == 1:
                known[5] = minimum + 1
            elif number % 4 == 2 and places <= 1:
                known[4] = quantity + 3
            other = rng.choice(stored)
            writer.writerow(known)
            writer.writerow([f"{code}-B", f"{other[1]} {number}", other[2], other[3], rng.randint(0, 99), 5])
    return len(stored) * 2


def _write_new(database: Path, file: Path, rows: int = 100_000) -> None:
    """Write products like the stored ones, with new codes."""
    with closing(sqlite3.connect(database)) as connection:
        stored = connection.execute(EDITABLE, (rows,)).fetchall()
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEADER[:6])
        for number in range(rows):
            code, *values, _ = stored[number % len(stored)]
            writer.writerow([f"{code}-N{number // len(stored)}", *values])


def _write_workbook(table: Path, file: Path) -> None:
    with table.open(encoding="utf-8", newline="") as text, Workbook(file, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(csv.reader(text)):
            for place, value in enumerate(row):
                if number and HEADER[place] in NUMBERS:
                    sheet.write_number(number, place, int(value))
                else:
                    sheet.write_string(number, place, value)


def _run(work: str, database: Path, file: Path) -> Run:
    command = [sys.executable, "-m", "benchmarks.exchange", work, str(database), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Run(**json.loads(done.stdout))


def _remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _write_bare(database: Path, file: Path) -> int:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    number = 0
    with closing(sqlite3.connect(database)) as connection, Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet()
        for place, title in enumerate(HEADER):
            sheet.write_string(0, place, title)
        for number, row in enumerate(connection.execute(STORED), start=1):
            code, name, description, category, quantity, minimum, retired, changed = row
            sheet.write_string(number, 0, code)
            sheet.write_string(number, 1, name)
            sheet.write_string(number, 2, description)
            if category is not None:
                sheet.write_string(number, 3, category)
            sheet.write_number(number, 4, quantity)
            sheet.write_number(number, 5, minimum)
            sheet.write_string(number, 6, retired)
            sheet.write_string(number, 7, changed)
    return number


def _export(format: str) -> Callable[[Path, Path], int]:  # noqa: A002
    def export(database: Path, file: Path) -> int:
        with _opened(database) as inventory:
            return export_products(inventory, ProductFilter(), file, "csv" if format == "csv" else "xlsx")

    return export


WORK: dict[str, Callable[[Path, Path], int]] = {
    "xlsx": _export("xlsx"),
    "csv": _export("csv"),
    "bare": _write_bare,
}


@contextmanager
def _opened(path: Path) -> Iterator[Inventory]:
    sessions = SingleDatabase.from_url(f"sqlite:///{path}")
    try:
        yield Inventory(sessions)
    finally:
        sessions.close()


def _peak_kibibytes() -> float:
    # On Linux ru_maxrss starts with the peak of the parent process (getrusage, execve).
    status = Path("/proc/self/status")
    if status.exists():
        return float(status.read_text("ascii").partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run one task and print its result as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("work", choices=WORK)
    parser.add_argument("database", type=Path)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    began = time.perf_counter()
    rows = WORK[given.work](given.database, given.file)
    seconds = time.perf_counter() - began
    peak = _peak_kibibytes() / PER_MEGABYTE
    sys.stdout.write(json.dumps(asdict(Run(rows, seconds, peak))))


if __name__ == "__main__":
    main()
