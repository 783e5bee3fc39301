"""``demo``: a sample catalogue without any setup."""

from importlib import resources
from typing import Any

import click
from flask_babel import gettext

from inventory_core import Inventory, ProductFilter, Status, count_products
from inventory_web.auth.users import INITIAL_NAME, INITIAL_PASSWORD, has_initial_password
from inventory_web.cli.sample.history import load_with_history
from inventory_web.cli.serve import run_server
from inventory_web.cli.session import inventory_session
from inventory_web.cli.session import open_database as opened
from inventory_web.db.schema import upgrade_all
from inventory_web.settings import Settings


def demo(*, port: int, database: str | None) -> None:
    """Migrate, load the sample if there are no products, print URL and login, and serve."""
    overrides: dict[str, Any] = {"database_url": database} if database else {}
    settings = Settings.from_environment(**overrides)
    _prepare(settings)
    with inventory_session(settings) as inventory:
        if _is_empty(inventory):
            _load_sample(inventory)
        initial = has_initial_password(inventory)
    if initial:
        click.echo(gettext("Usuario: %(name)s   Contraseña: %(word)s", name=INITIAL_NAME, word=INITIAL_PASSWORD))
    run_server(settings.model_copy(update={"log_level": "warning"}), "127.0.0.1", port)


def _is_empty(inventory: Inventory) -> bool:
    return not any(
        count_products(inventory, ProductFilter(status=status), cap=1).number for status in (None, Status.RETIRED)
    )


def _prepare(settings: Settings) -> None:
    with opened(settings) as sessions:
        upgrade_all(sessions.engine)


def _load_sample(inventory: Inventory) -> None:
    click.echo(gettext("Cargando el catálogo de muestra…"))
    with resources.as_file(resources.files("inventory_web.cli.sample")) as folder:
        # Sorted by name: products.csv comes before stock.csv, which refers to it.
        load_with_history(inventory, sorted(folder.glob("*.csv")), actor=INITIAL_NAME)
