"""Root can log in when a server has no free connections."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.stack.system import REPOSITORY, System, eventually

pytestmark = pytest.mark.stack
DOCUMENT = REPOSITORY / "docs" / "operating-containers.md"
HOLD = "SELECT SLEEP(60)"
MAX_CONNECTIONS = 10


@contextmanager
def all_connections_taken(system: System) -> Iterator[None]:
    """Lower the limit of the replica and take what is left, root's spare connection included."""
    before = system.query("db-replica", "SELECT @@max_connections")
    system.query("db-replica", f"SET GLOBAL max_connections = {MAX_CONNECTIONS}")
    take = f"for i in $(seq 30); do mysql --user=root --password=\"$1\" --execute '{HOLD}' & done; wait"
    client = ("exec", "-T", "--detach", "db-replica", "sh", "-c", take, "sh", system.root_password())
    try:
        system.compose(*client)
        eventually("root cannot log in", lambda: not can_log_in(system))
        yield
    finally:
        administer(system, f"SET GLOBAL max_connections = {before}")


def can_log_in(system: System) -> bool:
    container = system.containers()["db-replica"]["Id"]
    login = f"mysql --user=root --password={system.root_password()} --execute 'SELECT 1' >/dev/null 2>&1; echo $?"
    return system.run("docker", "exec", container, "sh", "-c", login).stdout.strip() == "0"


def administer(system: System, statement: str) -> str:
    """Type the command of the document, and the password that it prompts for."""
    found = re.search(r"^docker compose (exec db mysql .*--port=33062.*)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert found
    words = ["db-replica" if word == "db" else word for word in shlex.split(found[1])]
    words[words.index("--password")] = f"--password={system.root_password()}"
    return system.compose("exec", "-T", *words[1:], "--batch", "--skip-column-names", "--execute", statement).stdout


def test_admin_address_lets_root_in_when_all_connections_are_taken(system: System) -> None:
    with all_connections_taken(system):
        connected = administer(
            system, "SELECT COUNT(*) FROM performance_schema.processlist WHERE user <> 'event_scheduler'"
        )

    assert int(connected) >= MAX_CONNECTIONS
    eventually("root can log in again", lambda: can_log_in(system))


def test_admin_address_is_reached_from_the_container_alone(system: System) -> None:
    assert system.query("db", "SELECT @@admin_address") == "127.0.0.1"
