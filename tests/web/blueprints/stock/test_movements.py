"""The ledger's pages: record, look back, take back; and the setting that demands a reason."""

from collections.abc import Callable

import pytest

from inventory_core import Cursor, new_operation_id
from inventory_core.catalog.products import retire_product
from inventory_core.queries.movements import movement_history
from inventory_core.stock.operations import receive
from tests.web.blueprints.site import Site, Visitor, form_in

ADDRESS = "/products/A/movements"


@pytest.fixture
def stocked(site: Site) -> Site:
    site.create_location("Almacén")
    site.create_product("A", quantity=5)
    return site


def test_stock_is_received_issued_and_moved(stocked: Site) -> None:
    page = stocked.operator.get("/products/A").text
    form = form_in(page, ADDRESS)

    received = stocked.operator.post(ADDRESS, form | {"quantity": "10", "reason": "Pedido 7"})
    issued = stocked.operator.post(ADDRESS, {"kind": "issue", "quantity": "3", "location": "Principal"})
    moved = stocked.operator.post(
        ADDRESS, {"kind": "transfer", "quantity": "4", "location": "Principal", "target": "Almacén"}
    )

    assert [answer.status_code for answer in (received, issued, moved)] == [303] * 3
    assert (stocked.quantity_in("A", "Principal"), stocked.quantity_in("A", "Almacén")) == (8, 4)
    assert "Pedido 7" in stocked.operator.get("/movements").text


@pytest.mark.parametrize(
    ("typed", "field", "reported"),
    [
        ({"quantity": ""}, "quantity", "obligatorio"),
        ({"quantity": "0"}, "quantity", "No puede ser 0"),
        ({"quantity": "-4"}, "quantity", "negativo"),
        ({"quantity": "1.000"}, "quantity", "separadores de miles"),
        ({"quantity": "6"}, "quantity", "hay 5 y se piden 6"),
        ({"location": "Luna"}, "location", "Luna"),
        ({"reason": "r" * 201}, "reason", "200 caracteres"),
        ({"kind": "transfer", "target": ""}, "target", "obligatorio"),
        ({"kind": "transfer", "target": "Luna"}, "target", "Luna"),
        ({"kind": "transfer", "target": "Principal"}, "target", "distintos"),
        ({"kind": "steal"}, "kind", "No existe"),
    ],
)
def test_a_movement_that_cannot_be_is_reported_next_to_the_field(
    stocked: Site, typed: dict[str, str], field: str, reported: str
) -> None:
    form = {"kind": "issue", "quantity": "1", "location": "Principal", "target": "", "reason": "<b>x</b>"}

    answer = stocked.operator.post(ADDRESS, form | typed)

    assert answer.status_code == 422
    assert reported in answer.text.split(f'id="{field}-faults">')[1][:300]
    assert "<b>x</b>" not in answer.text
    assert stocked.quantity("A") == 5


def test_a_movement_that_is_sent_twice_counts_once(stocked: Site) -> None:
    form = {"kind": "receive", "quantity": "10", "operation": "sent-twice"}

    assert [stocked.operator.post(ADDRESS, form).status_code for _ in range(2)] == [303, 303]
    assert stocked.quantity("A") == 15


def test_the_history_shows_who_did_what_and_offers_to_undo(stocked: Site) -> None:
    stocked.operator.post(ADDRESS, {"kind": "issue", "quantity": "2", "reason": "Venta"})
    (movement, *_) = movement_history(stocked.inventory, code="A").rows
    page = stocked.operator.get("/movements?code=a").text
    address = f"/movements/{movement.id}/undo"

    for word in ("Salida", "Venta", "olga", "-2"):
        assert word in page.replace("−", "-")  # noqa: RUF001 - the minus sign of the locale

    undone = stocked.operator.post(address, form_in(page, address))

    assert (undone.status_code, undone.location) == (303, "/movements?code=A")
    assert stocked.quantity("A") == 5
    assert "Deshecho" in stocked.operator.get("/movements?code=A").text


def test_nothing_is_undone_twice(stocked: Site) -> None:
    stocked.operator.post(ADDRESS, {"kind": "receive", "quantity": "2"})
    (movement, *_) = movement_history(stocked.inventory, code="A").rows

    first = stocked.operator.post(f"/movements/{movement.id}/undo")
    second = stocked.operator.post(f"/movements/{movement.id}/undo")

    assert (first.status_code, second.status_code) == (303, 409)
    assert "Ya está deshecho" in second.text
    assert stocked.quantity("A") == 5


def test_an_undo_for_which_too_little_is_left_is_refused(stocked: Site) -> None:
    stocked.operator.post(ADDRESS, {"kind": "receive", "quantity": "2"})
    (movement, *_) = movement_history(stocked.inventory, code="A").rows
    stocked.operator.post("/products/A/quantity", {"quantity": "1"})

    assert stocked.operator.post(f"/movements/{movement.id}/undo").status_code == 422
    assert stocked.quantity("A") == 1


def test_unknown_movements_and_addresses_are_not_found(stocked: Site) -> None:
    assert stocked.operator.post("/movements/999/undo").status_code == 404
    assert stocked.operator.post("/movements/99999999999999999999999/undo").status_code == 404
    assert stocked.operator.get("/movements?code=nada").status_code == 404
    assert stocked.operator.get("/movements/1/undo").status_code == 405


@pytest.mark.parametrize("after", ["-1", "x", "%00", str(Cursor("a", 1)), str(Cursor(None, "a"))])
def test_a_crafted_cursor_of_the_movements_is_refused(stocked: Site, after: str) -> None:
    answer = stocked.operator.get(f"/movements?after={after}")

    assert answer.status_code == 422
    assert "INV-001" in answer.text


def test_the_history_has_pages_with_full_names(site: Site) -> None:
    site.create_product("A", name="<&> " * 50)
    for _ in range(120):
        receive(site.inventory, code="A", quantity=1, reason="&" * 200, actor="p" * 80, operation=new_operation_id())
    seen, address = 0, "/movements"
    while address:
        page = site.operator.get(address)
        assert f">{'&lt;&amp;&gt; ' * 49}&lt;&amp;&gt;<" in page.text
        seen += page.text.count('class="badge bg-green-lt"')
        address = page.text.split('rel="next" href="')[1].split('"')[0] if 'rel="next"' in page.text else ""
    assert seen == 120


@pytest.mark.usefixtures("stocked")
def test_a_viewer_reads_the_history_and_cannot_change_it(viewer: Visitor) -> None:
    page = viewer.get("/movements").text

    assert "Entrada" in page
    assert "/undo" not in page
    assert ADDRESS not in viewer.get("/products/A").text
    assert viewer.post("/movements/1/undo").status_code == 403
    assert viewer.post(ADDRESS, {"kind": "receive", "quantity": "1"}).status_code == 403


def test_a_retired_product_offers_no_movement(stocked: Site) -> None:
    retire_product(stocked.inventory, code="A", actor="prueba", operation=new_operation_id())

    assert ADDRESS not in stocked.operator.get("/products/A").text
    assert stocked.operator.post(ADDRESS, {"kind": "receive", "quantity": "1"}).status_code == 409


def test_where_a_reason_is_required_nothing_is_received_issued_or_undone_without_one(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(reason_required=True)
    site.create_product("A")

    refused = site.operator.post(ADDRESS, {"kind": "receive", "quantity": "2"})
    with_reason = site.operator.post(ADDRESS, {"kind": "receive", "quantity": "2", "reason": "Pedido"})
    (movement, *_) = movement_history(site.inventory, code="A").rows
    undo_refused = site.operator.post(f"/movements/{movement.id}/undo")
    quick_refused = site.operator.post("/products/A/quantity", {"delta": "-1"}, htmx=True)

    assert (refused.status_code, with_reason.status_code) == (422, 303)
    assert "obligatorio" in refused.text.split('id="reason-faults">')[1][:200]
    assert (undo_refused.status_code, quick_refused.status_code) == (422, 422)
    assert "motivo" in quick_refused.text
    assert site.operator.post(f"/movements/{movement.id}/undo", {"reason": "Error"}).status_code == 303
    assert site.quantity("A") == 0
