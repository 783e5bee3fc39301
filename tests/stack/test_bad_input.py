"""Invalid settings and volumes: the failing service names the problem in one line and deletes no data."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.overlays import SERVER_ID_OF_THE_SOURCE, overlaid, version_in_volume
from tests.stack.system import SAMPLE_SECRETS, System, eventually, new_project, removed_at_the_end

pytestmark = pytest.mark.stack
VERIFY = ("run", "--rm", "--no-deps", "provision", "inventory-replication", "verify", "--wait", "10")
PROVISION = ("run", "--rm", "--no-deps", "provision")
NEWER = "99900"


@pytest.fixture(scope="module")
def small(image: str) -> Iterator[System]:
    """The databases and what runs once, with data."""
    with removed_at_the_end(System(new_project(), SAMPLE_SECRETS, image)) as started:
        started.compose("build", "provision")
        started.compose("up", "--detach", "migrate")
        eventually("the tables are there", lambda: migrated(started))
        yield started


def migrated(system: System) -> bool:
    state = system.containers()["migrate"]["State"]
    return (state["Status"], state["ExitCode"]) == ("exited", 0)


def reported(ended: subprocess.CompletedProcess[str], *words: str) -> bool:
    """Whether one line has all the words."""
    return any(all(word in line for word in words) for line in (ended.stdout + ended.stderr).splitlines())


def warnings(system: System, **options: object) -> list[str]:
    lines = system.compose(*PROVISION, **options).stdout.splitlines()
    return [line for line in lines if line.startswith("warning: ")]


@pytest.fixture
def secrets_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE_SECRETS, tmp_path / "secrets"))


def test_a_port_that_is_taken_is_named(small: System) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        start = ("up", "--detach", "--no-deps", "phpmyadmin")
        ended = small.compose(*start, fails=True, changed={"PHPMYADMIN_PORT": port})

    assert reported(ended, port, "already")
    small.compose("rm", "--force", "phpmyadmin")


def test_a_secret_that_is_missing_is_named(small: System, secrets_copy: Path) -> None:
    (secrets_copy / "monitor_password").unlink()
    ended = small.compose(*PROVISION, fails=True, changed={"INVENTORY_SECRETS": str(secrets_copy)})

    assert reported(ended, "monitor_password", "does not exist")


@pytest.mark.parametrize(
    "name", ["root_password", "app_password", "migrator_password", "monitor_password", "replication_password"]
)
def test_an_empty_password_is_named_by_provisioning(small: System, secrets_copy: Path, name: str) -> None:
    (secrets_copy / name).write_text("")
    ended = small.compose(*PROVISION, fails=True, changed={"INVENTORY_SECRETS": str(secrets_copy)})

    assert reported(ended, "REP-001", f"/run/secrets/{name}", "is empty; write the password into it")


def test_an_empty_key_is_named_by_the_instance(small: System, secrets_copy: Path) -> None:
    (secrets_copy / "secret_key").write_text("")
    run = ("run", "--rm", "--no-deps", "web1")
    ended = small.compose(*run, fails=True, changed={"INVENTORY_SECRETS": str(secrets_copy)})

    assert reported(ended, "WEB-001", "INVENTORY_SECRET_KEY")
    assert "Traceback" not in ended.stderr


def test_two_servers_with_one_id_are_named_and_the_source_goes_on(small: System, tmp_path: Path) -> None:
    changed = overlaid(tmp_path, SERVER_ID_OF_THE_SOURCE)
    small.compose("up", "--detach", "--no-deps", "db-replica", changed=changed)
    eventually("it answers", lambda: small.health("db-replica") == "healthy")
    (line,) = warnings(small, changed=changed)

    assert "have one server_id (1): give each server its own server_id and restart it [same_server_id]" in line
    small.compose("up", "--detach", "--no-deps", "db-replica")
    eventually("all is well again", lambda: verified(small))


def test_a_replica_with_errant_transactions_is_named_and_rebuilt_only_on_request(small: System) -> None:
    for statement in ("SET GLOBAL super_read_only = OFF", "CREATE TABLE inventory.rogue (id INT)"):
        small.query("db-replica", statement)
    small.query("db-replica", "SET GLOBAL super_read_only = ON")
    (line,) = warnings(small)

    assert "db-replica" in line
    assert "save what exists only there, then, if its data may be deleted, add --rebuild db-replica" in line
    assert small.query("db-replica", "SHOW TABLES FROM inventory LIKE 'rogue'") == "rogue"
    rebuilt = (*PROVISION, "inventory-replication", "provision", "--wait", "120", "--rebuild", "db-replica")
    assert "copy everything from db" in small.compose(*rebuilt).stdout
    assert small.query("db-replica", "SHOW TABLES FROM inventory LIKE 'rogue'") == ""
    assert verified(small)


def test_a_volume_of_a_newer_version_is_named_is_kept_and_keeps_no_one_from_starting(small: System) -> None:
    version = small.query("db", "SELECT VERSION()").partition("-")[0]
    first, second, third = (int(number) for number in version.split("."))
    found = f"{first}{second:02}{third:02}"
    small.compose("stop", "db-replica")
    version_in_volume(small, "db-replica", found, NEWER)
    small.compose("start", "db-replica")
    line = f"Cannot downgrade from {NEWER} to {found}"
    eventually("it says why", lambda: reported(small.compose("logs", "db-replica"), "[ERROR]", line))
    (warning,) = warnings(small)

    assert "db-replica" in warning
    assert "[no_answer]" in warning
    small.compose("up", "--detach", "migrate")
    eventually("the tables are brought up to date", lambda: migrated(small))
    small.compose("stop", "db-replica")
    version_in_volume(small, "db-replica", NEWER, found)
    small.compose("start", "db-replica")
    eventually("it joins with what it had", lambda: verified(small))


def verified(system: System) -> bool:
    ended = subprocess.run(
        ["docker", "compose", *VERIFY],
        env=system.environment,
        cwd=SAMPLE_SECRETS,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode == 0
