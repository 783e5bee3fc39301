"""A plugin brings its own texts, and leaves ours as they are."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po
from flask import Flask

from inventory_core import ProductDraft, new_operation_id, register_product
from inventory_web import context
from inventory_web.i18n.catalogues import BUILT_IN, folders_of, read_catalogues
from tests.web.browser import Browser
from tests.web.example_plugin import ReservationsPlugin


@pytest.fixture
def english(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(ReservationsPlugin(), language="en")
    with app.app_context():
        register_product(
            context.current_inventory(),
            draft=ProductDraft(code="A-1", name="Lamp"),
            quantity=500,
            actor="ada",
            operation=new_operation_id(),
        )
    return app


def test_its_menu_its_columns_and_its_refusals_are_in_the_language_of_the_page(english: Flask) -> None:
    browser = Browser(english).let_in("olga")
    page = browser.get("/inventory").text
    browser.get("/products/A-1")
    refused = browser.post("/products/A-1/quantity", quantity="1", operation=new_operation_id())
    exported = browser.get("/inventory/export.csv").text

    assert "Reservations" in page
    assert ">Reserved</th>" in page
    assert "More than a hundred units can only be reserved." in refused.text
    assert exported.splitlines()[0].endswith("Reserved")


def test_a_text_of_ours_stays_ours(english: Flask) -> None:
    page = Browser(english).let_in("olga").get("/products/A-1/edit").text

    assert ">Save</button>" in page
    assert "Keep" not in page


def test_an_application_without_the_plugin_knows_none_of_its_texts(
    make_app: Callable[..., Flask], english: Flask
) -> None:
    plain = make_app(language="en")
    with plain.test_request_context():
        assert plain.jinja_env.from_string("{{ _('Reservas') }}").render() == "Reservas"
    with english.test_request_context():
        assert english.jinja_env.from_string("{{ _('Reservas') }}").render() == "Reservations"


def test_the_folder_is_found_next_to_the_plugin_or_above_it(english: Flask) -> None:
    with english.app_context():
        found = folders_of(context.app_state().hooks.get_plugins())

    assert found[0] == BUILT_IN
    assert [folder.parent.name for folder in found[1:]] == ["example_plugin"]
    assert folders_of([object(), io]) == (BUILT_IN,)


def test_a_catalogue_may_be_compiled_and_may_be_spanish(tmp_path: Path) -> None:
    compiled, written = tmp_path / "compiled", tmp_path / "written"
    for folder, language, text in ((compiled, "en", "Shelf"), (written, "en", "Rack"), (written, "es", "Balda")):
        catalogue = Catalog(locale=language)
        catalogue.add("Shelf of a plugin", text)
        place = folder / language / "LC_MESSAGES"
        place.mkdir(parents=True)
        name, write = ("messages.mo", write_mo) if folder is compiled else ("messages.po", write_po)
        with (place / name).open("wb") as file:
            write(file, catalogue)

    assert read_catalogues("en", [compiled, written]).gettext("Shelf of a plugin") == "Shelf"
    assert read_catalogues("en", [BUILT_IN, written]).gettext("Shelf of a plugin") == "Rack"
    assert read_catalogues("es", [BUILT_IN, written]).gettext("Shelf of a plugin") == "Balda"
    assert read_catalogues("en", [BUILT_IN, written]).gettext("Guardar") == "Save"
