"""What an outside plugin can do, with the hooks that the built-in areas use as well."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from pluggy import HookimplMarker, PluginValidationError

from inventory_core import ChangeRefused, Inventory, ProductDraft, new_operation_id, register_product
from inventory_core.stock.operations import issue
from inventory_core.stock.outbox import deliver_events
from inventory_web.context import EXTENSION, AppState
from inventory_web.errors import ViewWithoutRole
from inventory_web.plugins import BUILT_IN_PLUGINS
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
    assert isinstance(running, AppState)
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


def test_a_menu_entry_is_in_its_place_for_those_who_may_open_it(extended: Flask) -> None:
    menu = Browser(extended).let_in("olga").get("/account/password").text

    assert 'href="/reservations/"' in menu
    assert "Reservas" in menu
    assert re.search(r'<span class="badge bg-orange-lt" id="[^"]+">3</span>', menu)
    assert menu.index('"/inventory"') < menu.index('"/reservations/"') < menu.index('"/movements"')
    assert "/reservations/" not in Browser(extended).let_in("vera").get("/account/password").text


def test_a_column_and_a_panel_are_shown_as_text_next_to_what_is_there(extended: Flask) -> None:
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
    deliver_events(inventory)

    assert [(event.kind, event.total) for event in plugin.seen] == [("receive", 500), ("issue", 400)]


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


def test_built_in_blueprints_use_the_same_hooks(app: Flask) -> None:
    running = app.extensions[EXTENSION]
    built_in = {type(plugin) for plugin in running.hooks.get_plugins()}

    assert built_in >= set(BUILT_IN_PLUGINS)
    for hook in ("blueprints", "menu_entries", "product_columns", "product_panels"):
        assert getattr(running.hooks.hook, hook).get_hookimpls(), hook


UNMARKED = """
from flask import Blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl

def open_to_all():
    return "secret"

class Plugin:
    @hookimpl
    def blueprints(self):
        blueprint = Blueprint("unmarked", __name__)
        blueprint.add_url_rule("/unmarked", view_func=open_to_all)
        return [blueprint]

    @hookimpl
    def menu_entries(self):
        return [MenuEntry("Sin marca", "unmarked.open_to_all")]

plugin = Plugin()
"""


class WithStaticFiles:
    """Brings pages with a folder of files for the browser."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @hookimpl
    def blueprints(self) -> list[Blueprint]:
        return [Blueprint("with_files", __name__, static_folder=self.folder, static_url_path="/with-files")]


def test_a_view_without_a_role_is_refused_when_a_program_hands_it_over(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unmarked_by_program.py").write_text(UNMARKED, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    plugin = import_module("unmarked_by_program").plugin

    with pytest.raises(ViewWithoutRole, match=r"unmarked\.open_to_all"):
        make_app(plugin)


def test_an_installed_plugin_with_a_view_without_a_role_is_left_out(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "unmarked_plugin.py").write_text(UNMARKED, "utf-8")
    metadata = tmp_path / "unmarked_plugin-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: unmarked-plugin\nVersion: 1.0\n", "utf-8")
    (metadata / "entry_points.txt").write_text("[inventory_web]\nunmarked = unmarked_plugin:plugin\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    browser = Browser(make_app()).let_in("vera")

    assert browser.get("/unmarked").status_code == 404
    assert "Sin marca" not in browser.get("/inventory").text
    assert "WEB-013" in caplog.text


def test_files_for_the_browser_that_a_plugin_brings_need_no_mark(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    (tmp_path / "a.css").write_text("a {}", "utf-8")
    app = make_app(WithStaticFiles(tmp_path))

    assert Browser(app).let_in("vera").get("/with-files/a.css").text == "a {}"
    assert Browser(app).get("/with-files/a.css").status_code == 302
