"""The past of the sample catalogue."""

from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from inventory_core.queries.movements import movement_history
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import get_product, product_page
from inventory_core.testing import temporary_inventory
from inventory_core.verification import verify
from inventory_web.cli.files import run_import
from inventory_web.cli.sample.history import DAYS, PEOPLE, load_with_history


def test_the_sample_has_lived_for_weeks_and_ends_with_the_quantities_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "lived").mkdir()
    (tmp_path / "plain").mkdir()
    with (
        temporary_inventory(tmp_path / "lived") as lived,
        temporary_inventory(tmp_path / "plain") as plain,
        resources.as_file(resources.files("inventory_web.cli.sample")) as folder,
    ):
        files = sorted(folder.glob("*.csv"))
        load_with_history(lived, files, actor="admin")
        for file in files:
            run_import(plain, file, actor="admin")

        assert verify(lived).faults == ()
        codes = [row.code for row in product_page(plain, ProductFilter(), size=200).rows]
        for code in codes:
            then, now = get_product(plain, code), get_product(lived, code)
            assert (now.row.name, now.row.minimum, now.row.quantity) == (
                then.row.name,
                then.row.minimum,
                then.row.quantity,
            )
            assert dict(now.balances) == dict(then.balances)
        latest = movement_history(lived, size=200)
        rows = latest.rows + movement_history(lived, after=latest.next, size=50).rows
        assert {row.actor for row in rows} >= set(PEOPLE)
        assert {row.kind for row in rows} >= {"receive", "issue", "count", "transfer"}
        assert len({row.at.date() for row in rows}) > DAYS // 3
        assert all(row.at.weekday() < 6 and row.at < datetime.now(UTC) for row in rows)
        assert datetime.now(UTC) - rows[0].at < timedelta(days=7)
