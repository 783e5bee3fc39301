"""The quantity in the row: set it, or change it by one, once, and only if it is still what the person saw."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from inventory_core import change_quantity, new_operation_id
from inventory_core.catalog.products import retire_product
from tests.web.blueprints.site import Site, Visitor, form_in

ADDRESS = "/products/A/quantity"


def test_the_row_holds_a_form_that_sets_or_changes(site: Site) -> None:
    site.create_product("A", quantity=5)
    form = form_in(site.operator.get("/inventory").text, ADDRESS)

    assert form["expected"] == "5"
    assert form["operation"]

    set_to = site.operator.post(ADDRESS, form | {"quantity": "8"})

    assert set_to.status_code == 303
    assert site.quantity("A") == 8


def test_htmx_gets_the_row_alone_with_a_new_form_and_an_offer_to_undo(site: Site) -> None:
    site.create_product("A", quantity=5)

    answer = site.operator.post(ADDRESS, {"delta": "1", "expected": "5", "operation": "op-1"}, htmx=True)

    fresh = form_in(answer.text, ADDRESS)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<tr id="p')
    assert "<html" not in answer.text
    assert (fresh["expected"], fresh["quantity"]) == ("6", "6")
    assert fresh["operation"] not in ("", "op-1")
    assert "5 → 6" in answer.text
    assert "Deshacer" in answer.text


def test_the_undo_of_a_row_restores_the_row(site: Site) -> None:
    site.create_product("A", quantity=5)
    changed = site.operator.post(ADDRESS, {"delta": "-1", "expected": "5"}, htmx=True)
    action = changed.text.split('action="/movements/')[1].split('"')[0]
    address = f"/movements/{action}"

    undone = site.operator.post(address, form_in(changed.text, address), htmx=True)

    assert (undone.status_code, undone.location) == (303, ADDRESS)
    row = site.operator.get(undone.location, htmx=True)
    assert row.text.lstrip().startswith('<tr id="p')
    assert site.quantity("A") == 5
    assert site.operator.get(undone.location).status_code == 303


def test_a_double_click_counts_once(site: Site) -> None:
    site.create_product("A", quantity=5)
    form = {"delta": "1", "expected": "5", "operation": "clicked-twice"}

    statuses = [site.operator.post(ADDRESS, form, htmx=True).status_code for _ in range(2)]

    assert statuses == [200, 200]
    assert site.quantity("A") == 6


@pytest.mark.parametrize("stock", ["nowhere", "moved since", "all taken"])
def test_a_form_without_a_place_that_comes_again_means_the_place_of_its_first_time(site: Site, stock: str) -> None:
    if stock == "nowhere":
        site.create_product("A")
    else:
        _in_two_places(site)
        site.operator.post(ADDRESS, {"quantity": "0", "location": "Almacén"})
    quantity = "0" if stock == "all taken" else "4"
    form = form_in(site.operator.get("/inventory").text, ADDRESS) | {"quantity": quantity}
    first = site.operator.post(ADDRESS, form)
    if stock == "moved since":
        site.operator.post(ADDRESS, {"quantity": "2", "location": "Almacén"})
    before = site.quantity("A")

    assert (first.status_code, site.operator.post(ADDRESS, form).status_code) == (303, 303)
    assert site.quantity("A") == before


def test_clicks_at_the_same_instant_under_one_operation_count_once(site: Site) -> None:
    site.create_product("A", quantity=5)
    form = {"delta": "1", "expected": "5", "operation": "at-once"}
    people = [site.operator, *(site.visitor("olga") for _ in range(3))]

    def click(person: Visitor) -> int:
        return person.post(ADDRESS, form).status_code

    with ThreadPoolExecutor(len(people)) as pool:
        statuses = list(pool.map(click, people))

    assert statuses == [303] * len(people)
    assert site.quantity("A") == 6


def test_the_operation_of_another_person_is_a_conflict_and_not_their_answer(site: Site) -> None:
    site.create_product("A", quantity=5)
    form = {"delta": "1", "expected": "5", "operation": "guessed"}
    site.operator.post(ADDRESS, form)

    answer = site.visitor("ada").post(ADDRESS, form)

    assert answer.status_code == 409
    assert site.quantity("A") == 6


def test_a_header_may_carry_the_operation(site: Site) -> None:
    site.create_product("A", quantity=5)

    for _ in range(2):
        site.operator.post(ADDRESS, {"delta": "1"}, headers={"Idempotency-Key": "from-a-script"})

    assert site.quantity("A") == 6


@pytest.mark.parametrize("change", [{"delta": "1"}, {"delta": "-1"}, {"quantity": "20"}])
def test_a_quantity_that_another_user_changed_is_a_conflict_with_both_values(
    site: Site, change: dict[str, str]
) -> None:
    site.create_product("A", quantity=5)
    _somebody_else(site, "A", +4)

    row = site.operator.post(ADDRESS, change | {"expected": "5"}, htmx=True)
    page = site.operator.post(ADDRESS, change | {"expected": "5"})

    for answer in (row, page):
        assert answer.status_code == 409
        assert "Usted vio 5; ahora hay 9" in answer.text
        assert form_in(answer.text, ADDRESS)["expected"] == "9"
    assert "<html" not in row.text
    assert "<html" in page.text
    assert site.quantity("A") == 9


def test_after_a_conflict_the_typed_quantity_can_be_kept(site: Site) -> None:
    site.create_product("A", quantity=5)
    _somebody_else(site, "A", +4)
    conflict = site.operator.post(ADDRESS, {"quantity": "20", "expected": "5"})
    form = form_in(conflict.text, ADDRESS)

    assert form["quantity"] == "20"

    assert site.operator.post(ADDRESS, form).status_code == 303
    assert site.quantity("A") == 20


@pytest.mark.parametrize(
    ("typed", "reported"),
    [
        ("-1", "No puede ser negativo"),
        ("2.5", "número entero"),
        ("1.000", "separadores de miles"),
        ("1,000", "separadores de miles"),
        ("", "obligatorio"),
        ("99999999999999999999999", "el máximo es 1.000.000.000"),
        ("<script>alert(1)</script>", "número entero"),
        ("1; DROP TABLE product", "número entero"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused_and_says_what_can(site: Site, typed: str, reported: str) -> None:
    site.create_product("A", quantity=5)

    row = site.operator.post(ADDRESS, {"quantity": typed, "expected": "5"}, htmx=True)
    page = site.operator.post(ADDRESS, {"quantity": typed, "expected": "5"})

    for answer in (row, page):
        assert answer.status_code == 422
        assert reported in answer.text
        assert "<script>" not in answer.text
        assert form_in(answer.text, ADDRESS)["quantity"] == (typed or "5")
    assert site.quantity("A") == 5


@pytest.mark.parametrize(
    "form",
    [{"delta": "0"}, {"delta": "x"}, {"delta": "-6"}, {"delta": "1000000000"}, {"quantity": "1", "expected": "x"}, {}],
)
def test_a_change_that_cannot_be_is_refused(site: Site, form: dict[str, str]) -> None:
    site.create_product("A", quantity=5)

    answer = site.operator.post(ADDRESS, form)

    assert answer.status_code == 422
    assert site.quantity("A") == 5


def test_a_product_in_one_other_place_is_changed_there(site: Site) -> None:
    site.create_location("Almacén")
    site.create_product("A", quantity=5, location="Almacén")

    site.operator.post(ADDRESS, {"delta": "1", "expected": "5"})

    assert site.quantity_in("A", "Almacén") == 6


def test_a_quantity_of_a_product_in_several_places_requires_a_location(site: Site) -> None:
    _in_two_places(site)

    requested = site.operator.post(ADDRESS, {"delta": "1", "expected": "8"}, htmx=True)

    assert requested.status_code == 422
    assert "elija en cuál" in requested.text
    assert site.quantity("A") == 8

    chosen = {"delta": "1", "expected": "3", "location": "Almacén", "shown": "total"}
    done = site.operator.post(ADDRESS, chosen, htmx=True)

    assert done.status_code == 200
    assert form_in(done.text, ADDRESS)["expected"] == "9"
    assert site.quantity_in("A", "Almacén") == 4
    page = site.operator.post(ADDRESS, {"delta": "1", "expected": "9"})
    assert page.status_code == 422
    assert "Almacén" in page.text


def test_with_a_location_in_the_filter_the_row_speaks_of_that_place(site: Site) -> None:
    _in_two_places(site)
    form = form_in(site.operator.get("/inventory", location="Almacén").text, ADDRESS)

    answer = site.operator.post(ADDRESS, form | {"quantity": "10"}, htmx=True)

    assert (form["location"], form["expected"]) == ("Almacén", "3")
    assert form_in(answer.text, ADDRESS)["expected"] == "10"
    assert site.quantity_in("A", "Almacén") == 10
    assert site.quantity("A") == 15


def test_a_retired_product_and_an_unknown_place_are_refused(site: Site) -> None:
    site.create_product("A", quantity=5)
    unknown = site.operator.post(ADDRESS, {"delta": "1", "location": "Luna"})
    retire_product(site.inventory, code="A", actor="prueba", operation=new_operation_id())
    retired = site.operator.post(ADDRESS, {"delta": "1"})

    assert (unknown.status_code, retired.status_code) == (422, 409)
    assert "Restáurelo" in retired.text
    assert site.quantity("A") == 5


def test_after_the_change_the_browser_returns_to_the_list_that_it_came_from(site: Site) -> None:
    site.create_product("A", quantity=5)
    list_page = "http://localhost/inventory?search=a&sort=code"

    back = site.operator.post(ADDRESS, {"delta": "1"}, headers={"Referer": list_page})
    elsewhere = site.operator.post(ADDRESS, {"delta": "1"}, headers={"Referer": "http://other.example/inventory"})
    requested = site.operator.post(ADDRESS, {"delta": "1", "next": "//other.example/"})

    assert back.location == "/inventory?search=a&sort=code#p1"
    assert elsewhere.location == "/products/A#p1"
    assert requested.location == "/products/A#p1"


def test_a_viewer_may_not_change_a_quantity(site: Site, viewer: Visitor) -> None:
    site.create_product("A", quantity=5)

    answers = [viewer.post(ADDRESS, {"delta": "1"}), viewer.post(ADDRESS, {"delta": "1"}, htmx=True)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[1].headers["HX-Retarget"] == "#notices"
    assert site.quantity("A") == 5


def _somebody_else(site: Site, code: str, delta: int) -> None:
    change_quantity(site.inventory, code=code, delta=delta, actor="ada", operation=new_operation_id())


def _in_two_places(site: Site) -> None:
    site.create_location("Almacén")
    site.create_product("A", quantity=5)
    change_quantity(site.inventory, code="A", delta=3, location="Almacén", actor="prueba", operation=new_operation_id())
