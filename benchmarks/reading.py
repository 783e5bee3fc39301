"""Pages of the list: browsing, searches and filters."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask.testing import FlaskClient
from pydantic import SecretStr

from benchmarks.measuring import Bar, Figure, Ground, Table, p95, times_of
from inventory_core import Cursor, Inventory, ProductFilter, SingleDatabase
from inventory_core.testing import counted_statements
from inventory_web import Settings, create_app
from inventory_web.db.schema import upgrade_all

SLOWEST_MS = 30
LARGEST_KB = 15
PAGE_BY_HAND = """
    SELECT p.id, p.code, p.name, p.description, c.name, p.quantity, p.minimum, p.version, p.changed_at, p.retired_at
    FROM inventory_product p LEFT JOIN inventory_category c ON c.id = p.category_id
    WHERE p.retired_at IS NULL ORDER BY p.name_key, p.id LIMIT 51"""
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@dataclass(frozen=True, slots=True)
class Case:
    """A URL of the list; ``row`` is the first row of a deep page."""

    what: str
    search: str = ""
    category: str = ""
    status: str = ""
    location: str = ""
    sort: str = "name"
    row: int = 0

    @property
    def products(self) -> ProductFilter:
        """Return the filter."""
        return ProductFilter(self.search, self.category, self.status, self.location)


CASES = (
    Case("first page"),
    Case("deep page (row 90,000)", row=90_000),
    Case("deep page, by quantity, descending", sort="-quantity", row=90_000),
    Case("deep page, by last change", sort="changed", row=90_000),
    Case("common search (`madera`, 19 %)", "madera"),
    Case("common search, two words (`azul garantia`)", "azul garantia"),
    Case("rare search (`foucault`, 1 product)", "foucault"),
    Case("search at one end of the order (`zapato`, 1 %)", "zapato"),
    Case("search without a hit (`xylofon`)", "xylofon"),
    Case("search for one letter (`q`)", "q"),
    Case("search for two letters (`de`, everywhere)", "de"),
    Case("search for two letters (`xa`, 10 %)", "xa", sort="-code"),
    Case("search for two letters without a hit (`zx`)", "zx"),
    Case("search for a part of a code (`04217`)", "04217"),
    Case("filter by category", category="Ropa", sort="-quantity"),
    Case("filter by status (low)", status="low_stock", sort="code"),
    Case("filter by status (out of stock)", status="out_of_stock", sort="-changed"),
    Case("filter by location", location="Taller", sort="quantity"),
    Case("search + category", "madera azul", "Hogar"),
    Case("search + status", "garantia", status="low_stock", sort="-changed"),
    Case("search + location", "madera", location="Taller"),
    Case("search + category + status", "de", "Libros", "low_stock", sort="quantity"),
    Case("search + category + location", "garantia", "Libros", location="Taller", sort="-name"),
    Case("search + category, nothing in common", "zapato", "Libros", sort="-changed"),
)


def measure(ground: Ground) -> Iterator[Table]:
    """Yield the tables of the pages, of their parts inside the core, and of the history."""
    with opened(ground) as inventory, closing(sqlite3.connect(ground.database)) as by_hand:
        by_hand.execute("PRAGMA cache_size = -32000")
        floor = p95(times_of(lambda: by_hand.execute(PAGE_BY_HAND).fetchall(), ground.repetitions)) * 1000
        yield _pages(ground, inventory, floor)
        yield _questions(ground, inventory, floor)
        yield _history(ground, inventory)


@contextmanager
def opened(ground: Ground) -> Iterator[Inventory]:
    """Open the database and add the web's tables."""
    sessions = SingleDatabase.from_url(f"sqlite:///{ground.database}")
    try:
        upgrade_all(sessions.engine)
        yield Inventory(sessions)
    finally:
        sessions.close()


def _pages(ground: Ground, inventory: Inventory, floor: float) -> Table:
    client = _logged_in(inventory)
    figures = []
    for case in CASES:
        query = _query(inventory, case)
        call = partial(client.get, "/inventory", query_string=query, headers=HTMX)
        seconds = times_of(call, ground.repetitions)
        figures.append(Figure(case.what, p95(seconds) * 1000, "ms", floor, Bar("most", SLOWEST_MS)))
    answer = client.get("/inventory", headers={**HTMX, "Accept-Encoding": "gzip"})
    figures.append(Figure("50 rows for htmx, compressed", len(answer.data) / 1024, "KB", None, Bar("most", LARGEST_KB)))
    with counted_statements() as statements:
        client.get("/inventory", headers=HTMX)
    figures.append(Figure("SQL statements of a page, login included", len(statements), "statements"))
    return Table(
        "Pages of the list",
        "95th percentile of `GET /inventory` for htmx inside the application: session, query, count and 50 rows of HTML. "
        "Floor: the first 51 rows, read with one statement through the driver.",
        figures,
    )


def _questions(ground: Ground, inventory: Inventory, floor: float) -> Table:
    figures = []
    for case in CASES:
        call = partial(inventory.products, case.products, sort=case.sort, after=_position(inventory, case))
        figures.append(Figure(case.what, p95(times_of(call, ground.repetitions)) * 1000, "ms", floor))
    return Table("Pages inside the core", "95th percentile of `Inventory.products` alone. Floor: as above.", figures)


def _history(ground: Ground, inventory: Inventory) -> Table:
    newest = inventory.movements(size=1).rows[0]
    calls: dict[str, Callable[[], object]] = {
        "latest movements": inventory.movements,
        "movements in the middle of the ledger": partial(inventory.movements, after=Cursor(None, newest.id // 2)),
        "movements of one product": partial(inventory.movements, code=newest.code),
    }
    figures = [
        Figure(what, p95(times_of(call, ground.repetitions)) * 1000, "ms", None, Bar("most", SLOWEST_MS))
        for what, call in calls.items()
    ]
    return Table("History", "95th percentile of `Inventory.movements`, 50 rows.", figures)


def _logged_in(inventory: Inventory) -> FlaskClient:
    given: dict[str, Any] = {"secret_key": SecretStr("only for the length of one benchmark"), "log_level": "error"}
    client = create_app(Settings(**given), sessions=inventory.sessions).test_client()
    token = client.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = client.post("/login", data={"csrf_token": token, "username": "admin", "password": "admin123"})
    if answer.status_code != 303:
        raise RuntimeError(f"the login answered {answer.status_code}")
    return client


def _query(inventory: Inventory, case: Case) -> dict[str, str]:
    query = {"search": case.search, "category": case.category, "status": case.status, "location": case.location}
    after = _position(inventory, case)
    return query | {"sort": case.sort} | ({"after": str(after)} if after else {})


def _position(inventory: Inventory, case: Case) -> Cursor | None:
    after = None
    for _ in range(case.row // 500):
        after = inventory.products(case.products, sort=case.sort, after=after, size=500).next
    return after
