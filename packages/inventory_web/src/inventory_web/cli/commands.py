"""The commands and their options. Nothing heavy is imported before a command runs."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from inventory_web.cli.language import N_, command_language, localize

ROLES = ("admin", "operator", "viewer")
STATUSES = ("available", "out_of_stock", "low_stock", "retired")
READABLE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
PORT = click.IntRange(0, 65535)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 failed or refused, 2 wrong usage."""
    try:
        command = localize(inventory, command_language())
        code = command.main(arguments, prog_name="inventory", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        from inventory_web.cli.errors import report_usage

        sys.exit(report_usage(error))
    except (click.Abort, KeyboardInterrupt):
        from inventory_web.cli.errors import report_interrupt

        sys.exit(report_interrupt())
    except Exception as error:  # noqa: BLE001 - the outermost boundary: one line, never a traceback
        from inventory_web.cli.errors import report_error

        sys.exit(report_error(error))
    sys.exit(code if isinstance(code, int) else 0)


@click.group(
    help=N_("Inventario: productos, existencias y movimientos, en el navegador y en la línea de órdenes."),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="inventory-web", message="%(version)s", help=N_("Muestra la versión y termina."))
def inventory() -> None:
    """Inventory: products, stock and movements, in the browser and on the command line."""


@inventory.command(help=N_("Prepara todo, carga el catálogo de muestra si no hay productos, y sirve hasta Ctrl-C."))
@click.option(
    "--port",
    type=PORT,
    metavar=N_("NÚMERO"),
    default=8000,
    show_default=True,
    help=N_("Puerto; 0 elige uno libre."),
)
@click.option("--database", metavar="URL", help=N_("Otra base de datos, por ejemplo sqlite:///prueba.db."))
def demo(port: int, database: str | None) -> None:
    """Set everything up, load the sample catalogue if there are no products, and serve until Ctrl-C."""
    from inventory_web.cli import demo

    demo.demo(port=port, database=database)


@inventory.command(help=N_("Sirve la aplicación web hasta Ctrl-C."))
@click.option(
    "--host",
    metavar=N_("DIRECCIÓN"),
    default="127.0.0.1",
    show_default=True,
    help=N_("Dirección en la que se escucha."),
)
@click.option(
    "--port",
    type=PORT,
    metavar=N_("NÚMERO"),
    default=8000,
    show_default=True,
    help=N_("Puerto; 0 elige uno libre."),
)
def serve(host: str, port: int) -> None:
    """Serve the web application until Ctrl-C."""
    from inventory_web.cli import serve

    serve.serve(host=host, port=port)


@inventory.command(help=N_("Pone al día el esquema de la base de datos."))
@click.option("--check", is_flag=True, help=N_("Solo comprueba: termina con 1 si falta algo."))
def migrate(check: bool) -> None:
    """Bring the schema of the database up to date."""
    from inventory_web.cli import schema

    schema.migrate(only_check=check)


@inventory.command("import", help=N_("Importa productos o existencias de un archivo CSV o XLSX: todo o nada."))
@click.argument("file", type=READABLE)
@click.option("--dry-run", is_flag=True, help=N_("Solo muestra lo que cambiaría."))
@click.option("--sheet", metavar=N_("NOMBRE"), help=N_("Hoja del libro XLSX; si falta, la primera."))
@click.option("--json", "as_json", is_flag=True, help=N_("Resultado, o todos los fallos, en JSON."))
def import_file(file: Path, dry_run: bool, sheet: str | None, as_json: bool) -> None:
    """Import products or stock from a CSV or XLSX file: all or nothing."""
    from inventory_web.cli import files

    files.import_file(file, dry_run=dry_run, sheet=sheet, as_json=as_json)


@inventory.command("export", help=N_("Exporta a un archivo .xlsx o .csv exactamente los productos del filtro."))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--search", default="", metavar=N_("TEXTO"), help=N_("Palabras que deben aparecer."))
@click.option("--category", metavar=N_("NOMBRE"), help=N_("Solo esta categoría; «-» son los productos sin categoría."))
@click.option("--status", type=click.Choice(STATUSES), help=N_("Solo este estado."))
@click.option("--location", metavar=N_("NOMBRE"), help=N_("Solo lo que hay en esta ubicación."))
def export_file(file: Path, search: str, category: str | None, status: str | None, location: str | None) -> None:
    """Export exactly the products of the filter to an .xlsx or .csv file."""
    from inventory_web.cli import files

    files.export_file(file, search=search, category=category, status=status, location=location)


@inventory.command(
    help=N_("Comprueba que cada saldo es la suma de sus movimientos y que se cumplen todas las reglas guardadas.")
)
@click.option("--json", "as_json", is_flag=True, help=N_("Resultado y fallos en JSON."))
def verify(as_json: bool) -> None:
    """Check that each balance is the sum of its movements and that every stored rule holds."""
    from inventory_web.cli import schema

    schema.verify(as_json=as_json)


@inventory.command(
    "plugins", help=N_("Muestra los complementos instalados, qué amplía cada uno y cuáles no se pudieron cargar.")
)
@click.option("--json", "as_json", is_flag=True, help=N_("La lista en JSON."))
def show_plugins(as_json: bool) -> None:
    """List the installed plugins, what each implements, and which could not be loaded."""
    from inventory_web.cli import plugins

    plugins.show(as_json=as_json)


@inventory.group(help=N_("Usuarios y sus roles."))
def user() -> None:
    """Users and their roles."""


@user.command("add", help=N_("Crea un usuario; la contraseña se pregunta o se lee de la primera línea de la entrada."))
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help=N_("Lo que puede hacer."))
def user_add(name: str, role: str) -> None:
    """Create a user; prompts for the password, or reads it from the first line of the input."""
    from inventory_web.cli import users

    users.add(name, role)


@user.command("list", help=N_("Muestra los usuarios: nombre, rol y estado, separados por tabuladores."))
def user_list() -> None:
    """Show the users: name, role and state, separated by tabs."""
    from inventory_web.cli import users

    users.show()


@user.command("password", help=N_("Pone otra contraseña y cierra las sesiones del usuario."))
@click.argument("name")
def user_password(name: str) -> None:
    """Set another password and close the sessions of the user."""
    from inventory_web.cli import users

    users.change_password(name)


@user.command("disable", help=N_("Desactiva un usuario y cierra sus sesiones."))
@click.argument("name")
def user_disable(name: str) -> None:
    """Disable a user and close the sessions."""
    from inventory_web.cli import users

    users.disable(name)


@user.command("enable", help=N_("Vuelve a activar un usuario."))
@click.argument("name")
def user_enable(name: str) -> None:
    """Enable a user again."""
    from inventory_web.cli import users

    users.enable(name)


@user.command("second-factor-off", help=N_("Quita la verificación en dos pasos a quien la ha perdido."))
@click.argument("name")
def user_second_factor_off(name: str) -> None:
    """Remove the second factor of a user who has lost it."""
    from inventory_web.cli import users

    users.remove_second_factor(name)


@inventory.group(help=N_("La auditoría: lo que pasó con usuarios, sesiones y datos."))
def audit() -> None:
    """The audit: what happened to users, sessions and data."""


@audit.command("prune", help=N_("Borra los sucesos de antes de un día (UTC); por sí solos no se borran nunca."))
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    metavar=N_("AAAA-MM-DD"),
    help=N_("El primer día que se conserva."),
)
def audit_prune(before: datetime) -> None:
    """Delete the events from before a day (UTC); events are never deleted automatically."""
    from inventory_web.cli import audit

    audit.prune(before)


@inventory.group(help=N_("La bandeja de salida: eventos que esperan a los complementos, y los abandonados."))
def outbox() -> None:
    """The outbox: events that wait for plugins, and those that were given up."""


@outbox.command("list", help=N_("Muestra cuántos eventos esperan y cada evento abandonado, con su número y su error."))
@click.option("--json", "as_json", is_flag=True, help=N_("El resultado en JSON."))
def outbox_list(as_json: bool) -> None:
    """Show how many events wait, and each dead letter with its number and its error."""
    from inventory_web.cli import outbox as outbox_commands

    outbox_commands.show(as_json=as_json)


@outbox.command("deliver", help=N_("Entrega los eventos pendientes y termina; la aplicación que sirve lo hace sola."))
def outbox_deliver() -> None:
    """Deliver the events that are due, then exit; an application that serves does so automatically."""
    from inventory_web.cli import outbox as outbox_commands

    outbox_commands.deliver()


@outbox.command("retry", help=N_("Vuelve a intentar los eventos abandonados con estos números, o todos."))
@click.argument("ids", nargs=-1, type=int, metavar=N_("[NÚMERO]..."))
def outbox_retry(ids: tuple[int, ...]) -> None:
    """Retry the dead letters with these numbers, or all of them."""
    from inventory_web.cli import outbox as outbox_commands

    outbox_commands.retry(ids)


@outbox.command("discard", help=N_("Borra para siempre los eventos abandonados con estos números."))
@click.argument("ids", nargs=-1, type=int, required=True, metavar=N_("NÚMERO..."))
def outbox_discard(ids: tuple[int, ...]) -> None:
    """Delete the dead letters with these numbers for good."""
    from inventory_web.cli import outbox as outbox_commands

    outbox_commands.discard(ids)
