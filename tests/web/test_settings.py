"""Settings: from the environment, from files, refused where they are wrong or unsafe, and documented."""

import re
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from inventory_core import StorageRefused
from inventory_web import Settings
from inventory_web.db import bootstrap
from inventory_web.errors import SettingsRefused
from inventory_web.settings import is_secret

LONG = "abcdefghijklmnopqrstuvwxyz0123456789"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")


def refused(action: Callable[[], Any]) -> str:
    with pytest.raises(SettingsRefused) as error:
        action()
    return "\n".join(error.value.lines)


def test_every_setting_is_documented_with_its_meaning_and_whether_a_file_may_hold_it() -> None:
    documented = re.findall(r"^\| `INVENTORY_(\w+)` \| (.+?) \| (.+?) \| (yes|no) \|$", DOCUMENT, flags=re.MULTILINE)
    expected = [
        (name.upper(), field.description, "yes" if is_secret(field) else "no")
        for name, field in Settings.model_fields.items()
    ]

    assert [(name, meaning, file) for name, meaning, _, file in documented] == expected


def test_the_documented_defaults_are_the_real_ones() -> None:
    documented = dict(
        re.findall(r"^\| `INVENTORY_(\w+)` \| .+? \| (.+?) \| (?:yes|no) \|$", DOCUMENT, flags=re.MULTILINE)
    )
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        shown = extra.get("shown_default") if isinstance(extra, dict) else None
        value = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)
        plain = f"`{value.lower() if isinstance(field.default, bool) else value}`" if value else "empty"

        assert documented[name.upper()] == (shown or plain), name


def test_the_environment_is_read_and_what_is_passed_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_INSTANCE", "web3")
    monkeypatch.setenv("INVENTORY_METRICS_ALLOW", " local , 10.0.0.0/8 ")
    monkeypatch.setenv("INVENTORY_REASON_REQUIRED", "true")
    monkeypatch.setenv("INVENTORY_LANGUAGE", "")
    monkeypatch.setenv("INVENTORY_SOMETHING_ELSE", "1")
    settings = Settings.from_environment(database_url="sqlite:///given.db")

    assert (settings.instance, settings.metrics_allow) == ("web3", ("local", "10.0.0.0/8"))
    assert (settings.reason_required, settings.language) == (True, "es")
    assert settings.database_url.get_secret_value() == "sqlite:///given.db"


def test_a_program_that_makes_settings_is_not_disturbed_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_INSTANCE", "web3")
    monkeypatch.setenv("INVENTORY_PROXIES", "nonsense")

    assert Settings(instance="mine").proxies == 0


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "REPLICA_URLS"):
        file = tmp_path / name
        file.write_text(f"{name.lower()}-value\n")
        monkeypatch.setenv(f"INVENTORY_{name}_FILE", str(file))
    settings = Settings.from_environment()

    assert settings.secret_key.get_secret_value() == "secret_key-value"
    assert settings.database_url.get_secret_value() == "database_url-value"
    assert settings.replica_urls == ("replica_urls-value",)

    monkeypatch.setenv("INVENTORY_SECRET_KEY", "from the variable")

    assert Settings.from_environment().secret_key.get_secret_value() == "from the variable"


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INVENTORY_SECRET_KEY_FILE", str(tmp_path / "missing"))
    reported = refused(Settings.from_environment)

    assert "INVENTORY_SECRET_KEY_FILE" in reported
    assert str(tmp_path / "missing") in reported


def test_secrets_are_not_shown_where_settings_are_printed() -> None:
    settings = Settings(secret_key=SecretStr(LONG), database_url=SecretStr("mysql+pymysql://u:hidden@db/x"))

    assert LONG not in repr(settings)
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LANGUAGE", "fr", "'es'"),
        ("ENV", "staging", "'production'"),
        ("PROXIES", "many", "número entero"),
        ("PROXIES", "9", "el máximo es 5"),
        ("SESSION_HOURS", "0", "el mínimo es 1"),
        ("COOKIE_SECURE", "perhaps", "true o false"),
        ("TIMEZONE", "Marte/Olympus", "zona horaria"),
        ("METRICS_ALLOW", "10.0.0.1/8", "no es una red"),
        ("LOG_LEVEL", "loud", "'debug'"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"INVENTORY_{name}", value)
    reported = refused(Settings.from_environment)

    assert len(reported.splitlines()) == 1
    assert reported.startswith(f"INVENTORY_{name}: ")
    assert says in reported


def test_all_wrong_values_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_PROXIES", "x")
    monkeypatch.setenv("INVENTORY_ENV", "y")

    assert len(refused(Settings.from_environment).splitlines()) == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"database_url": "sqlite:///x.db"}, ["INVENTORY_SECRET_KEY es obligatoria"]),
        ({"database_url": "sqlite:///x.db", "secret_key": "dev"}, ["fácil de adivinar"]),
        ({"database_url": "sqlite:///x.db", "secret_key": "a" * 50}, ["fácil de adivinar"]),
        ({"secret_key": LONG}, ["INVENTORY_DATABASE_URL es obligatoria"]),
        (
            {"secret_key": LONG, "database_url": "sqlite:///x.db", "metrics_allow": "0.0.0.0/0"},
            ["INVENTORY_METRICS_ALLOW"],
        ),
        ({}, ["INVENTORY_SECRET_KEY", "INVENTORY_DATABASE_URL"]),
        (
            {"secret_key": f"sample-{LONG}", "database_url": "mysql+pymysql://u:sample-p%40ss@db/x"},
            ["INVENTORY_DATABASE_URL lleva un secreto de muestra", "INVENTORY_SECRET_KEY lleva un secreto de muestra"],
        ),
        (
            {"secret_key": LONG, "database_url": "mysql+pymysql://u@db/x", "database_password": "sample-app"},
            ["INVENTORY_DATABASE_PASSWORD lleva un secreto de muestra"],
        ),
        (
            {
                "secret_key": LONG,
                "database_url": "mysql+pymysql://u:p@db/x",
                "replica_urls": "mysql+pymysql://u:p@r1/x,mysql+pymysql://u:sample-app@r2/x",
                "first_password": "sample-admin",
            },
            ["INVENTORY_REPLICA_URLS", "INVENTORY_FIRST_PASSWORD"],
        ),
        ({"secret_key": LONG, "database_url": "sqlite:///x.db"}, []),
    ],
)
def test_production_refuses_unsafe_defaults_one_line_each(given: dict[str, Any], says: list[str]) -> None:
    development, production = Settings(**given), Settings(env="production", **given)
    development.require_safe()
    if not says:
        production.require_safe()
        return
    lines = refused(production.require_safe).splitlines()

    assert len(lines) == len(says)
    assert all(word in line for word, line in zip(says, lines, strict=True))


def test_an_application_is_not_even_made_from_unsafe_settings(make_app: Callable[..., Flask]) -> None:
    assert "SECRET_KEY" in refused(lambda: make_app(env="production", secret_key="weak"))


def test_in_development_a_key_is_made_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(database_url=SecretStr(f"sqlite:///{tmp_path / 'stock.db'}"))
    first, second = bootstrap.secret_key(settings), bootstrap.secret_key(settings)
    kept = tmp_path / bootstrap.SECRET_FILE

    assert first == second == kept.read_text()
    assert len(first) >= 48
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [bootstrap.SECRET_FILE]


def test_the_database_and_its_folder_are_for_their_owner_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = Settings()
    key = bootstrap.secret_key(settings)
    folder = tmp_path / "inventory"
    for loose in (folder, folder / bootstrap.SECRET_FILE):
        loose.chmod(0o777)
    (folder / bootstrap.DATABASE_FILE).touch(mode=0o666)

    with closing(bootstrap.open_server(settings)) as sessions, sessions.engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE note (text TEXT)")
        connection.commit()
        assert bootstrap.secret_key(settings) == key
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("inventory.db", "inventory.db-wal", "inventory.db-shm", "secret_key"), 0o600)


def test_a_new_database_in_a_folder_of_the_persons_own_is_for_its_owner_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    bootstrap.open_server(Settings(database_url=SecretStr(f"sqlite:///{tmp_path / 'stock.db'}"))).close()

    assert stat.S_IMODE((tmp_path / "stock.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_an_empty_or_unreadable_key_is_refused_with_its_path(tmp_path: Path) -> None:
    settings = Settings(database_url=SecretStr(f"sqlite:///{tmp_path / 'stock.db'}"))
    (tmp_path / bootstrap.SECRET_FILE).write_text("")
    with pytest.raises(StorageRefused, match=bootstrap.SECRET_FILE):
        bootstrap.secret_key(settings)
    missing = Settings(database_url=SecretStr(f"sqlite:///{tmp_path / 'no' / 'stock.db'}"))
    with pytest.raises(StorageRefused, match="No such file"):
        bootstrap.secret_key(missing)


def test_a_server_database_requires_a_secret_key() -> None:
    reported = refused(lambda: bootstrap.secret_key(Settings(database_url=SecretStr("mysql+pymysql://u@db/x"))))

    assert "INVENTORY_SECRET_KEY es obligatoria" in reported


def test_without_a_setting_the_data_is_in_the_folder_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    url = bootstrap.database_url(Settings())

    assert url.get_backend_name() == "sqlite"
    assert str(url.database) == str(tmp_path / "inventory" / "inventory.db")
    assert (tmp_path / "inventory").is_dir()


def test_a_folder_that_cannot_be_made_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))

    with pytest.raises(StorageRefused, match="inventory"):
        bootstrap.database_url(Settings())


def test_something_that_is_not_an_address_of_a_database_is_refused_without_showing_it() -> None:
    reported = refused(lambda: bootstrap.database_url(Settings(database_url=SecretStr("hidden password"))))

    assert "INVENTORY_DATABASE_URL" in reported
    assert "hidden" not in reported


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql+pymysql://app@db/x", "mysql+pymysql://app:p%40ss%2F@db/x"),
        ("mysql+pymysql://app:own@db/x", "mysql+pymysql://app:own@db/x"),
        ("sqlite:///stock.db", "sqlite:///stock.db"),
    ],
)
def test_the_password_of_the_database_completes_an_address_that_has_none(url: str, expected: str) -> None:
    made = bootstrap.database_url(Settings(database_url=SecretStr(url), database_password=SecretStr("p@ss/")))

    assert made.render_as_string(hide_password=False) == expected


def test_replicas_are_refused_as_long_as_there_is_no_replication() -> None:
    reported = refused(lambda: bootstrap.open_sessions(Settings(replica_urls=("mysql+pymysql://u@replica/x",))))

    assert "INVENTORY_REPLICA_URLS" in reported
