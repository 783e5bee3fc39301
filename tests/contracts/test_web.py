"""The journeys of people through the pages, over each kind of database, on two instances side by side."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pyotp
import pytest
from pydantic import SecretStr

from inventory_core.verification import verify
from inventory_web import Settings
from inventory_web.audit.log import Author
from inventory_web.auth import authentication, throttling, two_factor, users
from inventory_web.db.replicas import ReplicatedDatabase
from inventory_web.errors import AccountRefused, TooManyLogins
from inventory_web.roles import Role
from tests.contracts.at_once import at_once
from tests.contracts.topologies import Database
from tests.web.app_pool import LentApplications
from tests.web.blueprints.site import Site, codes_in, form_in
from tests.web.browser import INITIAL, PASSWORD, Browser

SECRET = SecretStr("a key of tests, long and random 0123456789")
PRODUCTS = (
    "Código;Nombre;Descripción;Categoría;Cantidad;Mínimo\nA;Mesa 😀;dos\u2028líneas;Hogar;5;2\nB;Silla;ñ;Jardín;7;\n"
)
PATIENCE_SECONDS = 30

CHANGE = "/products/A/quantity"

T = TypeVar("T")
MakeSite = Callable[[], Site]


@pytest.fixture
def make_site(database: Database, lent_applications: LentApplications) -> Iterator[MakeSite]:
    """Make an instance of the application; the accounts are there already."""
    tokens: dict[str, str] = {}
    with ExitStack() as lent:

        def make() -> Site:
            sessions = database.open_another() if tokens else database.sessions
            settings = Settings(secret_key=SECRET, language="es")
            site = Site(lent.enter_context(lent_applications.lend(settings, sessions)), tokens)
            if not tokens:
                for name, role in {"olga": Role.OPERATOR, "ada": Role.ADMIN}.items():
                    users.add_account(site.inventory, name=name, role=role, password=PASSWORD)
                token = authentication.log_in(
                    site.inventory, name="olga", password=PASSWORD, idle=timedelta(hours=1), address="192.0.2.1"
                )
                assert token is not None
                tokens["olga"] = token
            return site

        yield make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()


def upload(site: Site, content: str) -> str:
    file = (io.BytesIO(content.encode()), "productos.csv")
    answer = site.operator.post("/imports/new", {"file": file, "sheet": ""})
    assert answer.status_code == 303, answer.text
    finished(site, answer.location)
    return str(answer.location)


def finished(site: Site, address: str) -> str:
    """Return the page of an import once no worker is active."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        page = site.operator.get(address).text
        if "work-progress" not in page:
            return page
        time.sleep(0.05)
    raise AssertionError(f"{address} is still worked on")


def test_a_product_goes_its_way_from_registration_to_its_return(site: Site) -> None:
    new = form_in(site.operator.get("/products/new").text, "")
    typed = new | {
        "code": "L-1",
        "name": "Lámpara «ñ» 😀",
        "category": "Otra...",
        "other_category": "Jardín",
        "quantity": "5",
    }
    registered = site.operator.post("/products/new", typed)
    again = site.operator.post("/products/new", typed)
    taken = site.operator.post("/products/new", typed | {"operation": "another", "code": "l-1"})

    edit = form_in(site.operator.get("/products/L-1/edit").text, "")
    edited = site.operator.post("/products/L-1/edit", edit | {"name": "Farol"})
    old = site.operator.post("/products/L-1/edit", edit | {"name": "Otra", "operation": "late"})

    assert [answer.status_code for answer in (registered, again, taken, edited, old)] == [303, 303, 422, 303, 409]
    assert "Farol" in old.text
    assert "Otra" in old.text
    assert codes_in(site.operator.get("/inventory", search="farol jardin").text) == ["L-1"]
    assert site.operator.post("/products/L-1/retire").status_code == 303
    assert codes_in(site.operator.get("/inventory").text) == []
    assert codes_in(site.operator.get("/inventory", status="retired").text) == ["L-1"]
    assert site.operator.post("/products/L-1/restore").status_code == 303
    assert site.quantity("L-1") == 5


def test_count_in_a_row_of_the_list_conflicts_with_an_older_one_and_undo_restores_it(make_site: MakeSite) -> None:
    site, other = make_site(), make_site()
    site.create_product("A", quantity=5)
    address = "/products/A/quantity"
    form = form_in(site.operator.get("/inventory").text, address)
    stale = form_in(other.operator.get("/inventory").text, address)

    set_to = site.operator.post(address, form | {"quantity": "8"})
    conflict = other.operator.post(address, stale | {"delta": "1"}, htmx=True)

    assert (set_to.status_code, conflict.status_code) == (303, 409)
    assert "Usted vio 5; ahora hay 8" in conflict.text
    changed = other.operator.post(address, {"delta": "-1", "expected": "8"}, htmx=True)
    undo = "/movements/" + changed.text.split('action="/movements/')[1].split('"')[0]
    undone = other.operator.post(undo, form_in(changed.text, undo), htmx=True)
    assert undone.status_code == 303
    assert site.quantity("A") == other.quantity("A") == 8
    assert verify(site.inventory).faults == ()


def test_clicks_to_receive_at_once_are_each_counted(make_site: MakeSite) -> None:
    sites = [make_site(), make_site()]
    sites[0].create_product("A", quantity=5)

    def click(which: int) -> int:
        person = sites[which % 2].operator
        return person.post("/products/A/quantity", {"delta": "1", "operation": f"click-{which // 2}"}).status_code

    assert at_once(8, click) == [303] * 8
    assert sites[0].quantity("A") == 9


def test_transfer_is_listed_and_can_be_undone(site: Site) -> None:
    site.create_location("Sótano")
    site.create_product("A", name="Mesa", minimum=9, quantity=5)
    sent = {"kind": "transfer", "quantity": "2", "location": "Principal", "target": "Sótano", "reason": "«orden» 😀"}
    moved = site.operator.post("/products/A/movements", sent)
    lacking = site.operator.post("/products/A/movements", {"kind": "issue", "quantity": "99", "location": "Principal"})
    history = site.operator.get("/movements").text

    assert (moved.status_code, lacking.status_code) == (303, 422)
    assert "«orden» 😀" in history
    assert "A" in codes_in(site.operator.get("/inventory", status="low_stock").text)
    assert site.quantity_in("A", "Sótano") == 2
    action = history.split('action="/movements/')[1].split('"')[0]
    assert site.operator.post(f"/movements/{action}").status_code == 303
    assert site.quantity_in("A", "Sótano") == 0


def test_import_is_previewed_confirmed_exported_and_undone_on_different_instances(make_site: MakeSite) -> None:
    site, other = make_site(), make_site()
    address = upload(site, PRODUCTS)
    preview = other.operator.get(address).text
    confirmed = other.operator.post(f"{address}/confirm", form_in(preview, f"{address}/confirm"))
    page = finished(site, address)

    assert "Lista para importar" in preview
    assert confirmed.status_code == 303
    assert "Importada" in page
    exported = site.operator.get("/inventory/export.csv")
    unchanged = other.operator.get(upload(other, exported.text)).text
    assert "Mesa 😀" in exported.text
    assert "Nada que importar" in unchanged or "Sin cambios" in unchanged
    undone = site.operator.post(f"{address}/undo", form_in(page, f"{address}/undo"))
    assert undone.status_code == 303
    assert codes_in(other.operator.get("/inventory").text) == []
    assert verify(site.inventory).faults == ()


def test_import_with_faults_shows_every_fault_and_changes_nothing(site: Site) -> None:
    page = finished(site, upload(site, PRODUCTS + "a;Otra;;;x;\n"))

    assert "Con errores" in page
    assert codes_in(site.operator.get("/inventory").text) == []


def test_accounts_are_kept_by_an_administrator(make_site: MakeSite) -> None:
    site, other = make_site(), make_site()
    admin = Browser(site.app).logged_in("ada")
    admin.get("/users")
    added = admin.post("/users", username="Íñigo 😀", role="viewer", password="mesa y silla 7")
    doubled = admin.post("/users", username="íÑIGO 😀", role="viewer", password="mesa y silla 7")
    inigo = Browser(other.app).logged_in("íñigo 😀", "mesa y silla 7")
    read_only = inigo.post("/products/new", code="A", name="Mesa")
    promoted = admin.post("/users/role", username="Íñigo 😀", role="operator")
    allowed = inigo.get("/products/new")
    disabled = admin.post("/users/disable", username="Íñigo 😀")
    ended = inigo.get("/inventory")

    assert [answer.status_code for answer in (added, doubled, read_only, promoted)] == [303, 422, 403, 303]
    assert [answer.status_code for answer in (allowed, disabled, ended)] == [200, 303, 302]
    assert "/login" in ended.location


def test_the_first_account_is_there_and_the_last_administrator_stays(site: Site) -> None:
    admin = Browser(site.app)
    assert admin.log_in(*INITIAL).status_code == 303
    admin.get("/users")
    assert admin.post("/users/disable", username="ada").status_code == 303
    assert admin.post("/users/disable", username="admin").status_code == 422


def test_two_administrators_who_disable_one_another_at_the_same_instant_do_not_both_succeed(
    make_site: MakeSite,
) -> None:
    sites = [make_site(), make_site()]
    names = ("ada", "admin")

    def disable(which: int) -> bool:
        try:
            users.disable_account(sites[which].inventory, name=names[which])
        except AccountRefused:
            return False
        return True

    assert sorted(at_once(2, disable)) == [False, True]


@pytest.mark.parametrize("name", ["ﷺ" * 40, "😀" * 40, "x" * 40])
def test_a_long_name_of_an_account_is_taken_or_refused_but_never_a_crash(site: Site, name: str) -> None:
    admin = Browser(site.app).logged_in("ada")
    admin.get("/users")
    answer = admin.post("/users", username=name, role="viewer", password="mesa y silla 7")

    assert answer.status_code == (422 if "ﷺ" in name else 303)


def test_login_attempts_are_limited_for_all_instances_together(make_site: MakeSite) -> None:
    sites = [make_site(), make_site()]

    def guess(which: int) -> str:
        try:
            throttling.count_attempt(sites[which % 2].inventory, name_key="ada", address="192.0.2.7")
        except TooManyLogins:
            return "refused"
        return "counted"

    answers = at_once(12, guess)

    assert sorted(answers) == ["counted"] * throttling.MAX_FOR_PAIR + ["refused"] * (12 - throttling.MAX_FOR_PAIR)
    assert Browser(sites[1].app, address="192.0.2.7").log_in("ada", PASSWORD).status_code == 429
    assert Browser(sites[1].app, address="192.0.2.8").log_in("ada", PASSWORD).status_code == 303


def test_a_session_that_is_ended_on_one_instance_is_ended_on_the_other(make_site: MakeSite) -> None:
    site, other = make_site(), make_site()
    browser = Browser(site.app).logged_in("ada")
    cookie = browser.client.get_cookie("inventory_session")
    assert cookie is not None
    there = Browser(other.app)
    there.client.set_cookie("inventory_session", cookie.value)
    before = there.get("/inventory").status_code
    browser.post("/logout")

    assert (before, there.get("/inventory").status_code) == (200, 302)


def test_a_form_without_its_token_changes_nothing(site: Site) -> None:
    answer = site.operator.client.post("/products/new", data={"code": "A", "name": "Mesa"})

    assert answer.status_code in (400, 403, 422)
    assert codes_in(site.operator.get("/inventory").text) == []


def test_health_reports_that_the_database_can_be_read(site: Site) -> None:
    stranger = Browser(site.app)
    statuses = [stranger.get(path).status_code for path in ("/health", "/health/live", "/health/ready")]
    reported = stranger.get("/health", headers={"Accept": "application/json"}).json

    assert statuses == [200, 200, 200]
    assert reported is not None
    assert (reported["status"], reported["database"]["source"]["state"]) == ("ok", "up")


@dataclass
class UnitsOfWork:
    """The readers and writes that were begun."""

    begun: list[str] = field(default_factory=list)

    def count(self, name: str, begin: Callable[..., T]) -> Callable[..., T]:
        def counted(*given: Any) -> T:
            self.begun.append(name)
            return begin(*given)

        return counted


@pytest.fixture
def units(site: Site, monkeypatch: pytest.MonkeyPatch) -> UnitsOfWork:
    site.create_product("A", name="Mesa", quantity=5, minimum=6)
    found, sessions = UnitsOfWork(), site.inventory.sessions
    _ = site.operator
    monkeypatch.setattr(sessions, "reader", found.count("read", sessions.reader))
    monkeypatch.setattr(sessions, "write", found.count("write", sessions.write))
    if isinstance(sessions, ReplicatedDatabase):
        monkeypatch.setattr(sessions, "source_reader", found.count("read", sessions.source_reader))
    return found


def test_a_changed_quantity_is_one_read_and_one_write(site: Site, units: UnitsOfWork) -> None:
    answer = site.operator.post(CHANGE, {"delta": "1", "expected": "5"}, htmx=True)

    assert answer.status_code == 200
    assert units.begun == ["read", "write"]
    assert "5 → 6" in answer.text
    assert 'name="expected" value="6"' in answer.text


def test_a_changed_quantity_without_htmx_is_one_read_and_one_write(site: Site, units: UnitsOfWork) -> None:
    assert site.operator.post(CHANGE, {"delta": "1", "expected": "5"}).status_code == 303
    assert units.begun == ["read", "write"]


def test_a_search_is_one_read(site: Site, units: UnitsOfWork) -> None:
    for htmx in (True, False):
        units.begun.clear()
        page = site.operator.get("/inventory", search="mesa", htmx=htmx)

        assert codes_in(page.text) == ["A"]
        assert units.begun == ["read"]


def test_a_conflict_of_a_quantity_shows_what_another_session_wrote(site: Site, units: UnitsOfWork) -> None:
    site.operator.post(CHANGE, {"delta": "1", "expected": "5"}, htmx=True)
    units.begun.clear()

    conflict = site.operator.post(CHANGE, {"delta": "1", "expected": "5"}, htmx=True)

    assert conflict.status_code == 409
    assert 'name="expected" value="6"' in conflict.text
    assert units.begun == ["read", "write", "read"]


def test_a_repeated_quantity_change_shows_the_quantity_of_now(site: Site, units: UnitsOfWork) -> None:
    first = {"delta": "1", "expected": "5", "operation": "first"}
    site.operator.post(CHANGE, first, htmx=True)
    site.operator.post(CHANGE, {"delta": "3", "operation": "second"}, htmx=True)
    units.begun.clear()

    again = site.operator.post(CHANGE, first, htmx=True)

    assert again.status_code == 200
    assert 'name="expected" value="9"' in again.text
    assert units.begun == ["read", "write"]
    assert site.quantity("A") == 9


def test_each_step_of_a_login_is_one_write(site: Site, units: UnitsOfWork) -> None:
    browser = Browser(site.app)
    browser.get("/login")
    units.begun.clear()

    wrong = browser.post("/login", username="olga", password="no es esta")
    right = browser.post("/login", username="olga", password=PASSWORD)

    assert (wrong.status_code, right.status_code) == (422, 303)
    assert units.begun == ["read", "write"] * 2


def test_each_step_of_a_login_with_a_second_factor_is_one_write(site: Site, units: UnitsOfWork) -> None:
    account = authentication.find_account(
        site.inventory, site.tokens["olga"], idle=timedelta(hours=1), address="", at_once=True
    )
    assert account is not None
    keys = {"secret_keys": (SECRET.get_secret_value(),)}
    two_factor.begin(site.inventory, account, **keys)
    totp = pyotp.TOTP(two_factor.two_factor_status(site.inventory, account, **keys).secret)
    assert two_factor.confirm(site.inventory, account, totp.now(), by=Author(), **keys)
    browser = Browser(site.app)
    browser.get("/login")
    units.begun.clear()

    password = browser.post("/login", username="olga", password=PASSWORD)
    browser.get("/login/code")
    wrong = browser.post("/login/code", second_code="000000")
    code = browser.post("/login/code", second_code=totp.at(datetime.now(UTC) + timedelta(seconds=30)))

    assert (password.status_code, wrong.status_code, code.status_code) == (303, 422, 303)
    assert units.begun == ["read", "write", "write", "write"]
    assert browser.get("/inventory").status_code == 200


def test_passwords_guessed_at_the_same_instant_are_limited(make_site: MakeSite) -> None:
    sites = [make_site(), make_site()]
    browsers = [Browser(sites[number % 2].app, address="192.0.2.7") for number in range(8)]
    for browser in browsers:
        browser.get("/login")

    answers = at_once(8, lambda which: browsers[which].post("/login", username="ada", password="no").status_code)

    assert sorted(answers) == [422] * throttling.MAX_FOR_PAIR + [429] * (8 - throttling.MAX_FOR_PAIR)
    assert browsers[0].log_in("ada", PASSWORD).status_code == 429
