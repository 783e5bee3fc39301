"""``inventory outbox``: what waits and what was given up, over a real database."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from inventory_core import (
    Inventory,
    SingleDatabase,
    StockChanged,
    build_plugin_manager,
    hookimpl,
    list_dead_letters,
    outbox_status,
)
from inventory_core.stock.outbox import MAX_ATTEMPTS, deliver_events
from inventory_core.testing import create_product
from tests.core.outbox import make_due
from tests.web.cli.conftest import Ended

Run = Callable[..., Ended]


class Fails:
    """Takes no event."""

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        raise OSError(f"no paper\nfor {event.code}")


@pytest.fixture
def shop(here: Path) -> Iterator[Inventory]:
    """An inventory with three dead letters and an event that waits."""
    sessions = SingleDatabase.from_file(here)
    inventory = Inventory(sessions, build_plugin_manager([Fails()]))
    for code in ("A-1", "B-2", "C-3"):
        create_product(inventory, code, quantity=5)
    for _ in range(MAX_ATTEMPTS):
        deliver_events(inventory)
        make_due(inventory)
    create_product(inventory, "D-4", quantity=5)
    yield inventory
    sessions.close()


def test_outbox_list_shows_what_waits_and_each_dead_letter(run: Run, shop: Inventory) -> None:
    ended = run("outbox", "list")

    assert ended.code == 0
    waiting, dead, *letters = ended.out.splitlines()
    assert waiting.startswith("1 evento espera; el más antiguo, desde hace ")
    assert dead == "3 eventos abandonados:"
    cells = [line.split("\t") for line in letters]
    assert [(each[0], each[1], each[3], each[4]) for each in cells] == [
        (str(letter.id), "stock_changed", "20", f"OSError: no paper for {code}")
        for letter, code in zip(list_dead_letters(shop), ("A-1", "B-2", "C-3"), strict=True)
    ]


def test_outbox_list_as_json(run: Run, shop: Inventory) -> None:
    described = json.loads(run("outbox", "list", "--json").out)

    assert (described["waiting"], described["dead_letters"]) == (1, 3)
    assert json.loads(described["letters"][0]["payload"])["code"] == "A-1"
    assert described["letters"][0]["id"] == list_dead_letters(shop)[0].id


def test_outbox_list_of_an_empty_outbox(run: Run, here: Path) -> None:
    assert here.exists()
    assert run("outbox", "list").out.splitlines() == ["0 eventos esperan.", "0 eventos abandonados."]


def test_outbox_retry_and_discard_take_numbers(run: Run, shop: Inventory) -> None:
    first, second, _ = (letter.id for letter in list_dead_letters(shop))

    assert run("outbox", "retry", first).out == "1 evento vuelve a la bandeja de salida.\n"
    assert run("outbox", "discard", second).out == "1 evento borrado.\n"
    assert (outbox_status(shop).waiting, outbox_status(shop).dead_letters) == (2, 1)
    assert run("outbox", "retry").out == "1 evento vuelve a la bandeja de salida.\n"
    assert (outbox_status(shop).waiting, outbox_status(shop).dead_letters) == (3, 0)
    assert run("outbox", "discard").code == 2


def test_outbox_deliver_without_a_listening_plugin_leaves_the_events(run: Run, shop: Inventory) -> None:
    ended = run("outbox", "deliver")

    assert (ended.code, ended.out) == (0, "0 eventos entregados.\n")
    assert outbox_status(shop).waiting == 1


def test_import_leaves_its_events_to_the_relay(run: Run, here: Path, tmp_path: Path) -> None:
    file = tmp_path / "productos.csv"
    file.write_text("code,name,quantity\nA-1,Mesa,3\n", "utf-8")

    assert run("import", file).code == 0
    sessions = SingleDatabase.from_file(here)
    with sessions.reader() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM inventory_outbox")) == 0
    sessions.close()
