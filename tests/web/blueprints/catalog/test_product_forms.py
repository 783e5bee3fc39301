"""Register, edit, retire and restore: accepted values, refused values, and their messages."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from inventory_core import edit_product, new_operation_id
from inventory_core.queries.products import get_product
from inventory_core.rules.products import ProductDraft
from tests.web.blueprints.site import Site, Visitor, codes_in, form_in

GOOD = {
    "code": "M-1",
    "name": "Mesa",
    "description": "De madera",
    "category": "Hogar",
    "other_category": "",
    "quantity": "7",
    "minimum": "2",
    "location": "Principal",
}
HOSTILE = "<script>alert('x')</script>\"'; DROP TABLE product; -- {{ 7*7 }}"


def test_a_product_is_registered_with_all_its_fields(site: Site) -> None:
    answer = site.operator.post("/products/new", GOOD)

    product = get_product(site.inventory, "m-1")
    assert (answer.status_code, answer.location) == (303, "/products/M-1")
    assert (product.row.name, product.row.description, product.row.category) == ("Mesa", "De madera", "Hogar")
    assert (product.row.total, product.row.minimum, product.balances) == (7, 2, (("Principal", 7),))
    assert "registrado" in site.operator.get("/products/M-1").text


def test_the_form_offers_predefined_categories_those_in_use_and_another_one(site: Site) -> None:
    site.create_product("A", category="Herramientas")

    page = site.operator.get("/products/new").text

    for name in ("Electrónicos", "Ropa", "Otros", "Herramientas"):
        assert f"<option>{name}</option>" in page
    assert ">Otra...</option>" in page


@pytest.mark.parametrize("choice", ["Otra...", "", "otra"])
def test_another_category_is_made_from_what_was_typed(site: Site, choice: str) -> None:
    site.operator.post("/products/new", GOOD | {"category": choice, "other_category": "  Jardín  "})

    assert get_product(site.inventory, "M-1").row.category == "Jardín"


def test_another_category_without_a_name_is_a_fault_next_to_its_field(site: Site) -> None:
    answer = site.operator.post("/products/new", GOOD | {"category": "Otra..."})

    assert answer.status_code == 422
    assert 'id="other_category-faults"' in answer.text
    assert 'value="Otra..." selected' in answer.text


@pytest.mark.parametrize(
    ("field", "typed", "reported"),
    [
        ("quantity", "-1", "No puede ser negativo"),
        ("quantity", "1.5", "sin separadores de miles"),
        ("quantity", "1,5", "sin separadores de miles"),
        ("quantity", "1.000", "sin separadores de miles"),
        ("quantity", "1 000", "sin separadores de miles"),
        ("quantity", "", "obligatorio"),
        ("quantity", "   ", "obligatorio"),
        ("quantity", "doce", "número entero"),
        ("quantity", "1e3", "número entero"),
        ("quantity", "٣", "número entero"),
        ("quantity", "1000000001", "el máximo es 1.000.000.000"),
        ("quantity", "9" * 5000, "el máximo es 1.000.000.000"),
        ("minimum", "-3", "No puede ser negativo"),
        ("minimum", "2,5", "número entero"),
        ("minimum", "9" * 30, "el máximo es 1.000.000.000"),
        ("code", "", "obligatorio"),
        ("code", "   ", "obligatorio"),
        ("code", "X" * 65, "64 caracteres"),
        ("code", "A\x00B", "caracteres de control"),
        ("name", "", "obligatorio"),
        ("name", "N" * 201, "200 caracteres"),
        ("description", "D" * 2001, "2.000 caracteres"),
        ("category", "C" * 81, "80 caracteres"),
        ("category", "-", "control"),
        ("location", "Luna", "No existe: «Luna»"),
    ],
)
def test_each_bad_value_is_reported_next_to_its_field_and_nothing_is_stored(
    site: Site, field: str, typed: str, reported: str
) -> None:
    answer = site.operator.post("/products/new", GOOD | {field: typed})

    assert answer.status_code == 422
    assert reported in _told_beside(answer.text, field)
    assert form_in(answer.text, "")["name"] == (typed if field == "name" else "Mesa")
    assert codes_in(site.operator.get("/inventory").text) == []


def test_every_fault_is_reported_at_once(site: Site) -> None:
    answer = site.operator.post("/products/new", GOOD | {"code": "", "name": "", "quantity": "x", "minimum": "-1"})

    for field in ("code", "name", "quantity", "minimum"):
        assert _told_beside(answer.text, field)


def test_what_was_typed_stays_in_the_form(site: Site) -> None:
    typed = GOOD | {"quantity": "1.000", "name": '  "Mesa" <b>grande</b> ', "description": "\nuna\ndos"}

    fields = form_in(site.operator.post("/products/new", typed).text, "")

    assert {name: fields[name] for name in ("code", "name", "category", "quantity", "minimum")} == {
        name: typed[name] for name in ("code", "name", "category", "quantity", "minimum")
    }
    assert fields["description"].removeprefix("\n") == typed["description"]


def test_markup_and_sql_in_every_field_are_stored_and_shown_as_text(site: Site) -> None:
    typed = GOOD | {
        "code": "'; --<b>",
        "name": HOSTILE,
        "description": HOSTILE,
        "category": "Otra...",
        "other_category": "<i>x",
    }

    answer = site.operator.post("/products/new", typed)

    pages = [
        site.operator.get(answer.location).text,
        site.operator.get("/inventory").text,
        site.operator.get("/movements").text,
    ]
    assert get_product(site.inventory, "'; --<b>").row.name == HOSTILE
    for page in pages:
        assert "<script>alert" not in page
        assert "<b>&" not in page
        assert "&lt;b&gt;" in page


def test_a_code_that_is_taken_is_reported_next_to_the_field(site: Site) -> None:
    site.create_product("M-1")

    answer = site.operator.post("/products/new", GOOD | {"code": "m-1"})

    assert answer.status_code == 422
    assert "m-1" in _told_beside(answer.text, "code")


def test_of_two_simultaneous_registrations_of_a_code_one_is_refused(site: Site) -> None:
    people = [site.operator, site.visitor("ada")]
    start = Barrier(len(people))

    def register(person: Visitor) -> int:
        start.wait()
        return person.post("/products/new", GOOD).status_code

    with ThreadPoolExecutor(len(people)) as pool:
        statuses = list(pool.map(register, people))

    assert sorted(statuses) == [303, 422]
    assert site.quantity("M-1") == 7


def test_a_form_that_is_sent_twice_registers_once(site: Site) -> None:
    sent = GOOD | {"operation": "the-same-form"}

    first, second = site.operator.post("/products/new", sent), site.operator.post("/products/new", sent)

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert site.quantity("M-1") == 7


@pytest.mark.parametrize("code", ["a/b", "new", "..", ".", "a?b#c", "100%", "~2F", "ñandú 1", "a\\b", "😀"])
def test_any_printable_code_has_a_page_of_its_own(site: Site, code: str) -> None:
    answer = site.operator.post("/products/new", GOOD | {"code": code})

    page = site.operator.get(answer.location)
    assert (answer.status_code, page.status_code) == (303, 200)
    assert "Mesa" in page.text
    assert site.operator.get(f"{answer.location}/edit").status_code == 200


def test_an_edit_changes_what_was_typed_and_keeps_the_quantity(site: Site) -> None:
    site.create_product("M-1", quantity=3, category="Ropa")
    form = form_in(site.operator.get("/products/M-1/edit").text, "")

    answer = site.operator.post("/products/M-1/edit", form | {"code": "M-2", "name": "Banco", "category": ""})

    row = get_product(site.inventory, "M-2").row
    assert (answer.status_code, answer.location) == (303, "/products/M-2")
    assert (row.name, row.category, row.total) == ("Banco", None, 3)


def test_an_edit_on_an_old_version_shows_both_values_and_lets_the_person_decide(site: Site) -> None:
    site.create_product("M-1", name="Mesa", description="vieja")
    form = form_in(site.operator.get("/products/M-1/edit").text, "")
    _edit_meanwhile(site, name="Mesa de Ada")

    conflict = site.operator.post("/products/M-1/edit", form | {"name": "Mesa de Olga"})

    assert conflict.status_code == 409
    assert "Mesa de Ada" in conflict.text
    assert "Mesa de Olga" in conflict.text
    assert get_product(site.inventory, "M-1").row.name == "Mesa de Ada"

    decided = site.operator.post("/products/M-1/edit", form_in(conflict.text, "/products/M-1/edit"))

    assert decided.status_code == 303
    assert get_product(site.inventory, "M-1").row.name == "Mesa de Olga"


def test_a_second_change_during_the_decision_is_a_conflict_again(site: Site) -> None:
    site.create_product("M-1")
    form = form_in(site.operator.get("/products/M-1/edit").text, "")
    _edit_meanwhile(site, name="Una")
    conflict = site.operator.post("/products/M-1/edit", form | {"name": "Mía"})
    _edit_meanwhile(site, name="Dos")

    again = site.operator.post("/products/M-1/edit", form_in(conflict.text, "/products/M-1/edit"))

    assert again.status_code == 409
    assert "Dos" in again.text


def test_an_edit_to_a_code_that_is_taken_or_to_bad_values_is_refused(site: Site) -> None:
    site.create_product("M-1")
    site.create_product("M-2")

    taken = site.operator.post("/products/M-1/edit", {"code": "m-2", "name": "Mesa"})
    bad = site.operator.post("/products/M-1/edit", {"code": "", "name": "", "minimum": "-1"})

    assert (taken.status_code, bad.status_code) == (422, 422)
    assert "m-2" in _told_beside(taken.text, "code")
    assert all(_told_beside(bad.text, field) for field in ("code", "name", "minimum"))


def test_a_retired_product_leaves_the_list_and_comes_back_when_restored(site: Site) -> None:
    site.create_product("M-1", quantity=4)
    page = site.operator.get("/products/M-1").text
    assert "Sí, eliminar" in page

    retired = site.operator.post("/products/M-1/retire", form_in(page, "/products/M-1/retire"))

    assert (retired.status_code, retired.location) == (303, "/products/M-1")
    assert codes_in(site.operator.get("/inventory").text) == []
    page = site.operator.get("/products/M-1").text
    assert "Restaurar" in page
    assert "/quantity" not in page

    restored = site.operator.post("/products/M-1/restore", form_in(page, "/products/M-1/restore"))

    assert restored.status_code == 303
    assert codes_in(site.operator.get("/inventory").text) == ["M-1"]
    assert site.quantity("M-1") == 4


def test_a_viewer_may_neither_see_nor_send_forms(site: Site, viewer: Visitor) -> None:
    site.create_product("M-1")

    answers = [
        viewer.get("/products/new"),
        viewer.post("/products/new", GOOD),
        viewer.get("/products/M-1/edit"),
        viewer.post("/products/M-1/edit", GOOD),
        viewer.post("/products/M-1/retire"),
        viewer.post("/products/M-1/restore"),
    ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)
    page = viewer.get("/products/M-1")
    assert page.status_code == 200
    assert 'action="/products' not in page.text


def test_a_form_without_its_token_is_refused(site: Site) -> None:
    answer = site.operator.client.post("/products/new", data=GOOD)

    assert answer.status_code == 400
    assert codes_in(site.operator.get("/inventory").text) == []


def test_a_product_that_does_not_exist_is_not_found(site: Site) -> None:
    for address in ("/products/nada", "/products/nada/edit"):
        assert site.operator.get(address).status_code == 404
    assert site.operator.post("/products/nada/retire").status_code == 404


def _edit_meanwhile(site: Site, *, name: str) -> None:
    row = get_product(site.inventory, "M-1").row
    draft = ProductDraft(code="M-1", name=name, description=row.description, minimum=row.minimum)
    edit_product(
        site.inventory, code="M-1", draft=draft, expected_version=row.version, actor="ada", operation=new_operation_id()
    )


def _told_beside(page: str, field: str) -> str:
    marker = f'id="{field}-faults">'
    return page.split(marker)[1].split("</select>", maxsplit=1)[0][:400] if marker in page else ""
