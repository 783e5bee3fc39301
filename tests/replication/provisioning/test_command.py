"""The command as it is typed: exit codes, one line per error, no password among its arguments, no traceback."""

import json
import os
import subprocess
import sys

import pytest

from inventory_replication import cli
from inventory_replication.provisioning.settings import PREFIX, SECRETS

COMMAND = [sys.executable, "-c", "from inventory_replication.cli import main; main()"]
NOBODY = {f"{PREFIX}SERVERS": "one=127.0.0.1:1,two=127.0.0.1:2", f"{PREFIX}WAIT": "0"}
PASSWORDS = {f"{PREFIX}{name}_PASSWORD": "secret-word" for name in ("ADMIN", "REPLICATION")}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, in which nothing listens where it is sent."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **NOBODY, **PASSWORDS, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [("provision",), ("verify",), ("switchover", "two")])
def test_servers_that_do_not_answer_give_one_line_each_and_the_code_1(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    lines = done.stderr.splitlines()

    assert done.returncode == 1
    assert len(lines) == 2 or arguments == ("verify",)
    for name, line in zip(("one", "two"), lines or done.stdout.splitlines(), strict=True):
        assert f"{name} (127.0.0.1:" in line
        assert line.endswith("[no_answer]")
    assert "secret-word" not in done.stdout + done.stderr


def test_status_tells_that_nobody_answers() -> None:
    done = run("status", "--json")

    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert (answer["ok"], answer["mode"], answer["source"]) == (False, "down", None)
    assert [server["state"] for server in answer["servers"]] == ["unreachable", "unreachable"]


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((), {}),
        (("destroy",), {}),
        (("switchover",), {}),
        (("switchover", "nobody"), {}),
        (("provision", "--rebuild", "nobody"), {}),
        (("provision", "--wait", "soon"), {}),
        (("status", "--watch", "soon"), {}),
        (("verify", "--server", "nonsense"), {}),
        (("verify", "--config", "/nowhere.toml"), {}),
        (("verify",), {f"{PREFIX}CONFIG": "/nowhere.toml"}),
        (("verify",), {f"{PREFIX}ADMIN_PASSWORD": ""}),
        (("status",), {f"{PREFIX}SERVERS": ""}),
        (("provision",), {f"{PREFIX}APP_PASSWORD_FILE": "/nowhere"}),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    done = run(*arguments, **environment)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "inventory-replication" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_stands_in_the_json_too() -> None:
    done = run("provision", "--json")
    answer = json.loads(done.stdout)

    assert (answer["ok"], answer["code"]) == (False, "REP-009")
    assert {finding["server"] for finding in answer["findings"]} == {"one", "two"}
    assert all(finding["cure"] for finding in answer["findings"])


def test_no_password_can_be_given_where_other_users_of_the_machine_could_see_it() -> None:
    for command in ("status", "verify", "provision", "switchover"):
        done = run(command, "--help")

        assert done.returncode == 0
        assert "password" not in done.stdout
    assert SECRETS


def test_the_version_is_told() -> None:
    assert run("--version").stdout.strip() == "0.1.0"


def test_every_subcommand_is_carried_out_by_its_own_function() -> None:
    parser = cli.build_parser()

    assert parser.parse_args(["switchover", "two", "--timeout", "3"]).timeout == 3.0
    assert parser.parse_args(["provision", "--rebuild", "a", "--rebuild", "b"]).rebuild == ["a", "b"]
