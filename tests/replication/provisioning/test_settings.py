"""Settings come from options, environment and a file, in this order; passwords never from an option, and are never shown."""

from pathlib import Path

import pytest

from inventory_replication.config import Credentials, Server
from inventory_replication.errors import ConfigurationError
from inventory_replication.provisioning.plan.desired_state import Role
from inventory_replication.provisioning.settings import PREFIX, SECRETS, SETTINGS, Settings, read_settings

SERVERS = {f"{PREFIX}SERVERS": "db=db:3306,db-replica=db-replica"}
PASSWORDS = {f"{PREFIX}{role.upper()}_PASSWORD": f"{role}-secret" for role in ("admin", "app", "replication")}


def read(environment: dict[str, str] | None = None, file: Path | None = None, **options: str) -> Settings:
    return read_settings(options, {**SERVERS, **PASSWORDS, **(environment or {})}, file)


def refusal(environment: dict[str, str] | None = None, file: Path | None = None, **options: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read(environment, file, **options).desired_state()
    assert "secret" not in str(refused.value)
    return str(refused.value)


def test_servers_are_read_in_order_with_the_usual_port() -> None:
    assert read().servers == (Server("db", "db", 3306), Server("db-replica", "db-replica", 3306))


def test_an_address_of_version_six_is_in_brackets() -> None:
    assert read(servers="a=[::1]:3307,b=[fe80::1]").servers == (Server("a", "::1", 3307), Server("b", "fe80::1"))


def test_options_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "replication.toml"
    file.write_text('database = "from_file"\nwait = 5\nsource = "db"\n', "utf-8")
    settings = read({f"{PREFIX}DATABASE": "from_environment", f"{PREFIX}WAIT": "6"}, file, database="from_option")

    assert (settings.values["database"], settings.wait, settings.values["source"]) == ("from_option", 6.0, "db")


def test_a_file_may_hold_servers_as_a_table_and_paths_of_passwords(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("from-a-file\n", "utf-8")
    file = tmp_path / "replication.toml"
    file.write_text('app_password_file = "app"\n[servers]\na = "a:1"\nb = "b:2"\n', "utf-8")
    settings = read_settings({}, {}, file)

    assert settings.servers == (Server("a", "a", 1), Server("b", "b", 2))
    assert settings.account("app") == Credentials("app", "from-a-file")


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_a_password_is_taken_from_the_file_that_is_named(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("in a file\n", "utf-8")
    settings = read_settings({}, {f"{PREFIX}{secret.upper()}_FILE": str(file)}, None)

    assert settings.values[secret] == "in a file"


def test_a_password_in_the_file_of_settings_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "replication.toml"
    file.write_text('app_password = "secret"\n', "utf-8")

    assert "app_password_file" in refusal(file=file)


def test_a_password_that_is_repeated_is_refused(tmp_path: Path) -> None:
    name = f"{PREFIX}APP_PASSWORD"

    assert "both set" in refusal({f"{name}_FILE": str(tmp_path / "x")})


@pytest.mark.parametrize("content", [None, ""])
def test_a_password_file_that_is_missing_or_empty_is_refused(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content, "utf-8")
    variable = f"{PREFIX}MONITOR_PASSWORD_FILE"

    assert variable in refusal({variable: str(file)})


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("servers", "db", "name=host:port"),
        ("servers", "db=db:99999", "name=host:port"),
        ("servers", "db=db,db=other", "twice"),
        ("servers", "a=db:1,b=db:1", "twice"),
        ("servers", "-=db", "Server.name"),
        ("servers", "", "There is no server"),
        ("peer_addresses", "nobody=x:1", "nobody"),
        ("source", "nobody", "db-replica"),
        ("database", "in ventory", "database"),
        ("tls", "maybe", "required or off"),
        ("verify_host", "yes", "ca_file"),
        ("source_verify_host", "yes", "source_ca"),
        ("source_verify_host", "maybe", "yes or no"),
        ("ca_file", "/nowhere/ca.pem", "cannot be read"),
        ("wait", "soon", "seconds"),
        ("wait", "-1", "seconds"),
        ("wait", "nan", "seconds"),
        ("app_user", "root", "administers"),
        ("app_user", "replication", "separate account"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_setting(name: str, value: str, word: str) -> None:
    assert word in refusal({PREFIX + name.upper(): value} if value else {f"{PREFIX}SERVERS": ""})


@pytest.mark.parametrize("role", ["admin", "replication"])
def test_what_cannot_be_done_without_a_password_says_which_setting_is_missing(role: str) -> None:
    variable = f"{PREFIX}{role.upper()}_PASSWORD"
    environment = {name: value for name, value in {**SERVERS, **PASSWORDS}.items() if name != variable}

    with pytest.raises(ConfigurationError, match=f"{variable}_FILE"):
        read_settings({}, environment, None).desired_state()


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "replication.toml"
    file.write_text("databse = 'x'\n", "utf-8")

    assert "databse" in refusal(file=file)


@pytest.mark.parametrize("content", ["database = ", "\x00"])
def test_a_file_that_is_not_toml_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "replication.toml"
    file.write_text(content, "utf-8")

    assert str(file) in refusal(file=file)


def test_only_accounts_with_a_password_are_looked_after() -> None:
    assert [account.role for account in read().desired_state().accounts] == [Role.APP, Role.REPLICATION]


def test_every_role_has_a_user_and_a_password_among_the_settings() -> None:
    assert {f"{role}_{part}" for role in Role for part in ("user", "password")} <= SETTINGS.keys()
