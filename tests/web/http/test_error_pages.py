"""Refusals as answers: the right status, in the user's language, as page, fragment or JSON, and never a traceback."""

import inspect
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

import inventory_core as core
from inventory_core.database import dialects
from inventory_replication.errors import (
    CausalTimeout,
    DatabaseBusy,
    NoEligibleReplica,
    SourceUnavailable,
)
from inventory_web import errors as web
from inventory_web.errors import STATUS
from inventory_web.http.error_pages import answer_for
from inventory_web.i18n.error_messages import MESSAGES, error_message, messages_by_field, reason_message
from inventory_web.i18n.labels import field_label
from inventory_web.roles import Role
from tests.web.browser import Browser

CLUSTER_TROUBLE = (SourceUnavailable, NoEligibleReplica, CausalTimeout, DatabaseBusy)
REFUSALS = [
    core.InvalidInput(core.Fault("quantity", "negative", "-1"), core.Fault("name", "required")),
    core.DuplicateCode("A-1"),
    core.ProductNotFound("A-1"),
    core.LocationNotFound("Sótano"),
    core.MovementNotFound("77"),
    core.InsufficientStock("A-1", "Principal", 3, 1500),
    core.QuantityLimit("A-1", 1_000_000_000),
    core.EditConflict("A-1", 1, 2),
    core.ProductsConflict((core.ChangedProduct(1, "A-1", "Mesa", 1, 2, None, 0, False),)),
    core.SelectionChanged(3, 4),
    core.CountConflict("A-1", "Principal", 5, 7),
    core.ProductRetired("A-1"),
    core.CannotUndo("already_undone"),
    core.OperationReused("abc"),
    core.ChangeRefused("Falta el motivo."),
    core.FileRefused("missing_column", "code"),
    core.RowsRefused((), 2),
    core.DatabaseBusy(6),
    core.StorageRefused("db: Connection refused"),
    core.CommitUnknown(),
    core.SchemaNotCurrent(None, "0002"),
    core.SchemaNotCurrent("0009", "0002", newer=True),
    web.TooManyLogins(90),
    web.AccountRefused(core.Fault("username", "duplicate", "ada")),
    web.AccountNotFound("eva"),
    web.PortTaken("127.0.0.1", 80, "no"),
    web.JobAbandoned(),
    web.JobQuotaReached("jobs", 10),
    web.JobQuotaReached("bytes", 512_000_000),
    web.HostNotAllowed("evil.example"),
    web.ViewWithoutRole("my_plugin", "greeting.greet"),
    web.RoleNeeded(Role.ADMIN, Role.VIEWER, ("ada", "admin")),
    *(web.ClusterRefused(kind()) for kind in CLUSTER_TROUBLE),
]
ENGLISH = {" the ", " is ", " not ", " was ", " were ", " cannot ", " there ", " again", " seconds", " another "}


def classes(module: object, root: type[Exception]) -> set[type[Exception]]:
    return {
        kind for kind in vars(module).values() if inspect.isclass(kind) and issubclass(kind, root) and kind is not root
    }


def test_every_refusal_of_the_core_has_a_text_and_a_status() -> None:
    errors = classes(core, core.InventoryError)

    assert errors - set(MESSAGES) == {core.ReadOnlyUnit, core.TransactionMisuse}
    assert errors - set(STATUS) == {core.ReadOnlyUnit, core.TransactionMisuse}
    assert {type(refusal) for refusal in REFUSALS} == set(MESSAGES)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_a_refusal_is_reported_in_spanish(refusal: core.InventoryError | web.WebError) -> None:
    text = error_message(refusal)

    assert text.endswith(".") or "inventory migrate" in text
    assert "%(" not in text
    assert not [word for word in ENGLISH if word in text]


@pytest.mark.parametrize("template", dialects.SQLITE_STORAGE.values())
def test_everything_that_the_core_says_about_a_file_is_known_in_spanish(template: str) -> None:
    text = error_message(core.StorageRefused(template.format(file="/datos/a b.db")))

    assert "/datos/a b.db" in text
    assert not [word for word in ENGLISH if word in text]


def test_both_values_of_a_conflict_are_named() -> None:
    count = answer_for(core.CountConflict("A-1", "Principal", 1500, 7))
    edit = answer_for(core.EditConflict("A-1", 1, 2))

    assert (count.status, edit.status) == (409, 409)
    assert "1500" in count.message.replace(".", "")
    assert "ahora hay 7" in count.message
    assert "versión 2" in edit.message


def test_what_files_and_servers_are_called_is_not_reported_on_pages() -> None:
    answer = answer_for(core.StorageRefused("/secret/place.db is damaged; restore a backup"))

    assert (answer.status, answer.retry_after) == (503, 5)
    assert "/secret" not in answer.message


@pytest.mark.parametrize(
    "reason",
    [
        "required",
        "too_long",
        "too_short",
        "characters",
        "not_whole",
        "negative",
        "zero",
        "too_large",
        "unknown",
        "duplicate",
    ],
)
def test_a_fault_says_what_is_allowed(reason: str) -> None:
    text = reason_message(reason, "abc", 64)

    assert text.endswith((".", ")."))
    assert reason not in text
    assert reason_message("something_new") == "El valor no es válido (something_new)."


def test_faults_are_sorted_to_their_fields_and_all_of_them_are_there() -> None:
    faults = [
        core.Fault("code", "required"),
        core.Fault("name", "too_long", "x", 200),
        core.Fault("code", "characters"),
    ]
    sorted_out = messages_by_field(faults)

    assert {field: len(texts) for field, texts in sorted_out.items()} == {"code": 2, "name": 1}
    assert "200 caracteres" in sorted_out["name"][0]
    assert (field_label("quantity"), field_label("color")) == ("Cantidad", "color")


@pytest.fixture
def failing(make_app: Callable[..., Flask]) -> Callable[[Exception], Browser]:
    def make(error: Exception) -> Browser:
        app = make_app()

        def view() -> str:
            raise error

        app.add_url_rule("/fail", "fail", view)
        return Browser(app).let_in("vera")

    return make


def test_a_page_a_fragment_or_json_as_the_client_reads_it(failing: Callable[[Exception], Browser]) -> None:
    browser = failing(core.CountConflict("<b>", "Principal", 1, 2))
    page = browser.get("/fail")
    fragment = browser.get("/fail", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    boosted = browser.get("/fail", headers={"HX-Request": "true", "HX-Request-Type": "full"})
    data = browser.get("/fail", headers={"Accept": "application/json"})

    assert {answer.status_code for answer in (page, fragment, boosted, data)} == {409}
    assert '<html lang="es">' in page.text
    assert "&lt;b&gt;" in page.text
    assert "<html" not in fragment.text
    assert (fragment.headers["HX-Retarget"], fragment.headers["HX-Reswap"]) == ("#notices", "innerHTML")
    assert "<html" in boosted.text
    assert data.json is not None
    assert (data.json["code"], data.json["request_id"]) == ("INV-009", data.headers["X-Request-ID"])
    assert "HX-Request" in page.headers["Vary"]


def test_a_database_that_cannot_be_reached_says_when_to_come_back(failing: Callable[[Exception], Browser]) -> None:
    answer = failing(core.StorageRefused("db: no route")).get("/fail")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Servicio no disponible" in answer.text


def test_a_fault_of_the_program_shows_a_number_and_no_traceback(failing: Callable[[Exception], Browser]) -> None:
    answer = failing(RuntimeError("secret detail")).get("/fail")

    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nada/de/nada", 404, "Aquí no hay nada."),
        ("GET", "/../../etc/passwd", 404, "Aquí no hay nada."),
        ("GET", "/assets/x/../../settings.py", 404, "Aquí no hay nada."),
        ("DELETE", "/login", 405, "no admite esa forma"),
        ("POST", "/health", 405, "no admite esa forma"),
        ("PUT", "/inventory", 405, "no admite esa forma"),
    ],
)
def test_unknown_routes_and_methods_are_pages_in_the_language_of_the_user(
    app: Flask, method: str, path: str, status: int, says: str
) -> None:
    answer = app.test_client().open(path, method=method)

    assert answer.status_code == status
    assert '<html lang="es">' in answer.text
    assert says in answer.text
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("table", ["inventory_web_user_session", "inventory_product"])
def test_a_database_that_lost_a_table_is_a_page_also_for_those_who_are_logged_in(
    app: Flask, file: Path, table: str
) -> None:
    browser = Browser(app).let_in("vera")
    _spoil(file, table)
    answer = browser.get("/inventory")

    assert answer.status_code == 500
    assert '<html lang="es">' in answer.text
    assert "Traceback" not in answer.text


def _spoil(file: Path, table: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(f"ALTER TABLE {table} RENAME TO gone")
    connection.commit()
    connection.close()


def test_every_code_of_the_web_is_documented_with_cause_and_cure() -> None:
    document = (Path(__file__).parents[3] / "docs" / "web-errors.md").read_text("utf-8")
    documented = dict(re.findall(r"^## (WEB-\d{3}) (\w+)", document, flags=re.MULTILINE))
    sections = re.split(r"^## ", document, flags=re.MULTILINE)[1:]
    sources = Path(inspect.getfile(web)).parent.rglob("*.py")
    written = {code for source in sources for code in re.findall(r'"(WEB-\d{3})"', source.read_text("utf-8"))}

    for kind in classes(web, web.WebError):
        assert documented[kind.code] == kind.__name__  # type: ignore[attr-defined]
    assert written - set(re.findall(r"WEB-\d{3}", document)) == {"WEB-000"}
    assert all("**Cause.**" in section and "**Cure.**" in section for section in sections)
