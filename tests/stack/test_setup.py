"""deploy/setup.sh: random secrets and the settings that refer to them."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.stack.system import REPOSITORY, SAMPLE_SECRETS, System, new_project

pytestmark = pytest.mark.stack
SECRETS = {path.name for path in SAMPLE_SECRETS.iterdir() if path.suffix != ".md"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what a clone holds for the containers."""
    shutil.copytree(REPOSITORY / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    shutil.copy(REPOSITORY / "docker-compose.yml", tmp_path)
    return tmp_path


def set_up(clone: Path, *options: str, project: str = "") -> subprocess.CompletedProcess[str]:
    environment = System(project or new_project(), SAMPLE_SECRETS, "none").environment
    command = [str(clone / "deploy" / "setup.sh"), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_secret_is_made_at_random_and_kept_from_others(clone: Path) -> None:
    ended = set_up(clone)
    folder = clone / "deploy" / "secrets"
    values = [(folder / name).read_text() for name in SECRETS]

    assert ended.returncode == 0, ended.stderr
    assert {path.name for path in folder.iterdir()} == SECRETS
    assert len(set(values)) == len(values)
    assert all(value.isascii() and value.isalnum() and 16 <= len(value) <= 64 for value in values)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (clone / ".env").read_text() == "INVENTORY_SECRETS=./deploy/secrets\nHTTP_BIND=0.0.0.0\n"
    assert not any(value in ended.stdout for value in values)


def test_what_is_there_already_is_kept(clone: Path) -> None:
    (clone / ".env").write_text("HTTP_PORT=8000\nHTTP_BIND=192.0.2.1\nINVENTORY_SECRETS=./elsewhere\n")
    set_up(clone)
    folder = clone / "deploy" / "secrets"
    before = {path.name: path.read_text() for path in folder.iterdir()}
    (folder / "monitor_password").unlink()
    (folder / "app_password").chmod(0o600)
    (folder / "app_password").write_text("")
    set_up(clone)
    after = {path.name: path.read_text() for path in folder.iterdir()}

    assert {name for name in SECRETS if after[name] != before[name]} == {"monitor_password", "app_password"}
    assert "" not in after.values()
    assert (clone / ".env").read_text() == "HTTP_PORT=8000\nHTTP_BIND=192.0.2.1\nINVENTORY_SECRETS=./deploy/secrets\n"


def test_with_a_host_name_everything_for_https_is_set(clone: Path) -> None:
    ended = set_up(clone, "--tls", "inventory.test")
    settings = dict(line.split("=", 1) for line in (clone / ".env").read_text().splitlines())
    certificate = (clone / "deploy" / "secrets" / "tls_certificate").read_text()

    assert ended.returncode == 0, ended.stderr
    assert settings["COMPOSE_FILE"] == "docker-compose.yml:deploy/compose.tls.yml"
    assert settings["INVENTORY_ENV"] == "production"
    assert settings["INVENTORY_HOSTS"] == "inventory.test"
    assert certificate.startswith("-----BEGIN CERTIFICATE-----")


def test_a_certificate_that_could_not_be_made_is_made_the_next_time(clone: Path) -> None:
    folder = clone / "deploy" / "secrets"
    failed = set_up(clone, "--tls", f"{'x' * 65}.test")
    ended = set_up(clone, "--tls", "inventory.test")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert failed.returncode == 1
    assert "openssl could not make a certificate" in failed.stderr
    assert ended.returncode == 0, ended.stderr
    assert set(modes) == SECRETS | {"tls_key", "tls_certificate"}
    assert set(modes.values()) == {0o444}


def test_a_database_with_other_passwords_is_not_locked_out(clone: Path, system: System) -> None:
    ended = set_up(clone, project=system.project)

    assert ended.returncode == 1
    assert f"the volume {system.project}_db-data holds a database" in ended.stderr
    assert not (clone / "deploy" / "secrets").exists()
    assert not (clone / ".env").exists()


@pytest.mark.parametrize("options", [("--help",), ("--tls",), ("--into",)])
def test_wrong_usage_ends_with_2_and_changes_nothing(clone: Path, options: tuple[str, ...]) -> None:
    ended = set_up(clone, *options)

    assert ended.returncode == 2
    assert "setup" in ended.stdout + ended.stderr
    assert not (clone / "deploy" / "secrets").exists()
