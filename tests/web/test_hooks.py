"""What an outside plugin can do, with the hooks that the built-in areas use as well."""

from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from pluggy import HookimplMarker, PluginValidationError

from inventory_core import ChangeRefused, Inventory, ProductDraft, issue, new_operation_id, register_product
from inventory_web import hookspecs
from inventory_web.current import EXTENSION, Running
from inventory_web.delivery import deliver_waiting
from tests.web.browser import Browser
from tests.web.example_plugin import ReservationsPlugin

hookimpl = HookimplMarker("inventory_web")


@pytest.fixture
def plugin() -> ReservationsPlugin:
    return ReservationsPlugin()


@pytest.fixture
def extended(make_app: Callable[..., Flask], plugin: ReservationsPlugin) -> Flask:
    return make_app(plugin)


def inventory_of(app: Flask) -> Inventory:
    running = app.extensions[EXTENSION]
    assert isinstance(running, Running)
    return running.inventory


def register(app: Flask, code: str = "A-1", quantity: int = 500) -> None:
    register_product(
        inventory_of(app),
        draft=ProductDraft(code=code, name="Lámpara"),
        quantity=quantity,
        actor="ada",
        operation=new_operation_id(),
    )


def test_a_plugin_brings_pages_with_roles_of_its_own(extended: Flask) -> None:
    operator, viewer, stranger = (
        Browser(extended).let_in("olga"),
        Browser(extended).let_in("vera"),
        Browser(extended),
    )

    assert operator.get("/reservations/").text == "Reservas de olga"
    assert viewer.get("/reservations/").status_code == 403
    assert stranger.get("/reservations/").location == "/login?next=/reservations/"
    assert stranger.get("/reservations/hello").text == "hola"


def test_a_menu_entry_stands_in_its_place_for_those_who_may_open_it(extended: Flask) -> None:
    menu = Browser(extended).let_in("olga").get("/account/password").text

    assert 'href="/reservations/"' in menu
    assert "Reservas" in menu
    assert '<span class="badge bg-orange-lt">3</span>' in menu
    assert menu.index('"/inventory"') < menu.index('"/reservations/"') < menu.index('"/movements"')
    assert "/reservations/" not in Browser(extended).let_in("vera").get("/account/password").text


def test_a_column_and_a_panel_are_shown_as_text_beside_what_is_there(extended: Flask) -> None:
    register(extended)
    browser = Browser(extended).let_in("vera")

    assert "Reservado" in browser.get("/inventory").text
    assert "&lt;A-1&gt;" in browser.get("/inventory").text
    assert '<section class="card" id="reserved">A-1</section>' in browser.get("/products/A-1").text


def test_the_same_object_takes_part_in_the_core(extended: Flask, plugin: ReservationsPlugin) -> None:
    register(extended)
    inventory = inventory_of(extended)

    with pytest.raises(ChangeRefused, match="solo se reservan"):
        issue(inventory, code="A-1", quantity=101, actor="ada", operation=new_operation_id())
    issue(inventory, code="A-1", quantity=100, actor="ada", operation=new_operation_id())
    deliver_waiting(inventory)

    assert [(event.kind, event.total) for event in plugin.seen] == [("receive", 500), ("issue", 400)]


def test_a_change_through_a_page_is_told_once_the_answer_is_out(extended: Flask, plugin: ReservationsPlugin) -> None:
    register(extended)
    browser = Browser(extended).let_in("olga")
    browser.get("/products/A-1")
    answer = browser.post("/products/A-1/quantity", delta="1", expected="500", operation=new_operation_id())

    assert answer.status_code in (200, 303)
    assert [event.total for event in plugin.seen] == [500, 501]


def test_a_refusal_of_a_plugin_is_shown_to_the_person(extended: Flask) -> None:
    register(extended)
    browser = Browser(extended).let_in("olga")
    browser.get("/products/A-1")
    answer = browser.post("/products/A-1/quantity", quantity="1", expected="500", operation=new_operation_id())

    assert answer.status_code == 422
    assert "Más de cien unidades solo se reservan." in answer.text


def test_an_export_has_the_column_of_the_plugin(extended: Flask) -> None:
    register(extended)
    header, row = Browser(extended).let_in("vera").get("/inventory/export.csv").get_data(as_text=True).splitlines()

    assert header.endswith("Reservado")
    assert row.endswith("250")


def test_two_applications_in_one_process_know_nothing_of_each_other(
    make_app: Callable[..., Flask], plugin: ReservationsPlugin
) -> None:
    extended, plain = make_app(plugin, instance="one"), make_app(instance="two")

    assert Browser(plain).get("/reservations/hello").status_code == 404
    assert Browser(extended).get("/reservations/hello").status_code == 200
    assert "Reservas" not in Browser(plain).let_in("olga").get("/account/password").text
    assert [Browser(app).get("/health").text for app in (extended, plain)] == ["one\n", "two\n"]


def test_the_same_plugin_serves_two_applications(make_app: Callable[..., Flask], plugin: ReservationsPlugin) -> None:
    apps = [make_app(plugin), make_app(plugin)]

    assert [Browser(app).get("/reservations/hello").text for app in apps] == ["hola", "hola"]


def test_a_misspelt_hook_stops_the_application_at_once(make_app: Callable[..., Flask]) -> None:
    class Misspelt:
        @hookimpl
        def menu_entry(self) -> list[object]:
            return []

    with pytest.raises(PluginValidationError, match="menu_entry"):
        make_app(Misspelt())


def test_a_plugin_that_forgets_the_mark_opens_nothing(make_app: Callable[..., Flask]) -> None:
    class Forgetful:
        @hookspecs.hookimpl
        def blueprints(self) -> list[Blueprint]:
            blueprint = Blueprint("forgetful", __name__)
            blueprint.add_url_rule("/open", view_func=lambda: "secret")
            return [blueprint]

    app = make_app(Forgetful())

    assert Browser(app).get("/open").status_code == 302
    assert Browser(app).let_in("vera").get("/open").text == "secret"


def test_built_in_areas_stand_on_the_same_hooks(app: Flask) -> None:
    running = app.extensions[EXTENSION]
    areas = {type(plugin).__module__.rpartition(".")[2] for plugin in running.hooks.get_plugins()}

    assert areas >= {"accounts", "status", "products", "movements", "counting", "exports", "low_stock"}
    for hook in ("blueprints", "menu_entries", "product_columns", "product_panels"):
        assert getattr(running.hooks.hook, hook).get_hookimpls(), hook
