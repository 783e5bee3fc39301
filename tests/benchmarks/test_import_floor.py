"""The floor of an import writes what the import wrote."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.import_floor import floor_seconds
from inventory_core import Inventory
from inventory_core.testing import write_database

FILE = """Código,Nombre,Descripción,Categoría,Cantidad,Mínimo
A-1,Taladro,,Herramientas,5,1
A-2,Broca,,Herramientas,7,2
A-3,Lija,,,0,0
"""


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in listed}  # noqa: S608


def test_the_floor_of_an_import_leaves_the_rows_that_the_import_left(tmp_path: Path) -> None:
    before, after, file = tmp_path / "before.db", tmp_path / "after.db", tmp_path / "products.csv"
    file.write_text(FILE, encoding="utf-8")
    write_database(before)
    with Inventory.open(f"sqlite:///{before}") as inventory:
        inventory.register("A-1", name="Taladradora", quantity=2, actor="prueba")
    shutil.copyfile(before, after)
    with Inventory.open(f"sqlite:///{after}") as inventory:
        assert inventory.import_file(file, actor="prueba").created == 2
        found = inventory.products()
    unchanged = contents(before)

    assert floor_seconds(before, after, file) > 0
    written, expected = contents(before), contents(after)
    kept = {name for name in expected if "product_search" not in name}
    assert {name: sorted(written[name]) for name in kept} == {name: sorted(expected[name]) for name in kept}
    assert written != unchanged
    with Inventory.open(f"sqlite:///{before}") as inventory:
        assert inventory.products() == found
        assert inventory.verify().faults == ()
