"""Texts that are too long are refused next to their field; a browser would cut them silently."""

import re

import pytest

from tests.web.blueprints.site import Site


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/locations", "name"),
        ("/views?search=mesa", "view_name"),
        ("/products/A", "reason"),
        ("/products/new", "name"),
        ("/products/new", "description"),
        ("/products/new", "other_category"),
        ("/users", "username"),
    ],
)
def test_a_field_of_free_text_takes_whatever_is_pasted(site: Site, address: str, field: str) -> None:
    site.create_product("A")

    assert not any("maxlength" in control for control in controls(site.visitor("ada").get(address).text, field))


def test_another_category_of_a_selection_takes_whatever_is_pasted(site: Site) -> None:
    site.create_product("A")
    mark = re.search(r'name="p" value="([\d.]+)"', site.operator.get("/inventory").text)
    assert mark is not None
    page = site.operator.post("/selection/category", {"p": mark[1]}).text

    assert not any("maxlength" in control for control in controls(page, "other_category"))


def controls(page: str, field: str) -> list[str]:
    found = re.findall(rf"<(?:input|textarea)\b[^>]*\bname=\"?{field}\b[^>]*>", page)
    assert found != []
    return found
