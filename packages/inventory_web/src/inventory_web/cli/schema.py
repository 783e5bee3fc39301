"""``migrate`` and ``verify``."""

import dataclasses
import json
import sys
from collections.abc import Iterator

import click
from flask_babel import gettext, ngettext

from inventory_core import Inventory, VerificationFault, invisible_faults
from inventory_web.auth import two_factor, users
from inventory_web.auth.users import INITIAL_NAME, INITIAL_PASSWORD, has_initial_password, set_password
from inventory_web.cli.session import inventory_session, open_database
from inventory_web.db.bootstrap import open_inventory, secret_keys
from inventory_web.db.schema import require_current, upgrade_all
from inventory_web.i18n.labels import format_number, movements_text, products_text
from inventory_web.plugins import build_plugin_manager
from inventory_web.settings import Settings


def migrate(*, only_check: bool) -> None:
    """Bring the schema up to date and set the first account's password, or only check and raise ``SchemaNotCurrent``."""
    settings = Settings.from_environment()
    with open_database(settings) as sessions:
        if not only_check:
            upgrade_all(sessions.engine)
        require_current(sessions.engine)
        first_password = settings.first_password.get_secret_value()
        if first_password and not only_check:
            _replace_public_password(open_inventory(sessions, build_plugin_manager(settings)), first_password)
        if settings.secret_key_old.get_secret_value() and not only_check:
            inventory = open_inventory(sessions, build_plugin_manager(settings))
            resealed = two_factor.reseal_secrets(inventory, secret_keys=secret_keys(settings))
            click.echo(
                ngettext(
                    "%(number)s segundo factor cifrado con la clave nueva.",
                    "%(number)s segundos factores cifrados con la clave nueva.",
                    resealed,
                    number=format_number(resealed),
                )
            )
    click.echo(gettext("El esquema está al día."))


def _replace_public_password(inventory: Inventory, password: str) -> None:
    if password != INITIAL_PASSWORD and has_initial_password(inventory):
        set_password(inventory, name=INITIAL_NAME, password=password)
        click.echo(gettext("El usuario «%(name)s» tiene la contraseña elegida.", name=INITIAL_NAME))


def _account_faults(inventory: Inventory) -> Iterator[VerificationFault]:
    for name in users.user_names(inventory):
        yield from invisible_faults(f"account {name}", name)


def verify(*, as_json: bool) -> None:
    """Print the checks and each fault; exit with 1 if there is any."""
    with inventory_session(Settings.from_environment()) as inventory:
        outcome = inventory.verify()
        outcome = dataclasses.replace(outcome, faults=(*outcome.faults, *_account_faults(inventory)))
    if as_json:
        faults = [dataclasses.asdict(fault) for fault in outcome.faults]
        answer = {"ok": not faults, "products": outcome.products, "movements": outcome.movements, "faults": faults}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo(
            gettext(
                "Comprobados %(products)s y %(movements)s: %(faults)s.",
                products=products_text(outcome.products),
                movements=movements_text(outcome.movements),
                faults=ngettext(
                    "%(number)s fallo",
                    "%(number)s fallos",
                    len(outcome.faults),
                    number=format_number(len(outcome.faults)),
                ),
            )
        )
        for fault in outcome.faults:
            found = gettext("hay %(found)s, debería haber %(expected)s", found=fault.found, expected=fault.expected)
            click.echo(f"inventory: WEB-009: {fault.check}: {fault.where}: {found}", err=True)
    if outcome.faults:
        sys.exit(1)
