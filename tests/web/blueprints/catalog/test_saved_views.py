"""Filters under a name: kept on the server, for oneself or for everybody."""

import re
from html import unescape

import pytest

from inventory_core.testing import counted_statements
from tests.web.blueprints.site import Site, Visitor, codes_in, form_in

FILTER = {"category": "Ropa", "status": "low_stock", "sort": "-quantity"}
LIST = "/inventory?category=Ropa&status=low_stock&sort=-quantity"


def saved_as(person: Visitor, name: str, **fields: str) -> int:
    """Save the filter as a person does; give the view's id."""
    answer = person.post("/views", {"view_name": name, **FILTER, **fields})
    assert answer.status_code == 303, answer.text
    return next(view_id for view_id, shown in views_of(person) if shown == name)


def views_of(person: Visitor) -> list[tuple[int, str]]:
    """Id and name of the views that a person may change, from the top."""
    page = unescape(person.get("/views").text)
    return [
        (int(view_id), name)
        for view_id, name in re.findall(r'href="/views/(\d+)/edit" aria-label="Cambiar la vista ([^"]*)"', page)
    ]


def opened(person: Visitor) -> dict[str, str]:
    """What the list unfolds: the address of each view by its name."""
    page = unescape(person.get("/views", htmx=True).text)
    assert "<html" not in page
    return {name: address for address, name in re.findall(r'class="app-drop-line" href="([^"]*)">([^<]*)</a>', page)}


def test_a_filter_is_kept_under_a_name_and_opened_again(site: Site) -> None:
    site.create_product("A-1", category="Ropa", minimum=3)
    site.create_product("B-1", category="Hogar", minimum=3)
    form = form_in(site.operator.get("/views?" + LIST.partition("?")[2]).text, "/views")

    answer = site.operator.post("/views", form | {"view_name": "  Ropa que\nfalta "})

    assert (answer.status_code, answer.location) == (303, LIST)
    assert opened(site.operator) == {"Ropa que falta": LIST}
    assert codes_in(site.operator.get(opened(site.operator)["Ropa que falta"]).text) == ["A-1"]


def test_a_shared_view_is_there_for_every_user_and_a_private_one_for_its_owner_alone(
    site: Site, viewer: Visitor
) -> None:
    saved_as(site.operator, "De todos", shared="1")
    saved_as(site.operator, "Mía")

    assert list(opened(site.operator)) == ["De todos", "Mía"]
    assert opened(viewer) == {"De todos": LIST}
    assert views_of(viewer) == []


def test_who_may_only_look_keeps_private_views(site: Site, viewer: Visitor) -> None:
    saved_as(viewer, "Mía")

    assert viewer.post("/views", {"view_name": "De todos", "shared": "1"}).status_code == 403
    assert list(opened(viewer)) == ["Mía"]
    assert opened(site.operator) == {}
    assert "Compartir" not in viewer.get("/views").text


def test_a_view_is_renamed_shared_and_shows_another_filter(site: Site, viewer: Visitor) -> None:
    view_id = saved_as(site.operator, "Antes")
    page = site.operator.get(f"/views/{view_id}/edit?search=mesa").text
    form = form_in(page, f"/views/{view_id}/edit")

    answer = site.operator.post(f"/views/{view_id}/edit", form | {"view_name": "Ahora", "shared": "1", "replace": "1"})

    assert "Mostrar en adelante: «mesa»" in page
    assert (answer.status_code, answer.location) == (303, "/views")
    assert opened(viewer) == {"Ahora": "/inventory?search=mesa"}
    form = form_in(site.operator.get(f"/views/{view_id}/edit").text, f"/views/{view_id}/edit")
    unshared = {name: value for name, value in form.items() if name != "shared"}
    assert site.operator.post(f"/views/{view_id}/edit", unshared).status_code == 303
    assert opened(viewer) == {}


def test_without_the_choice_a_renamed_view_keeps_its_filter(site: Site) -> None:
    view_id = saved_as(site.operator, "Antes")
    form = form_in(site.operator.get(f"/views/{view_id}/edit?search=mesa").text, f"/views/{view_id}/edit")

    site.operator.post(f"/views/{view_id}/edit", form | {"view_name": "Ahora"})

    assert opened(site.operator) == {"Ahora": LIST}


def test_a_view_is_forgotten_once_and_no_product_with_it(site: Site) -> None:
    site.create_product("A-1", category="Ropa", minimum=3)
    view_id = saved_as(site.operator, "Mía")

    statuses = [site.operator.post(f"/views/{view_id}/delete").status_code for _ in range(2)]

    assert statuses == [303, 303]
    assert opened(site.operator) == {}
    assert codes_in(site.operator.get(LIST).text) == ["A-1"]


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("", "Este dato es obligatorio"),
        (" \n ", "Este dato es obligatorio"),
        ("x" * 200, "se permiten 80 caracteres"),
        ("a\x00b", "caracteres de control"),
        ("MIA", "Ya existe: «MIA»"),
    ],
)
def test_a_name_that_cannot_be_is_refused_next_to_the_field_and_the_filter_stays(
    site: Site, name: str, reported: str
) -> None:
    saved_as(site.operator, "Mía")

    answer = site.operator.post("/views", {"view_name": name, "search": "mesa"})

    page = unescape(answer.text)
    assert answer.status_code == 422
    assert reported in page.partition('id="view_name-faults"')[2].partition("</form>")[0]
    assert form_in(page, "/views")["search"] == "mesa"
    assert list(opened(site.operator)) == ["Mía"]


@pytest.mark.parametrize("name", ["🌱", "🌱 y 🌳", "مخزون", "<b>x</b>", "'; DROP TABLE saved_view; --", "x" * 80])
def test_any_other_name_is_shown_as_it_was_typed(site: Site, name: str) -> None:
    saved_as(site.operator, name)

    assert [shown for _, shown in views_of(site.operator)] == [name]


def test_two_people_may_use_the_same_name_and_one_person_once(site: Site) -> None:
    first, second = site.operator, site.visitor("ada")
    saved_as(first, "Mía", shared="1")
    saved_as(second, "mia")
    other = saved_as(first, "Otra")

    form = form_in(first.get(f"/views/{other}/edit").text, f"/views/{other}/edit")
    answer = first.post(f"/views/{other}/edit", form | {"view_name": "MÍA"})

    assert answer.status_code == 422
    assert "Ya existe" in answer.text


def test_a_double_click_keeps_one_view(site: Site) -> None:
    form = {"view_name": "Mía", **FILTER}

    statuses = [site.operator.post("/views", form).status_code for _ in range(2)]

    assert statuses == [303, 303]
    assert len(views_of(site.operator)) == 1


def test_a_view_that_a_user_changed_meanwhile_is_a_conflict(site: Site) -> None:
    view_id = saved_as(site.operator, "Antes", shared="1")
    address = f"/views/{view_id}/edit"
    admin = site.visitor("ada")
    theirs, ours = (form_in(person.get(address).text, address) for person in (admin, site.operator))
    admin.post(address, theirs | {"view_name": "De Ada"})

    answer = site.operator.post(address, ours | {"view_name": "De Olga"})

    assert answer.status_code == 409
    assert "ahora se llama «De Ada»" in unescape(answer.text)
    again = form_in(answer.text, address)
    assert again["view_name"] == "De Olga"
    assert site.operator.post(address, again).status_code == 303
    assert list(opened(admin)) == ["De Olga"]


def test_the_views_of_others_are_theirs(site: Site, viewer: Visitor) -> None:
    private = saved_as(site.operator, "Mía")
    shared = saved_as(site.operator, "De todos", shared="1")

    answers = {
        (view_id, act): viewer.post(f"/views/{view_id}/{act}", {"view_name": "x", "version": "1"}).status_code
        for view_id in (private, shared, 999)
        for act in ("edit", "delete")
    }

    assert answers[private, "edit"] == 404
    assert answers[shared, "edit"] == answers[shared, "delete"] == 403
    assert answers[999, "edit"] == 404
    assert viewer.get(f"/views/{private}/edit").status_code == 404
    assert list(opened(site.operator)) == ["De todos", "Mía"]


def test_a_view_of_a_deleted_category_shows_an_empty_list_with_its_filter(site: Site) -> None:
    site.create_product("A-1")
    saved_as(site.operator, "Vieja", category="Ya no existe", status="", location="Tampoco")

    page = site.operator.get(opened(site.operator)["Vieja"]).text

    assert codes_in(page) == []
    assert "<option selected>Ya no existe</option>" in page
    assert "<option selected>Tampoco</option>" in page
    assert "Ya no existe, Tampoco, Cantidad ↓" in site.operator.get("/views").text


def test_a_filter_that_cannot_be_is_not_kept(site: Site) -> None:
    assert site.operator.post("/views", {"view_name": "x", "status": "broken"}).status_code == 422
    assert opened(site.operator) == {}


def test_people_begin_with_the_view_that_they_chose(site: Site, viewer: Visitor) -> None:
    first = saved_as(site.operator, "Primera", opens_first="1")
    assert site.operator.get("/").location == LIST

    saved_as(site.operator, "Segunda", opens_first="1", search="mesa")

    assert site.operator.get("/").location == "/inventory?search=mesa&category=Ropa&status=low_stock&sort=-quantity"
    assert viewer.get("/").location == "/inventory"
    page = form_in(site.operator.get(f"/views/{first}/edit").text, f"/views/{first}/edit")
    assert "opens_first" not in page


def test_the_list_loads_views_only_when_they_are_unfolded(site: Site) -> None:
    saved_as(site.operator, "Mía")
    with counted_statements() as statements:
        page = site.operator.get(LIST).text
    with counted_statements() as unfolding:
        site.operator.get("/views", htmx=True)

    assert not any("saved_view" in statement for statement in statements)
    assert sum("saved_view" in statement for statement in unfolding) == 1
    assert 'data-hx-get="/views?category=Ropa&amp;status=low_stock&amp;sort=-quantity"' in page


@pytest.mark.slow
def test_an_account_keeps_a_hundred_views(site: Site) -> None:
    for number in range(100):
        site.operator.post("/views", {"view_name": f"Vista {number}"})

    answer = site.operator.post("/views", {"view_name": "Una más"})

    assert answer.status_code == 422
    assert "100" in answer.text.partition('id="view_name-faults"')[2][:200]
