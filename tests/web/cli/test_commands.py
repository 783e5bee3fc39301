"""Each command: what it does, what it says, and how it ends."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from inventory_core import Inventory, ProductFilter, SingleDatabase, count_products
from inventory_core.queries.products import get_product
from inventory_web.audit.views import EventFilter, events_page
from inventory_web.auth import two_factor, users
from inventory_web.auth.users import matches
from inventory_web.context import CurrentUser
from inventory_web.db.models import User
from inventory_web.roles import Role
from tests.web.browser import PASSWORD
from tests.web.cli.conftest import Ended

Run = Callable[..., Ended]
PRODUCTS = "code,name,category,quantity,minimum\nA-1,Lámpara,Hogar,5,2\nA-2,Mesa,,0,1\n"
WRONG = "code,name,quantity\nA-1,Lámpara,-1\nA-2,,1.5\n"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Pipe a text into the command."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def one_line(ended: Ended, code: str, exit_code: int = 1) -> None:
    assert ended.code == exit_code
    assert ended.err.startswith(f"inventory: {code}: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    assert ended.out == ""


def written(folder: Path, text: str, name: str = "products.csv") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_help_names_every_command(run: Run) -> None:
    ended = run("--help")

    assert ended.code == 0
    assert all(
        name in ended.out for name in ("demo", "serve", "migrate", "import", "export", "verify", "plugins", "user")
    )
    assert run("user", "--help").code == run("import", "-h").code == 0


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["serve", "--port", "x"], ["serve", "--port", "70000"], ["import"], ["import", "missing.csv"],
     ["user", "add", "eva"], ["user", "add", "eva", "--role", "chief"], ["export", "list.pdf"], ["migrate", "--chek"],
     ["export", "x.csv", "--status", "lost"], ["user"]],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_one_line(run: Run, here: Path, arguments: list[str]) -> None:
    ended = run(*arguments)

    assert here.exists()
    assert ended.code == 2
    assert ended.err.count("inventory: WEB-006: ") == 1 or "Usage:" in ended.err
    assert "Traceback" not in ended.err


def test_migrate_brings_an_empty_database_up_and_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    one_line(run("migrate", "--check"), "INV-018")
    one_line(run("verify"), "INV-018")

    assert run("migrate").code == 0
    assert run("migrate", "--check") == Ended(0, "El esquema está al día.\n", "")
    assert run("migrate").code == 0


def test_migrate_sets_the_password_of_the_first_account_once(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.setenv("INVENTORY_FIRST_PASSWORD", "first-of-all-words")
    first = run("migrate")
    monkeypatch.setenv("INVENTORY_FIRST_PASSWORD", "another-of-those")
    second = run("migrate")

    sessions = SingleDatabase.from_file(tmp_path / "new.db")
    with sessions.reader() as session:
        admin = session.scalars(select(User)).one()
    sessions.close()
    accepted = [matches(admin.password_hash, word) for word in ("first-of-all-words", "another-of-those", "admin123")]

    assert not admin.provisional
    assert (first.code, second.code) == (0, 0)
    assert "contraseña" in first.out
    assert "contraseña" not in second.out
    assert accepted == [True, False, False]


def test_a_schema_of_a_newer_version_is_refused(run: Run, here: Path) -> None:
    sessions = SingleDatabase.from_file(here)
    sessions.write(
        lambda session: session.connection().exec_driver_sql("UPDATE inventory_web_version SET version_num='9'")
    )
    sessions.close()
    reported = [run(*command) for command in (("migrate",), ("migrate", "--check"), ("serve",), ("user", "list"))]

    for ended in reported:
        one_line(ended, "INV-018")
        assert "más nueva" in ended.err


def test_accounts_are_added_listed_changed_and_disabled(
    run: Run, here: Path, inventory: Inventory, typed: Callable[[str], None]
) -> None:
    typed("una clave de eva\nignored\n")
    added = run("user", "add", " Eva ", "--role", "operator")
    listed = run("user", "list").out.splitlines()
    typed("otra clave de eva\n")
    changed, disabled = run("user", "password", "eva"), run("user", "disable", "eva")

    assert here.exists()
    assert [ended.code for ended in (added, changed, disabled)] == [0, 0, 0]
    assert "Eva\toperator\tactive" in listed
    assert listed[0] == "ada\tadmin\tactive"
    assert "Eva\toperator\tdisabled" in run("user", "list").out.splitlines()
    with inventory.sessions.reader() as session:
        eva = session.query(User).filter_by(name="Eva").one()
        assert matches(eva.password_hash, "otra clave de eva")
        assert not eva.provisional
    assert run("user", "enable", "eva").code == 0
    assert "Eva\toperator\tactive" in run("user", "list").out.splitlines()


@pytest.mark.parametrize(("name", "mixed"), [("аdmin", True), ("Íñigo", False)])  # noqa: RUF001
def test_a_user_name_of_several_scripts_is_added_with_a_warning(
    run: Run, here: Path, typed: Callable[[str], None], name: str, *, mixed: bool
) -> None:
    typed("una clave de eva\n")
    added = run("user", "add", name, "--role", "viewer")

    assert here.exists()
    assert (added.code, added.out) == (0, f"Usuario «{name}» creado.\n")
    assert ("mezcla letras de varios alfabetos" in added.err) is mixed


@pytest.mark.parametrize(
    ("arguments", "word", "code"),
    [
        (["user", "add", "ADA", "--role", "viewer"], PASSWORD, "WEB-003"),
        (["user", "add", "eva", "--role", "viewer"], "corta", "WEB-003"),
        (["user", "add", "eva", "--role", "viewer"], "", "WEB-003"),
        (["user", "password", "nadie"], PASSWORD, "WEB-004"),
        (["user", "disable", "nadie"], "", "WEB-004"),
    ],
)
def test_an_account_that_will_not_do_is_refused(
    run: Run, here: Path, typed: Callable[[str], None], arguments: list[str], word: str, code: str
) -> None:
    typed(word)

    assert here.exists()
    one_line(run(*arguments), code)


def test_the_last_administrator_cannot_be_disabled(run: Run, here: Path, inventory: Inventory) -> None:
    assert here.exists()
    assert run("user", "disable", "admin").code == 0
    one_line(run("user", "disable", "ada"), "WEB-003")

    assert not {row.name: row.disabled for row in users.list_accounts(inventory)}["ada"]


def test_an_import_and_its_export_agree(run: Run, here: Path, inventory: Inventory, tmp_path: Path) -> None:
    file = written(tmp_path, PRODUCTS)
    tried = run("import", file, "--dry-run")
    nothing = count_products(inventory, ProductFilter()).number
    done = run("import", file)

    assert here.exists()
    assert (tried.code, nothing, done.code) == (0, 0, 0)
    assert "no se ha cambiado nada" in tried.out
    assert "2 productos nuevos" in done.out
    assert get_product(inventory, "a-1").row.total == 5

    for name in ("all.xlsx", "all.csv"):
        assert run("export", tmp_path / name).out == f"2 productos exportados a {tmp_path / name}.\n"
        again = json.loads(run("import", tmp_path / name, "--json").out)
        assert (again["ok"], again["unchanged"], again["updated"], again["stock_changes"]) == (True, 2, 0, 0)
    assert run("verify").code == 0


def test_the_import_names_who_did_it_and_the_sheet_to_read(run: Run, here: Path, tmp_path: Path) -> None:
    assert run("import", written(tmp_path, PRODUCTS)).code == 0
    assert run("export", tmp_path / "x.xlsx").code == 0
    assert run("import", tmp_path / "x.xlsx", "--sheet", "Productos").code == 0
    one_line(run("import", tmp_path / "x.xlsx", "--sheet", "Otra"), "INV-014")

    sessions = SingleDatabase.from_file(here)
    with sessions.reader() as session:
        actors = set(session.connection().exec_driver_sql("SELECT actor FROM inventory_movement").scalars())
    sessions.close()
    assert len(actors) == 1
    assert actors.pop().endswith("inventory")


def test_a_file_with_faults_is_refused_with_every_one_of_them(
    run: Run, here: Path, inventory: Inventory, tmp_path: Path
) -> None:
    file = written(tmp_path, WRONG)
    reported, dry = run("import", file), run("import", file, "--dry-run")
    data = json.loads(run("import", file, "--json").out)

    assert here.exists()
    assert reported.code == dry.code == 1
    assert reported.err == dry.err
    assert reported.err.splitlines()[0].startswith("inventory: INV-015: Hay 3 datos incorrectos")
    assert [line.split(":")[0] for line in reported.err.splitlines()[1:]] == [
        "  fila 2, quantity",
        "  fila 3, name",
        "  fila 3, quantity",
    ]
    assert data["faults_total"] == 3
    assert [(fault["row"], fault["reason"]) for fault in data["faults"]] == [
        (2, "negative"),
        (3, "required"),
        (3, "not_whole"),
    ]
    assert all(fault["message"].endswith((".", ").")) for fault in data["faults"])
    assert count_products(inventory, ProductFilter()).number == 0


def test_only_the_first_faults_are_printed_and_the_rest_are_counted(run: Run, here: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "code,name\n" + "".join(f"C{number},\n" for number in range(70)))
    reported = run("import", file)

    assert here.exists()
    assert len(reported.err.splitlines()) == 1 + 50 + 1
    assert "… y 20 más" in reported.err


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b"name,quantity\nx,1\n", b"code,code,name\n"]
)
def test_a_file_that_is_not_a_table_is_refused_in_one_line(
    run: Run, here: Path, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes(content)

    assert here.exists()
    one_line(run("import", file), "INV-014")


def test_an_export_holds_exactly_the_filter(run: Run, here: Path, tmp_path: Path) -> None:
    assert run("import", written(tmp_path, PRODUCTS)).code == 0
    out = tmp_path / "some.csv"
    found = {}
    for arguments in (
        ("--search", "lampara"),
        ("--status", "out_of_stock"),
        ("--category", "-"),
        ("--category", "HOGAR"),
        ("--location", "Principal"),
        ("--search", "nada"),
    ):
        assert run("export", out, *arguments).code == 0
        found[" ".join(arguments)] = [line.split(",")[0] for line in out.read_text("utf-8").splitlines()[1:]]

    assert here.exists()
    assert found == {
        "--search lampara": ["A-1"],
        "--status out_of_stock": ["A-2"],
        "--category -": ["A-2"],
        "--category HOGAR": ["A-1"],
        "--location Principal": ["A-1"],
        "--search nada": [],
    }


def test_verify_finds_what_was_changed_behind_the_back_of_the_program(run: Run, here: Path, tmp_path: Path) -> None:
    assert run("import", written(tmp_path, PRODUCTS)).code == 0
    assert json.loads(run("verify", "--json").out) == {"ok": True, "products": 2, "movements": 1, "faults": []}

    sessions = SingleDatabase.from_file(here)
    sessions.write(lambda session: session.connection().exec_driver_sql("UPDATE inventory_balance SET quantity = 99"))
    sessions.close()
    reported = run("verify")
    data = json.loads(run("verify", "--json").out)

    assert reported.code == 1
    assert "WEB-009" in reported.err
    assert not data["ok"]
    assert any("99" in str(fault["found"]) for fault in data["faults"])


@pytest.mark.usefixtures("here")
def test_migrate_encrypts_second_factors_with_the_new_key(
    run: Run, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = "the old key, long and random 0123456789", "the new key, long and random 9876543210"
    account = CurrentUser(1, "admin", Role.ADMIN, provisional=False, session_id="a session")
    two_factor.begin(inventory, account, secret_keys=(old,))
    monkeypatch.setenv("INVENTORY_SECRET_KEY", new)
    monkeypatch.setenv("INVENTORY_SECRET_KEY_OLD", old)

    assert run("migrate").out == "1 segundo factor cifrado con la clave nueva.\nEl esquema está al día.\n"
    assert two_factor.two_factor_status(inventory, account, secret_keys=(new,)).secret


def test_verify_finds_a_user_name_with_an_invisible_character(run: Run, here: Path) -> None:
    run("migrate")
    sessions = SingleDatabase.from_file(here)
    sessions.write(
        lambda session: session.connection().exec_driver_sql("UPDATE inventory_web_user SET name = 'ad\u200bmin'")
    )
    sessions.close()
    reported = run("verify")

    assert reported.code == 1
    assert "account ad<U+200B>min" in reported.err


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("sqlite:////nowhere/at/all/stock.db", "INV-017", "la carpeta /nowhere/at/all no existe"),
        ("mysql+pymysql://u:hidden@127.0.0.1:1/x", "INV-017", "127.0.0.1"),
        ("no url", "WEB-001", "INVENTORY_DATABASE_URL"),
        ("oracle+nothing://x", "WEB-001", "«oracle+nothing»"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str, code: str, says: str
) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_URL", url)
    ended = run("migrate")

    assert ended.code == 1
    assert ended.err.startswith(f"inventory: {code}")
    assert ended.err.count("\n") == 1
    assert says in ended.err
    assert "hidden" not in ended.err


def test_a_file_that_is_not_a_database_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = written(tmp_path, "not a database " * 100, "stock.db")
    monkeypatch.setenv("INVENTORY_DATABASE_URL", f"sqlite:///{file}")
    one_line(run("migrate"), "INV-017")

    assert file.read_text("utf-8") == "not a database " * 100


def test_a_database_that_may_only_be_read_is_one_line_and_reading_goes_on(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run("import", written(tmp_path, PRODUCTS)).code == 0
    monkeypatch.setenv("INVENTORY_DATABASE_URL", f"sqlite:///file:{here}?mode=ro&uri=true")
    refused = run("import", written(tmp_path, PRODUCTS.replace("Mesa", "Silla")))

    one_line(refused, "INV-017")
    assert "solo lectura" in refused.err
    assert run("export", tmp_path / "read.csv").code == 0
    assert "Mesa" in (tmp_path / "read.csv").read_text("utf-8")


def test_a_folder_that_cannot_be_written_is_one_line(run: Run, here: Path, tmp_path: Path) -> None:
    assert here.exists()
    ended = run("export", tmp_path / "no" / "such" / "x.csv")

    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err


def test_all_unsafe_defaults_are_reported_before_anything_is_touched(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INVENTORY_ENV", "production")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    ended = run("serve")

    assert ended.code == 1
    assert [line.split()[2] for line in ended.err.splitlines()] == ["INVENTORY_SECRET_KEY", "INVENTORY_DATABASE_URL"]
    assert not (tmp_path / "data").exists()


def test_something_unexpected_is_one_line_too(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("line one\nline two")

    monkeypatch.setattr(users, "list_accounts", broken)

    assert here.exists()
    one_line(run("user", "list"), "WEB-500")


def test_a_lost_second_factor_is_taken_away_and_the_audit_is_pruned(run: Run, here: Path, inventory: Inventory) -> None:
    assert here.exists()
    off = run("user", "second-factor-off", "vera")
    unknown = run("user", "second-factor-off", "nadie")
    pruned = run("audit", "prune", "--before", "2020-01-01")
    no_day = run("audit", "prune", "--before", "ayer")

    assert (off.code, off.out) == (0, "«vera» no tiene verificación en dos pasos.\n")
    one_line(unknown, "WEB-004")
    assert (pruned.code, pruned.out) == (0, "0 sucesos borrados.\n")
    assert (no_day.code, "Traceback" in no_day.err) == (2, False)
    assert events_page(inventory, EventFilter(event="audit_pruned")).rows[0].actor.endswith("@inventory")
