"""A full-sized inventory in a SQLite file: random with a fixed seed, written in bulk, consistent."""

import multiprocessing
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measuring import say
from benchmarks.vocabulary import COLOURS, LOCATIONS, MAKERS, MATERIALS, RARE_NAME, REMARKS, SHELVES, Shelf
from inventory_core import CORE_SCHEMA, SingleDatabase, code_key, sort_key
from inventory_core.rules.texts import fold, search_text

PRODUCTS = 100_000
MOVEMENTS = 1_000_000
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
PER_IMPORT = 1_000


@dataclass(slots=True)
class _Made:
    """Generated rows of the tables, and the state that keeps them consistent."""

    rng: random.Random
    balances: dict[tuple[int, int], int] = field(default_factory=dict)
    totals: dict[int, int] = field(default_factory=dict)
    movements: list[tuple[object, ...]] = field(default_factory=list)
    operations: list[tuple[object, ...]] = field(default_factory=list)
    revisions: list[tuple[object, ...]] = field(default_factory=list)

    def move(self, kind: str, product: int, location: int, quantity: int, operation: str) -> None:
        key = product, location
        self.balances[key] = self.balances.get(key, 0) + quantity
        self.totals[product] = self.totals.get(product, 0) + quantity
        number = len(self.movements) + 1
        at = moment(number)
        self.movements.append((number, kind, product, location, quantity, self.balances[key], "", "ana", at, operation))


def moment(number: int) -> str:
    """Return the time of the movement with this number, as SQLite stores it."""
    return (BEGIN + timedelta(seconds=number * 60, microseconds=number)).strftime("%Y-%m-%d %H:%M:%S.%f")


def build(path: Path, products: int = PRODUCTS, movements: int = MOVEMENTS, seed: int = 1) -> None:
    """Write a new inventory to ``path``: ``products`` products in 14 locations and exactly ``movements`` movements.

    About 3 % are retired, 5 % out of stock and 8 % below their minimum. The same seed creates the same inventory.
    """
    database = SingleDatabase.from_url(f"sqlite:///{path}")
    CORE_SCHEMA.upgrade(database.engine)
    database.close()
    made = _Made(random.Random(seed))  # noqa: S311
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        connection.execute("BEGIN")
        categories = _write_names(connection)
        _move_goods(made, products, movements)
        connection.executemany(
            "INSERT INTO inventory_operation (id, operation_type, fingerprint, actor, at) VALUES (?, ?, '', 'ana', ?)",
            made.operations,
        )
        connection.executemany(
            "INSERT INTO inventory_operation_result (operation_id, result, at) VALUES (?, '{}', ?)",
            ((operation, at) for operation, _, at in made.operations),
        )
        connection.executemany(
            "INSERT INTO inventory_product VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
            _products(made, products, categories),
        )
        connection.executemany(
            "INSERT INTO inventory_movement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", made.movements
        )
        connection.executemany("INSERT INTO inventory_product_revision VALUES (?, ?, ?, ?, ?)", made.revisions)
        rows = ((product, location, quantity) for (product, location), quantity in sorted(made.balances.items()))
        connection.executemany("INSERT INTO inventory_balance VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _write_names(connection: sqlite3.Connection) -> dict[str | None, int | None]:
    names = [shelf.category for shelf in SHELVES if shelf.category]
    connection.executemany(
        "INSERT OR IGNORE INTO inventory_category (name, name_key) VALUES (?, ?)",
        ((name, fold(name)) for name in names),
    )
    connection.executemany(
        "INSERT INTO inventory_location (name, name_key) VALUES (?, ?)", ((n, fold(n)) for n in LOCATIONS)
    )
    return {None: None, **dict(connection.execute("SELECT name, id FROM inventory_category"))}


def _move_goods(made: _Made, products: int, movements: int) -> None:
    rng = made.rng
    homes = {}
    for product in range(1, products + 1):
        operation = f"import-{product // PER_IMPORT}"
        if not made.operations or made.operations[-1][0] != operation:
            made.operations.append((operation, "import", moment(len(made.movements) + 1)))
        made.revisions.append((operation, product, 1, "created", "{}"))
        if rng.random() < 0.05:
            continue
        homes[product] = rng.sample(range(1, 15), k=rng.choice((1, 1, 2, 2, 3, 4)))
        for home in homes[product]:
            made.move("import", product, home, rng.randint(1, 60), operation)
    while len(made.movements) < movements:
        product = rng.randint(1, products)
        if product not in homes:
            continue
        home = rng.choice(homes[product])
        operation = f"{rng.getrandbits(128):032x}"
        here = made.balances[product, home]
        taken = rng.randint(1, 25)
        if rng.random() < 0.5 and here >= taken:
            kind, quantity = "issue", -taken
        else:
            kind, quantity = "receive", taken
        made.operations.append((operation, kind, moment(len(made.movements) + 1)))
        made.move(kind, product, home, quantity, operation)


def _products(made: _Made, products: int, categories: dict[str | None, int | None]) -> Iterator[tuple[object, ...]]:
    rng = made.rng
    for number in range(1, products + 1):
        shelf = rng.choice(SHELVES)
        name = RARE_NAME if number == products * 2 // 3 else _name(rng, shelf)
        code = f"{shelf.prefix}-{number:06d}"
        maker, remark = rng.choice(MAKERS), rng.choice(REMARKS)
        description = f"Marca {maker}, {rng.choice(MATERIALS)}. {remark}".strip()
        text = search_text(code, name, description, shelf.category or "")
        total = made.totals.get(number, 0)
        minimum = total + rng.randint(1, 20) if rng.random() < 0.08 else rng.choice((0, 0, total // 2))
        at = moment(rng.randint(1, len(made.movements)))
        retired = at if rng.random() < 0.03 and name != RARE_NAME else None
        yield (
            number, code, code_key(code), name, sort_key(name), description, categories[shelf.category],
            total, minimum, text, moment(1), at, retired,
        )  # fmt: skip


def _name(rng: random.Random, shelf: Shelf) -> str:
    size = f"{rng.randint(1, 40)} {rng.choice(('cm', 'mm', 'kg', 'l'))}"
    return f"{rng.choice(shelf.things)} {rng.choice(COLOURS)} de {rng.choice(MATERIALS)} {size}"


def cached(folder: Path) -> Path:
    """Return the inventory of the default size in ``folder``; build it if it does not exist."""
    path = folder / "inventory.db"
    if not path.exists():
        began = time.perf_counter()
        half_done = folder / "inventory.building.db"
        half_done.unlink(missing_ok=True)
        # In a separate process: its memory must not count in later measurements.
        builder = multiprocessing.get_context("spawn").Process(target=build, args=(half_done,))
        builder.start()
        builder.join()
        if builder.exitcode:
            raise RuntimeError("the inventory could not be built")
        half_done.rename(path)
        say(f"built {path} in {time.perf_counter() - began:.0f} s")
    return path
