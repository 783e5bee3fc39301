"""A COMMIT whose answer is lost, on one MySQL server: the change is never said to be undone while it may be stored."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory_core import CORE_SCHEMA, CommitUnknown, Inventory, ProductDraft, SingleDatabase, register_product
from inventory_core.models import OPERATION
from inventory_core.queries.products import get_product
from inventory_core.stock import idempotency
from inventory_core.stock.operations import receive
from tests.instances.conftest import address
from tests.replication.mysql.fault_proxy import HEALTHY, Fault, FaultProxy
from tests.replication.mysql.servers import APP, ROOT, ReplicaSet

pytestmark = pytest.mark.mysql
T = TypeVar("T")
DATABASE = "lost_commits"
ANSWER_CUT = {"to_client": Fault(after_bytes=0)}
COMMIT_CUT = {"to_server": Fault(after_bytes=0)}


@pytest.fixture
def proxy(servers: ReplicaSet) -> Iterator[FaultProxy]:
    with FaultProxy(servers.source.address) as made:
        yield made


@pytest.fixture
def database(servers: ReplicaSet, ca_file: Path, proxy: FaultProxy) -> Iterator[SingleDatabase]:
    """One server behind a proxy, with the schema and one product."""
    servers.source.query(f"CREATE DATABASE {DATABASE}")
    servers.source.query(f"GRANT ALL ON {DATABASE}.* TO {APP.user}")
    url = address(servers.source, ca_file).set(database=DATABASE)
    # Triggers need more rights than the application has.
    administrator = SingleDatabase.from_url(url.set(username=ROOT.user, password=ROOT.password))
    CORE_SCHEMA.upgrade(administrator.engine)
    administrator.close()
    made = SingleDatabase.from_url(url.set(port=proxy.port))
    register_product(Inventory(made), draft=ProductDraft("A-1", "Mesa"), quantity=1, actor="ada", operation="first")
    yield made
    made.close()
    servers.source.query(f"DROP DATABASE {DATABASE}")
    servers.catch_up()


class BreakingOnce:
    """Sessions of a database whose connection breaks in the first COMMIT; ``heals``: only in that one."""

    def __init__(
        self, database: SingleDatabase, proxy: FaultProxy, fault: dict[str, Fault], *, heals: bool = True
    ) -> None:
        self._database, self._proxy, self._fault, self._heals = database, proxy, fault, heals
        self.runs = 0

    def reader(self) -> AbstractContextManager[Session]:
        return self._database.reader()

    def write(self, work: Callable[[Session], T]) -> T:
        def breaking(session: Session) -> T:
            result = work(session)
            self.runs += 1
            if self.runs == 1:
                self._proxy.to_client = self._fault.get("to_client", HEALTHY)
                self._proxy.to_server = self._fault.get("to_server", HEALTHY)
            return result

        if self.runs and self._heals:
            self._proxy.to_client = self._proxy.to_server = HEALTHY
        return self._database.write(breaking)


@pytest.mark.parametrize("fault", [ANSWER_CUT, COMMIT_CUT], ids=["stored", "not stored"])
def test_a_lost_commit_is_unknown_and_is_not_repeated(
    database: SingleDatabase, proxy: FaultProxy, fault: dict[str, Fault]
) -> None:
    sessions = BreakingOnce(database, proxy, fault)
    with pytest.raises(CommitUnknown):
        sessions.write(lambda session: session.execute(text("UPDATE inventory_category SET name = name")).close())
    proxy.to_client = proxy.to_server = HEALTHY

    assert sessions.runs == 1
    assert database.write(lambda session: session.scalar(text("SELECT 7"))) == 7


@pytest.mark.parametrize("fault", [ANSWER_CUT, COMMIT_CUT], ids=["stored", "not stored"])
def test_receive_finds_out_the_outcome_of_an_unknown_commit(
    database: SingleDatabase, proxy: FaultProxy, fault: dict[str, Fault]
) -> None:
    inventory = Inventory(BreakingOnce(database, proxy, fault))
    change = receive(inventory, code="A-1", quantity=5, actor="ada", operation="second")

    assert change.quantity == 6
    assert get_product(Inventory(database), code="A-1").row.quantity == 6


def test_receive_with_an_unknown_commit_says_so_and_may_be_repeated(
    database: SingleDatabase, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "RESOLUTION_TIMEOUT_SECONDS", 0.5)
    inventory = Inventory(BreakingOnce(database, proxy, ANSWER_CUT, heals=False))
    with pytest.raises(CommitUnknown):
        receive(inventory, code="A-1", quantity=5, actor="ada", operation="second")
    proxy.to_client = proxy.to_server = HEALTHY

    repeated = receive(Inventory(database), code="A-1", quantity=5, actor="ada", operation="second")
    assert repeated.quantity == 6
    assert get_product(Inventory(database), code="A-1").row.quantity == 6


class HangingOnce:
    """Sessions whose first write is lost while its transaction is still open on the server, until ``roll_back``."""

    def __init__(self, database: SingleDatabase, servers: ReplicaSet) -> None:
        self._database = database
        self._open = servers.source.connect(autocommit=False, database=DATABASE)
        self.roll_back = self._open.close
        self.writes = 0

    def reader(self) -> AbstractContextManager[Session]:
        return self._database.reader()

    def write(self, work: Callable[[Session], T]) -> T:
        self.writes += 1
        if self.writes == 1:
            with self._open.cursor() as cursor:
                columns = "(id, operation_type, fingerprint, actor, at) VALUES ('second', 'receive', 'x', 'ada', NOW())"
                cursor.execute(f"INSERT INTO {OPERATION.name} {columns}")
            raise CommitUnknown
        return self._database.write(work)


def test_receive_does_not_wait_for_the_locks_of_a_commit_that_hangs(
    database: SingleDatabase, servers: ReplicaSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "RESOLUTION_TIMEOUT_SECONDS", 1.0)
    sessions = HangingOnce(database, servers)
    began = time.monotonic()
    try:
        with pytest.raises(CommitUnknown):
            receive(Inventory(sessions), code="A-1", quantity=5, actor="ada", operation="second")
        took = time.monotonic() - began
    finally:
        sessions.roll_back()

    # A lock would be waited for ten seconds.
    assert took < 6
    assert sessions.writes >= 2
    repeated = receive(Inventory(database), code="A-1", quantity=5, actor="ada", operation="second")
    assert repeated.quantity == 6


def test_receive_is_done_once_a_commit_that_hung_is_rolled_back(database: SingleDatabase, servers: ReplicaSet) -> None:
    sessions = HangingOnce(database, servers)
    timer = threading.Timer(1.0, sessions.roll_back)
    timer.start()
    change = receive(Inventory(sessions), code="A-1", quantity=5, actor="ada", operation="second")
    timer.join()

    assert change.quantity == 6
    assert get_product(Inventory(database), code="A-1").row.quantity == 6
