"""The command ``inventory``. Nothing heavy is imported before a command is really carried out."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

ROLES = ("admin", "operator", "viewer")
STATUSES = ("available", "out_of_stock", "low_stock", "retired")
READABLE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
PORT = click.IntRange(0, 65535)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 the answer is no or the data is refused, 2 wrong usage."""
    try:
        code = inventory.main(arguments, prog_name="inventory", standalone_mode=False)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "inventory"
        click.echo(f"inventory: WEB-006: {error.format_message()} ({path} --help)", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        from inventory_web.commands.reporting import interrupted

        sys.exit(interrupted())
    except Exception as error:  # noqa: BLE001 - the outermost boundary: one line, never a traceback
        from inventory_web.commands.reporting import report

        sys.exit(report(error))
    sys.exit(code if isinstance(code, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="inventory-web", message="%(version)s")
def inventory() -> None:
    """Inventario: productos, existencias y movimientos, en el navegador y en la línea de órdenes."""


@inventory.command()
@click.option("--port", type=PORT, default=8000, show_default=True, help="Puerto; 0 elige uno libre.")
@click.option("--database", metavar="URL", help="Otra base de datos, por ejemplo sqlite:///prueba.db.")
def demo(port: int, database: str | None) -> None:
    """Prepara todo, carga el catálogo de muestra si no hay productos, y sirve hasta Ctrl-C."""
    from inventory_web.commands import demonstrating

    demonstrating.demo(port=port, database=database)


@inventory.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Dirección en la que se escucha.")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Puerto; 0 elige uno libre.")
def serve(host: str, port: int) -> None:
    """Sirve la aplicación web hasta Ctrl-C."""
    from inventory_web.commands import serving

    serving.serve(host=host, port=port)


@inventory.command()
@click.option("--check", is_flag=True, help="Solo comprueba: termina con 1 si falta algo.")
def migrate(check: bool) -> None:
    """Pone al día el esquema de la base de datos."""
    from inventory_web.commands import storing

    storing.migrate(only_check=check)


@inventory.command("import")
@click.argument("file", type=READABLE)
@click.option("--dry-run", is_flag=True, help="Solo muestra lo que cambiaría.")
@click.option("--sheet", metavar="NOMBRE", help="Hoja del libro XLSX; si falta, la primera.")
@click.option("--json", "as_json", is_flag=True, help="Resultado, o todos los fallos, en JSON.")
def import_file(file: Path, dry_run: bool, sheet: str | None, as_json: bool) -> None:
    """Importa productos o existencias de un archivo CSV o XLSX: todo o nada."""
    from inventory_web.commands import importing

    importing.import_file(file, dry_run=dry_run, sheet=sheet, as_json=as_json)


@inventory.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--search", default="", metavar="TEXTO", help="Palabras que deben aparecer.")
@click.option("--category", metavar="NOMBRE", help="Solo esta categoría; «-» son los productos sin categoría.")
@click.option("--status", type=click.Choice(STATUSES), help="Solo este estado.")
@click.option("--location", metavar="NOMBRE", help="Solo lo que hay en esta ubicación.")
def export_file(file: Path, search: str, category: str | None, status: str | None, location: str | None) -> None:
    """Exporta a un archivo .xlsx o .csv exactamente los productos del filtro."""
    from inventory_web.commands import exporting

    exporting.export_file(file, search=search, category=category, status=status, location=location)


@inventory.command()
@click.option("--json", "as_json", is_flag=True, help="Resultado y fallos en JSON.")
def verify(as_json: bool) -> None:
    """Comprueba que cada saldo es la suma de sus movimientos y que se cumplen todas las reglas guardadas."""
    from inventory_web.commands import storing

    storing.verify(as_json=as_json)


@inventory.group()
def user() -> None:
    """Usuarios y sus roles."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="Lo que puede hacer.")
def user_add(name: str, role: str) -> None:
    """Crea un usuario; la contraseña se pregunta o se lee de la primera línea de la entrada."""
    from inventory_web.commands import accounting

    accounting.add(name, role)


@user.command("list")
def user_list() -> None:
    """Muestra los usuarios: nombre, rol y estado, separados por tabuladores."""
    from inventory_web.commands import accounting

    accounting.show()


@user.command("password")
@click.argument("name")
def user_password(name: str) -> None:
    """Pone otra contraseña y cierra las sesiones del usuario."""
    from inventory_web.commands import accounting

    accounting.change_password(name)


@user.command("disable")
@click.argument("name")
def user_disable(name: str) -> None:
    """Desactiva un usuario y cierra sus sesiones."""
    from inventory_web.commands import accounting

    accounting.disable(name)


@user.command("enable")
@click.argument("name")
def user_enable(name: str) -> None:
    """Vuelve a activar un usuario."""
    from inventory_web.commands import accounting

    accounting.enable(name)
