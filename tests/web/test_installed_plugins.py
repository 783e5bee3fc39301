"""Plugins of installed packages: how they are found, and that a broken one leaves the site as it is."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from inventory_core import ChangeRefused, Inventory, SingleDatabase, build_plugin_manager
from inventory_core.stock.operations import issue, receive
from inventory_core.testing import create_product, new_request, temporary_inventory
from inventory_web import Settings, cli
from inventory_web.context import EXTENSION
from inventory_web.plugins import load_plugins
from tests.web.browser import Browser
from tests.web.distributions import installed

Install = Callable[..., None]

CLASS = """
from flask import Blueprint
from inventory_core import hookimpl as core
from inventory_web.hookspecs import hookimpl as web
from inventory_web.roles import public

class Plugin:
    @core
    def check_stock_change(self, change):
        return "too many" if change.quantity < -3 else None

    @web
    def blueprints(self):
        blueprint = Blueprint("outside", __name__)
        blueprint.add_url_rule("/outside", view_func=page)
        return [blueprint]

@public
def page():
    return "from outside"
"""
MODULE = """
from inventory_core import hookimpl

@hookimpl
def check_stock_change(change):
    return "no" if change.quantity < 0 else None
"""
BROKEN = {
    "import": ("import a_module_that_nobody_has", "ModuleNotFoundError"),
    "exit": ("import sys; sys.exit(3)", "SystemExit"),
    "name": ("pass", "AttributeError"),
    "constructor": (CLASS.replace("class Plugin:", "class Plugin:\n    def __init__(self, needed): ..."), "needed"),
    "hook": (CLASS.replace("def check_stock_change", "def check_stock_chance"), "check_stock_chance"),
    "argument": (CLASS.replace("self, change", "self, change, further"), "further"),
    "mark": (CLASS.replace("@public", ""), "WEB-013 ViewWithoutRole: the view outside.page"),
    "view": (CLASS.replace('"outside", __name__', '"products", __name__'), "products"),
    "blueprints": (CLASS.replace("return [blueprint]", "return 1 / 0"), "ZeroDivisionError: division by zero"),
}


@pytest.fixture
def install(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    with ExitStack() as packages:

        def enter(package: str, source: str, **groups: str) -> None:
            packages.enter_context(installed(tmp_path_factory.mktemp(package), monkeypatch, package, source, **groups))

        yield enter


def refused(inventory: Inventory, quantity: int) -> bool:
    try:
        issue(inventory, code="A-1", quantity=quantity, **new_request())
    except ChangeRefused:
        return True
    return False


def test_a_class_as_an_entry_point_is_made_once_and_called(install: Install, tmp_path: Path) -> None:
    install("inv_plugin_a", CLASS, inventory_core="a = inv_plugin_a:Plugin")
    with temporary_inventory(tmp_path) as plain:
        inventory = Inventory(plain.sessions, build_plugin_manager(entry_points=True))
        create_product(inventory, "A-1", quantity=9)

        assert [refused(inventory, quantity) for quantity in (3, 4)] == [False, True]


@pytest.mark.parametrize("entry", ["inv_plugin_b", "inv_plugin_b:instance"])
def test_a_module_or_an_object_is_an_entry_point_as_well(install: Install, tmp_path: Path, entry: str) -> None:
    source = MODULE + CLASS.replace("-3", "0") + "\ninstance = Plugin()\n"
    install("inv_plugin_b", source, inventory_core=f"b = {entry}")
    with temporary_inventory(tmp_path) as plain:
        inventory = Inventory(plain.sessions, build_plugin_manager(entry_points=True))
        create_product(inventory, "A-1", quantity=9)

        assert refused(inventory, 1)


def test_a_plugin_in_both_groups_is_made_once(install: Install, make_app: Callable[..., Flask]) -> None:
    counted = CLASS.replace("class Plugin:", "made = []\n\nclass Plugin:\n    def __init__(self): made.append(self)")
    install("inv_plugin_c", counted, inventory_core="c = inv_plugin_c:Plugin", inventory_web="c = inv_plugin_c:Plugin")
    app = make_app()

    assert Browser(app).get("/outside").text == "from outside"
    assert len(sys.modules["inv_plugin_c"].made) == 1
    inventory = app.extensions[EXTENSION].inventory
    create_product(inventory, "A-1", quantity=9)
    assert refused(inventory, 4)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_logged_in_one_line_and_left_out(
    install: Install, make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    source, said = BROKEN[fault]
    install("inv_plugin_d", source, inventory_core="d = inv_plugin_d:Plugin", inventory_web="d = inv_plugin_d:Plugin")
    with caplog.at_level(logging.WARNING, "inventory_core.plugins"):
        app = make_app()

    (line,) = [record.getMessage() for record in caplog.records if record.name == "inventory_core.plugins"]
    assert line.startswith("the plugin d of inv_plugin_d 1.2 is left out: ")
    assert said in line
    assert "\n" not in line
    browser = Browser(app).let_in("olga")
    assert browser.get("/outside").status_code == 404
    assert browser.get("/inventory").status_code == 200
    inventory = app.extensions[EXTENSION].inventory
    create_product(inventory, "A-1", quantity=9)
    assert receive(inventory, code="A-1", quantity=1, **new_request()).total == 10
    assert not refused(inventory, 4)


def test_a_broken_plugin_leaves_the_others_in_use(install: Install, make_app: Callable[..., Flask]) -> None:
    install("inv_plugin_e", "1 / 0", inventory_web="e = inv_plugin_e:Plugin")
    install("inv_plugin_f", CLASS, inventory_web="f = inv_plugin_f:Plugin")

    assert Browser(make_app()).get("/outside").text == "from outside"


def test_a_plugin_that_is_switched_off_is_not_imported(install: Install, make_app: Callable[..., Flask]) -> None:
    install("inv_plugin_g", CLASS, inventory_web="g = inv_plugin_g:Plugin")
    app = make_app(plugins_off=("g",))

    assert Browser(app).get("/outside").status_code == 404
    assert "inv_plugin_g" not in sys.modules


def test_a_program_switches_a_plugin_off_by_its_name(install: Install) -> None:
    install("inv_plugin_h", "1 / 0", inventory_core="h = inv_plugin_h:Plugin")

    assert not build_plugin_manager(entry_points=True, off=("h",)).get_plugins()
    assert "inv_plugin_h" not in sys.modules


def test_two_packages_may_use_one_name(install: Install) -> None:
    install("inv_plugin_i", CLASS, inventory_web="same = inv_plugin_i:Plugin")
    install("inv_plugin_j", CLASS.replace("outside", "other"), inventory_web="same = inv_plugin_j:Plugin")
    found = load_plugins(Settings())

    assert [(each.name, each.package, each.error) for each in found] == [
        ("same", "inv_plugin_i 1.2", ""),
        ("same", "inv_plugin_j 1.2", ""),
    ]


def inventory(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


def test_the_command_lists_what_each_plugin_implements_and_what_failed(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("inv_plugin_k", CLASS, inventory_core="k = inv_plugin_k:Plugin", inventory_web="k = inv_plugin_k:Plugin")
    install("inv_plugin_l", "1 / 0", inventory_core="l = inv_plugin_l:Plugin")
    install("inv_plugin_m", CLASS, inventory_core="m = inv_plugin_m:Plugin")
    monkeypatch.setenv("INVENTORY_PLUGINS_OFF", "m")

    assert inventory("plugins") == 1
    assert capsys.readouterr().out.splitlines() == [
        "k\tinv_plugin_k 1.2\tcheck_stock_change, blueprints",
        "l\tinv_plugin_l 1.2\tno se pudo cargar: ZeroDivisionError: division by zero",
        "m\tinv_plugin_m 1.2\tdesactivado con INVENTORY_PLUGINS_OFF",
    ]
    assert inventory("plugins", "--json") == 1
    shown = json.loads(capsys.readouterr().out)["plugins"]
    assert [(each["name"], each["state"], each["hooks"], each["groups"]) for each in shown] == [
        ("k", "loaded", ["check_stock_change", "blueprints"], ["inventory_core", "inventory_web"]),
        ("l", "failed", [], ["inventory_core"]),
        ("m", "off", [], ["inventory_core"]),
    ]
    monkeypatch.setenv("INVENTORY_PLUGINS_OFF", "m,l")
    assert inventory("plugins") == 0


def test_the_command_says_that_there_is_no_plugin(capsys: pytest.CaptureFixture[str]) -> None:
    assert inventory("plugins") == 0
    assert capsys.readouterr().out == "No hay complementos instalados.\n"


def test_a_broken_plugin_does_not_stop_a_command(
    install: Install, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("inv_plugin_n", "raise RuntimeError('first\\nsecond')", inventory_core="n = inv_plugin_n:Plugin")
    monkeypatch.setenv("INVENTORY_DATABASE_URL", f"sqlite:///{file}")

    assert inventory("verify") == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "the plugin n of inv_plugin_n 1.2 is left out: RuntimeError: first second" in said
    assert SingleDatabase.from_file(file).engine.url.database == str(file)
