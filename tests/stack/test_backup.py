"""A backup can be restored to empty volumes, survives `down` and `up`, and reaches a second replica."""

import gzip
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack.system import (
    COMPOSE_FILE,
    REPOSITORY,
    SAMPLE_SECRETS,
    SECOND_REPLICA_OVERLAY,
    System,
    eventually,
    new_project,
    removed_at_the_end,
)
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack
BACKUP = str(REPOSITORY / "deploy" / "backup.sh")
RESTORE = str(REPOSITORY / "deploy" / "restore.sh")
CONTENT = "SELECT code, quantity FROM inventory.inventory_product ORDER BY code"


CREATED = "KEPT\t7"


@dataclass(frozen=True)
class Backup:
    """A file of deploy/backup.sh, and what the source held when it was made."""

    file: Path
    content: str


@pytest.fixture(scope="module")
def backup(system: System, cookies: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """Of the running system, with a product in it."""
    visitor = Visitor("127.0.0.1", system.port("nginx", 80), dict(cookies))
    visitor.get("/products/new")
    saved = visitor.post("/products/new", code="KEPT", name="Añil «ñ» 🎈", quantity="7", minimum="0")
    assert saved.status == 303, saved.text
    file = tmp_path_factory.mktemp("backup") / "all.sql.gz"
    system.run(BACKUP, str(file))
    return Backup(file, system.query("db", CONTENT))


@pytest.fixture(scope="module")
def restored(backup: Backup, image: str) -> Iterator[System]:
    """Another system with other passwords, filled from the backup."""
    with removed_at_the_end(System(new_project(), SAMPLE_SECRETS, image)) as other:
        other.run(RESTORE, str(backup.file))
        other.wait_for_balancer()
        yield other


def test_a_backup_is_whole_and_for_its_owner_only(backup: Backup) -> None:
    text = gzip.decompress(backup.file.read_bytes()).decode()

    assert CREATED in backup.content.splitlines()
    assert stat.S_IMODE(backup.file.stat().st_mode) == 0o600
    assert "GTID_PURGED" not in text
    assert "Añil «ñ» 🎈" in text


def test_a_backup_is_not_written_over(system: System, backup: Backup) -> None:
    before = backup.file.read_bytes()
    reported = system.run(BACKUP, str(backup.file), fails=True).stderr

    assert "is there already" in reported
    assert backup.file.read_bytes() == before


def test_a_system_that_holds_data_is_not_restored_over(system: System, backup: Backup) -> None:
    question = "SELECT MAX(id), COUNT(*) FROM inventory.inventory_movement"
    before = system.query("db", question)
    reported = system.run(RESTORE, str(backup.file), fails=True).stderr

    assert "holds tables already, and nothing was changed" in reported
    assert system.query("db", question) == before


def test_a_file_that_is_cut_short_is_refused(system: System, backup: Backup, tmp_path: Path) -> None:
    cut = tmp_path / "cut.sql.gz"
    cut.write_bytes(gzip.compress(gzip.decompress(backup.file.read_bytes())[:-200]))

    assert "not a complete file" in system.run(RESTORE, str(cut), fails=True).stderr


def test_a_fresh_system_holds_what_was_backed_up_on_both_servers(
    system: System, restored: System, backup: Backup
) -> None:
    restored.wait_for_balancer()
    visitor = restored.visitor().logged_in("admin", system.admin_password)

    assert restored.query("db", CONTENT) == backup.content
    eventually("the replica has it, too", lambda: restored.query("db-replica", CONTENT) == backup.content)
    assert "Añil «ñ» 🎈" in visitor.get("/inventory?search=KEPT").text


def test_what_was_there_is_there_after_down_and_up(restored: System, backup: Backup) -> None:
    restored.compose("down")
    restored.up()

    assert restored.query("db", CONTENT) == backup.content
    assert restored.query("db-replica", "SELECT @@super_read_only") == "1"
    assert restored.compose("run", "--rm", "--no-deps", "provision", "inventory-replication", "verify").returncode == 0


def test_a_second_replica_joins_with_one_command(restored: System, backup: Backup) -> None:
    restored.compose("-f", str(COMPOSE_FILE), "-f", str(SECOND_REPLICA_OVERLAY), "up", "--detach")

    eventually("it has everything", lambda: restored.query("db-replica-2", CONTENT) == backup.content)
    assert restored.query("db-replica-2", "SELECT @@super_read_only") == "1"
    assert restored.query("db-replica", CONTENT) == backup.content
