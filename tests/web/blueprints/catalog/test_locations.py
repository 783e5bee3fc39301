"""Places that hold stock."""

import pytest

from inventory_core.queries.products import list_locations
from tests.web.blueprints.site import Site, Visitor


def test_a_place_is_added_and_can_be_chosen(site: Site) -> None:
    answer = site.operator.post("/locations", {"name": "  Almacén   norte "})

    assert answer.status_code == 303
    assert "Almacén norte" in site.operator.get("/locations").text
    assert "Almacén norte" in site.operator.get("/products/new").text
    assert "<option>Almacén norte</option>" in site.operator.get("/inventory").text


@pytest.mark.parametrize(
    ("typed", "reported"),
    [
        ("", "obligatorio"),
        ("  ", "obligatorio"),
        ("x" * 81, "80 caracteres"),
        ("\x07", "control"),
        ("PRINCIPAL", "Ya existe"),
    ],
)
def test_a_name_that_cannot_be_is_refused(site: Site, typed: str, reported: str) -> None:
    answer = site.operator.post("/locations", {"name": typed})

    assert answer.status_code == 422
    assert reported in answer.text
    assert len(list_locations(site.inventory)) == 1


def test_markup_in_a_name_is_text(site: Site) -> None:
    site.operator.post("/locations", {"name": "<img src=x>"})

    for address in ("/locations", "/inventory", "/products/new"):
        page = site.operator.get(address).text
        assert "<img" not in page
        assert "&lt;img src=x&gt;" in page


def test_a_form_that_is_sent_twice_adds_one_place(site: Site) -> None:
    form = {"name": "Almacén", "operation": "sent-twice"}

    assert [site.operator.post("/locations", form).status_code for _ in range(2)] == [303, 303]
    assert len(list_locations(site.inventory)) == 2


def test_a_viewer_may_not_add_places(viewer: Visitor) -> None:
    assert viewer.get("/locations").status_code == 403
    assert viewer.post("/locations", {"name": "Almacén"}).status_code == 403
