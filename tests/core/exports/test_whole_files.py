"""An export is there as a whole, or the file is as it was."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Never

import pytest

from inventory_core import ExportColumn, Inventory, StorageRefused, build_plugin_manager, export_products, hookimpl
from inventory_core.exporting import export
from inventory_core.exporting.export import ExportFormat
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.results import ProductRow
from inventory_core.testing import create_product

FORMATS = pytest.mark.parametrize("kind", ["xlsx", "csv"])


class BreaksOff:
    """A plugin that fails in the middle of an export."""

    @hookimpl
    def export_columns(self) -> list[ExportColumn]:
        def value(row: ProductRow) -> str:
            if row.code == "A-3":
                raise RuntimeError("no value for A-3")
            return "x"

        return [ExportColumn("Roto", value)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for exports, in which nothing else may be left."""
    path = tmp_path / "exports"
    path.mkdir()
    yield path

    assert [each.name for each in path.iterdir() if each.name.startswith(".")] == []


@FORMATS
def test_a_file_appears_with_the_permissions_of_any_other(
    inventory: Inventory, folder: Path, kind: ExportFormat
) -> None:
    create_product(inventory, "A-1")
    (folder / "other").touch()

    number = export_products(inventory, ProductFilter(), folder / "all", kind)

    assert number == 1
    assert stat.S_IMODE((folder / "all").stat().st_mode) == stat.S_IMODE((folder / "other").stat().st_mode)


@FORMATS
def test_an_older_file_is_replaced(inventory: Inventory, folder: Path, kind: ExportFormat) -> None:
    target = folder / "all"
    target.write_text("older")
    link = folder / "link"
    link.symlink_to(target)

    export_products(inventory, ProductFilter(), link, kind)

    assert link.is_symlink()
    assert target.read_bytes()[:2] in (b"PK", b"\xef\xbb")


@FORMATS
def test_an_export_that_fails_leaves_the_older_file(inventory: Inventory, folder: Path, kind: ExportFormat) -> None:
    for number in range(5):
        create_product(inventory, f"A-{number}")
    target = folder / "all"
    target.write_text("older")
    broken = Inventory(inventory.sessions, build_plugin_manager([BreaksOff()]))

    with pytest.raises(RuntimeError, match="A-3"):
        export_products(broken, ProductFilter(), target, kind)

    assert target.read_text() == "older"


@FORMATS
def test_an_operating_system_error_of_a_column_or_of_the_caller_stays_as_it_is(
    inventory: Inventory, folder: Path, kind: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreachable:
        @hookimpl
        def export_columns(self) -> list[ExportColumn]:
            return [ExportColumn("Precio", lambda _: fail(1))]

    def fail(_: object) -> Never:
        raise ConnectionRefusedError("the price service does not answer")

    create_product(inventory, "A-1")
    asking = Inventory(inventory.sessions, build_plugin_manager([Unreachable()]))
    with pytest.raises(ConnectionRefusedError, match="price service"):
        export_products(asking, ProductFilter(), folder / "all", kind)
    monkeypatch.setattr(export, "ROWS_BETWEEN_REPORTS", 1)
    with pytest.raises(ConnectionRefusedError, match="price service"):
        export_products(inventory, ProductFilter(), folder / "all", kind, progress=fail)

    assert list(folder.iterdir()) == []


@FORMATS
def test_a_full_disk_is_reported_in_one_line(inventory: Inventory, kind: ExportFormat) -> None:
    create_product(inventory, "A-1")

    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(StorageRefused, match="No space left"):
        export_products(inventory, ProductFilter(), full, kind)


@FORMATS
@pytest.mark.parametrize("place", ["absent/all.xlsx", "file/all.xlsx", "folder"])
def test_an_export_to_an_unwritable_path_is_reported_in_one_line(
    inventory: Inventory,
    folder: Path,
    place: str,
    kind: ExportFormat,
) -> None:
    (folder / "file").touch()
    (folder / "folder").mkdir()

    with pytest.raises(StorageRefused) as caught:
        export_products(inventory, ProductFilter(), folder / place, kind)

    assert "\n" not in str(caught.value)


@FORMATS
def test_an_export_reports_how_far_it_is_and_is_cancelled_by_an_error(
    inventory: Inventory, folder: Path, kind: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROWS_BETWEEN_REPORTS", 2)
    for number in range(5):
        create_product(inventory, f"A-{number}")
    reported: list[int] = []

    def cancel(rows: int) -> None:
        raise RuntimeError(rows)

    export_products(inventory, ProductFilter(), folder / "all", kind, progress=reported.append)
    with pytest.raises(RuntimeError):
        export_products(inventory, ProductFilter(), folder / "cancelled", kind, progress=cancel)

    assert reported == [2, 4]
    assert not (folder / "cancelled").exists()
