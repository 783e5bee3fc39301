"""Bulk edits of selected products: confirmed first, all or nothing, and undone."""

import re
from html import unescape

import pytest

from inventory_core import ProductDraft, edit_product, new_operation_id
from inventory_core.catalog.products import retire_product
from inventory_core.queries.products import get_product
from inventory_core.testing import counted_statements
from inventory_web.audit.views import EventFilter, events_page
from tests.web.blueprints.site import Site, Visitor, codes_in, form_in

KINDS = ("category", "minimum", "retire", "restore")


def marks_of(site: Site, *codes: str) -> list[str]:
    """What the checkboxes of these products send."""
    rows = [get_product(site.inventory, code).row for code in codes]
    return [f"{row.id}.{row.version}" for row in rows]


def requested(page: str, kind: str) -> dict[str, object]:
    """Return the fields of the confirmation form, with every product that it names."""
    fields: dict[str, object] = dict(form_in(page, f"/selection/{kind}/change"))
    products = re.findall(r'name="p" value="([^"]*)"', page)
    return fields | ({"p": products} if products else {})


def edit(site: Site, code: str, *, name: str = "Otra", category: str | None = None, minimum: int = 0) -> None:
    version = get_product(site.inventory, code).row.version
    draft = ProductDraft(code, name, category=category, minimum=minimum)
    edit_product(
        site.inventory, code=code, draft=draft, expected_version=version, actor="ana", operation=new_operation_id()
    )


def stored(site: Site, *codes: str) -> list[tuple[str | None, int, bool]]:
    rows = [get_product(site.inventory, code).row for code in codes]
    return [(row.category, row.minimum, row.retired) for row in rows]


def test_every_row_has_a_checkbox_named_after_its_code_that_belongs_to_the_form_below(site: Site) -> None:
    site.create_product("A-1")
    row = get_product(site.inventory, "A-1").row

    page = site.operator.get("/inventory").text

    mark, code = f"p{row.id}-mark", f"p{row.id}-code"
    assert f'<input type="checkbox" id="{mark}" name="p" value="{row.id}.1" form="s" aria-labelledby="{code}">' in page
    assert '<form id="s"' in page
    assert codes_in(page) == ["A-1"]


def test_the_bar_offers_what_the_list_allows(site: Site) -> None:
    site.create_product("A-1")
    site.create_product("B-1")
    retire_product(site.inventory, code="B-1", actor="ana", operation=new_operation_id())

    in_use, retired = (site.operator.get(f"/inventory?status={status}").text for status in ("", "retired"))

    offered = [re.findall(r'formaction="/selection/(\w+)"', page) for page in (in_use, retired)]
    assert offered == [["category", "minimum", "retire"], ["restore"]]


def test_a_row_that_was_changed_keeps_its_checkbox(site: Site) -> None:
    site.create_product("A-1", quantity=1)

    row = site.operator.post("/products/A-1/quantity", {"delta": "1", "expected": "1"}, htmx=True).text

    assert 'name="p" value="1.1" form="s"' in row


def test_the_confirmation_shows_the_number_and_the_first_ten_products(site: Site) -> None:
    codes = [site.create_product(f"N-{number:02}", name=f"Mesa {number}", category="Hogar") for number in range(14)]

    page = site.operator.post("/selection/category", {"p": marks_of(site, *codes), "next": "/inventory?search=n"}).text

    assert "Cambiar la categoría de 14 productos" in page
    assert [code for code in codes if f"<strong>{code}</strong>" in page] == codes[:10]
    assert "y 4 más" in page
    assert form_in(page, "/selection/category/change")["next"] == "/inventory?search=n"
    assert {row[0] for row in stored(site, *codes)} == {"Hogar"}


@pytest.mark.parametrize(
    ("kind", "typed", "outcome", "reported"),
    [
        ("category", {"category": "Ropa"}, ("Ropa", 2, False), "2 productos: categoría «Ropa»."),
        ("category", {"category": "Otra...", "other_category": " Jardín 🌱 "}, ("Jardín 🌱", 2, False), "Jardín 🌱"),
        ("category", {"category": "-"}, (None, 2, False), "2 productos: sin categoría."),
        ("minimum", {"minimum": " 15 "}, ("Hogar", 15, False), "2 productos: mínimo 15."),
        ("retire", {}, ("Hogar", 2, True), "2 productos eliminados."),
    ],
)
def test_all_selected_products_get_the_value_and_it_can_be_undone(
    site: Site, kind: str, typed: dict[str, str], outcome: tuple[str | None, int, bool], reported: str
) -> None:
    for code in ("A-1", "B-1", "C-1"):
        site.create_product(code, category="Hogar", minimum=2)
    page = site.operator.post(f"/selection/{kind}", {"p": marks_of(site, "A-1", "B-1")}).text

    answer = site.operator.post(f"/selection/{kind}/change", requested(page, kind) | typed)
    after = stored(site, "A-1", "B-1", "C-1")
    listed = unescape(site.operator.get(answer.location).text)
    undone = site.operator.post("/selection/undo", form_in(listed, "/selection/undo"))

    assert (answer.status_code, answer.location) == (303, "/inventory")
    assert after == [outcome, outcome, ("Hogar", 2, False)]
    assert reported in listed
    assert (undone.status_code, undone.location) == (303, "/inventory")
    assert stored(site, "A-1", "B-1", "C-1") == [("Hogar", 2, False)] * 3
    assert "Deshecho: 2 productos como antes." in site.operator.get("/inventory").text


def test_retired_products_are_restored_together(site: Site) -> None:
    for code in ("A-1", "B-1"):
        site.create_product(code)
        retire_product(site.inventory, code=code, actor="ana", operation=new_operation_id())

    page = site.operator.post("/selection/restore", {"all": "1", "status": "retired"}).text
    answer = site.operator.post("/selection/restore/change", requested(page, "restore"))

    assert answer.status_code == 303
    assert codes_in(site.operator.get("/inventory").text) == ["A-1", "B-1"]


def test_products_that_are_retired_or_restored_together_are_audited_with_their_number(site: Site) -> None:
    for code in ("A-1", "B-1"):
        site.create_product(code)
    for kind, status in (("retire", ""), ("restore", "retired")):
        page = site.operator.post(f"/selection/{kind}", {"all": "1", "status": status}).text
        site.operator.post(f"/selection/{kind}/change", requested(page, kind))

    rows = events_page(site.inventory, EventFilter()).rows[:2]
    assert [(row.event, row.details) for row in rows] == [
        ("product_restored", {"products": 2}),
        ("product_retired", {"products": 2}),
    ]
    assert len({row.subject for row in rows if row.subject}) == 2


def test_the_undo_of_products_retired_together_is_audited_as_their_restoration(site: Site) -> None:
    for code in ("A-1", "B-1"):
        site.create_product(code)
    form = requested(site.operator.post("/selection/retire", {"all": "1"}).text, "retire")
    site.operator.post("/selection/retire/change", form)
    site.operator.post("/selection/undo", {"changed": form["operation"]})

    rows = events_page(site.inventory, EventFilter()).rows[:2]
    assert [(row.event, row.details) for row in rows] == [
        ("product_restored", {"products": 2}),
        ("product_retired", {"products": 2}),
    ]


def test_all_that_the_filter_finds_are_changed_also_those_of_other_pages(site: Site) -> None:
    codes = [site.create_product(category="Ropa") for _ in range(60)]
    site.create_product("Z-1", category="Hogar")

    page = site.operator.post("/selection/minimum", {"all": "1", "category": "Ropa"}).text
    form = requested(page, "minimum")
    answer = site.operator.post("/selection/minimum/change", form | {"minimum": "7"})

    assert "Cambiar el mínimo de 60 productos" in page
    assert (form["all"], form["category"], form["found"]) == ("1", "Ropa", "60")
    assert answer.status_code == 303
    assert {row[1] for row in stored(site, *codes)} == {7}
    assert stored(site, "Z-1") == [("Hogar", 0, False)]


def test_a_selection_that_grew_must_be_confirmed_again(site: Site) -> None:
    site.create_product("A-1", category="Ropa")
    page = site.operator.post("/selection/retire", {"all": "1", "category": "Ropa"}).text
    site.create_product("B-1", category="Ropa")

    answer = site.operator.post("/selection/retire/change", requested(page, "retire"))

    assert answer.status_code == 409
    assert "Ahora se encuentran 2 productos y usted vio 1" in answer.text
    assert stored(site, "A-1", "B-1") == [("Ropa", 0, False)] * 2
    again = site.operator.post("/selection/retire/change", requested(answer.text, "retire"))
    assert again.status_code == 303
    assert stored(site, "A-1", "B-1") == [("Ropa", 0, True)] * 2


def test_a_conflict_names_the_products_with_both_values_and_goes_on_without_them(site: Site) -> None:
    for code in ("A-1", "B-1", "C-1"):
        site.create_product(code, category="Hogar")
    page = site.operator.post("/selection/category", {"p": marks_of(site, "A-1", "B-1", "C-1")}).text
    edit(site, "B-1", name="Silla", category="Libros")

    answer = site.operator.post("/selection/category/change", requested(page, "category") | {"category": "Ropa"})

    text = unescape(answer.text)
    assert answer.status_code == 409
    assert [code for code in ("A-1", "B-1", "C-1") if f">{code}</a>" in text] == ["B-1"]
    assert "categoría «Libros»" in text
    assert "categoría «Ropa»" in text
    assert {row[0] for row in stored(site, "A-1", "C-1")} == {"Hogar"}
    with_them, without = re.split(r"<form method", text.split("Dejarlo como está")[1])[1:3]
    assert len(re.findall(r'name="p"', with_them)) == 3
    again = site.operator.post("/selection/category/change", {**fields_of(without)})
    assert again.status_code == 303
    assert [row[0] for row in stored(site, "A-1", "B-1", "C-1")] == ["Ropa", "Libros", "Ropa"]


def test_a_conflict_can_be_decided_for_the_products_as_they_are_now(site: Site) -> None:
    for code in ("A-1", "B-1"):
        site.create_product(code)
    page = site.operator.post("/selection/minimum", {"p": marks_of(site, "A-1", "B-1")}).text
    edit(site, "B-1", minimum=3)

    answer = site.operator.post("/selection/minimum/change", requested(page, "minimum") | {"minimum": "8"}).text
    with_them = re.split(r"<form method", answer.split("Dejarlo como está")[1])[1]
    again = site.operator.post("/selection/minimum/change", {**fields_of(with_them)})

    assert again.status_code == 303
    assert [row[1] for row in stored(site, "A-1", "B-1")] == [8, 8]


def test_products_that_were_retired_meanwhile_can_only_be_left_out(site: Site) -> None:
    site.create_product("A-1")
    page = site.operator.post("/selection/minimum", {"p": marks_of(site, "A-1")}).text
    retire_product(site.inventory, code="A-1", actor="ana", operation=new_operation_id())

    answer = site.operator.post("/selection/minimum/change", requested(page, "minimum") | {"minimum": "8"})

    assert answer.status_code == 409
    assert "Eliminado" in answer.text
    assert "/selection/minimum/change" not in answer.text


def test_a_double_click_changes_once(site: Site) -> None:
    site.create_product("A-1")
    form = requested(site.operator.post("/selection/minimum", {"p": marks_of(site, "A-1")}).text, "minimum")

    statuses = [site.operator.post("/selection/minimum/change", form | {"minimum": "8"}).status_code for _ in range(2)]

    assert statuses == [303, 303]
    assert get_product(site.inventory, "A-1").row.version == 2


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        ("minimum", {"minimum": "-1"}, "minimum"),
        ("minimum", {"minimum": "1,5"}, "minimum"),
        ("minimum", {}, "minimum"),
        ("category", {"category": "x" * 200}, "category"),
        ("category", {}, "category"),
        ("category", {"category": "Otra...", "other_category": ""}, "other_category"),
        ("category", {"category": "Otra...", "other_category": "x" * 200}, "other_category"),
    ],
)
def test_what_cannot_be_is_refused_next_to_its_field_and_nothing_is_changed(
    site: Site, kind: str, typed: dict[str, str], field: str
) -> None:
    site.create_product("A-1", category="Hogar", minimum=2)
    form = requested(site.operator.post(f"/selection/{kind}", {"p": marks_of(site, "A-1")}).text, kind)

    answer = site.operator.post(f"/selection/{kind}/change", form | typed)

    assert answer.status_code == 422
    assert f'id="{field}-faults"' in answer.text
    assert "1 producto" in answer.text
    assert stored(site, "A-1") == [("Hogar", 2, False)]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_selected_leads_back_to_the_list_with_a_hint(site: Site, kind: str) -> None:
    answer = site.operator.post(f"/selection/{kind}", {"next": "/inventory?search=x"})

    assert (answer.status_code, answer.location) == (303, "/inventory?search=x")
    assert "Marque antes los productos" in site.operator.get(answer.location).text


@pytest.mark.parametrize("mark", ["", "x", "1", "1.x", "-1.1", "99999.1", "1.1.1", "9" * 40, "<b>", "1.1 OR 1=1"])
def test_what_no_checkbox_sends_is_refused(site: Site, mark: str) -> None:
    site.create_product("A-1")

    asked_for = site.operator.post("/selection/minimum", {"p": mark})
    changed = site.operator.post("/selection/minimum/change", {"p": mark, "minimum": "5"})

    assert asked_for.status_code in (200, 422)
    assert changed.status_code == 422
    assert stored(site, "A-1") == [(None, 0, False)]


def test_more_than_one_operation_takes_are_refused(site: Site) -> None:
    answer = site.operator.post("/selection/minimum", {"p": [f"{number}.1" for number in range(1, 10_002)]})

    assert answer.status_code == 422
    assert "10.000" in answer.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_viewer_changes_nothing(site: Site, viewer: Visitor, kind: str) -> None:
    site.create_product("A-1")

    statuses = [
        viewer.post(address, {"p": marks_of(site, "A-1"), "minimum": "1"}).status_code
        for address in (f"/selection/{kind}", f"/selection/{kind}/change", "/selection/undo")
    ]

    assert statuses == [403, 403, 403]
    assert "/selection/" not in viewer.get("/inventory").text


def test_an_undo_of_what_never_was_or_was_edited_since_is_refused(site: Site) -> None:
    site.create_product("A-1")
    form = requested(site.operator.post("/selection/minimum", {"p": marks_of(site, "A-1")}).text, "minimum")
    site.operator.post("/selection/minimum/change", form | {"minimum": "8"})
    edit(site, "A-1", minimum=9)

    refused = site.operator.post("/selection/undo", {"changed": form["operation"]})

    assert refused.status_code == 409
    assert "«A-1» se modificó después" in refused.text
    assert site.operator.post("/selection/undo", {"changed": "never"}).status_code == 404
    assert get_product(site.inventory, "A-1").row.minimum == 9


def test_an_address_of_another_site_is_not_gone_to(site: Site) -> None:
    site.create_product("A-1")
    form = requested(site.operator.post("/selection/minimum", {"p": marks_of(site, "A-1")}).text, "minimum")

    answer = site.operator.post("/selection/minimum/change", form | {"minimum": "8", "next": "//elsewhere.example"})

    assert answer.location == "/inventory"


def test_the_list_needs_no_more_statements_than_before(site: Site, viewer: Visitor) -> None:
    site.create_product("A-1")
    used = []
    for person in (viewer, site.operator):
        person.get("/inventory", htmx=True)
        with counted_statements() as statements:
            person.get("/inventory", htmx=True)
        used.append(list(statements))

    assert used[0] == used[1]


def fields_of(form: str) -> dict[str, object]:
    """The hidden fields of a form; those of the same name as a list."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(
        r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form.split("</form>", maxsplit=1)[0]
    ):
        found.setdefault(name, []).append(unescape(value))
    return {name: values if name == "p" else values[0] for name, values in found.items()}
