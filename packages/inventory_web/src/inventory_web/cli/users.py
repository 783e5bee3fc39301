"""``user add``, ``list``, ``password``, ``disable``, ``enable`` and ``second-factor-off``."""

import sys

import click
from flask_babel import gettext

from inventory_web.audit.log import Author
from inventory_web.auth import two_factor, users
from inventory_web.auth.users import is_mixed_script
from inventory_web.cli.session import inventory_session, system_actor
from inventory_web.i18n.labels import mixed_script_warning
from inventory_web.roles import Role
from inventory_web.settings import Settings


def add(name: str, role: str) -> None:
    """Create an account; prompts for the password."""
    with inventory_session(Settings.from_environment()) as inventory:
        made = users.add_account(inventory, name=name, role=Role.from_word(role), password=_password(), by=_operator())
    click.echo(gettext("Usuario «%(name)s» creado.", name=made))
    if is_mixed_script(made):
        click.echo(mixed_script_warning(made), err=True)


def show() -> None:
    """Print one account per line: name, role, ``active`` or ``disabled``."""
    with inventory_session(Settings.from_environment()) as inventory:
        rows = users.list_accounts(inventory)
    for row in rows:
        click.echo(f"{row.name}\t{row.role.word}\t{'disabled' if row.disabled else 'active'}")


def change_password(name: str) -> None:
    """Set a new password, for which it prompts, and end the sessions."""
    with inventory_session(Settings.from_environment()) as inventory:
        users.set_password(inventory, name=name, password=_password(), by=_operator())
    click.echo(gettext("Contraseña de «%(name)s» cambiada.", name=name))


def disable(name: str) -> None:
    """Disable the account."""
    with inventory_session(Settings.from_environment()) as inventory:
        users.disable_account(inventory, name=name, by=_operator())
    click.echo(gettext("Usuario «%(name)s» desactivado.", name=name))


def enable(name: str) -> None:
    """Enable the account again."""
    with inventory_session(Settings.from_environment()) as inventory:
        users.enable_account(inventory, name=name, by=_operator())
    click.echo(gettext("Usuario «%(name)s» activado.", name=name))


def remove_second_factor(name: str) -> None:
    """Remove a lost second factor, so that the password alone is enough."""
    with inventory_session(Settings.from_environment()) as inventory:
        removed = two_factor.disable(inventory, name=name, by=_operator())
    if removed:
        click.echo(gettext("Verificación en dos pasos de «%(name)s» quitada: entra solo con su contraseña.", name=name))
    else:
        click.echo(gettext("«%(name)s» no tiene verificación en dos pasos.", name=name))


def _operator() -> Author:
    """Return the author for the audit log: the name of the system's user."""
    return Author(system_actor())


def _password() -> str:
    """Read the password: from the keyboard, twice without echo, or the first line of piped input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = click.prompt(
        gettext("Contraseña"), hide_input=True, confirmation_prompt=gettext("Otra vez la contraseña")
    )
    return answer
