"""The command as it is typed: exit codes, one line per error, no password among its arguments, no traceback."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory_replication.provisioning import cli
from inventory_replication.provisioning.settings import PREFIX
from tests.replication.provisioning.trial import Outcome

Run = Callable[..., Outcome]

NOBODY = {
    f"{PREFIX}SERVERS": "one=127.0.0.1:1,two=127.0.0.1:2",
    f"{PREFIX}WAIT": "0",
    f"{PREFIX}ADMIN_PASSWORD": "secret-word",
    f"{PREFIX}REPLICATION_PASSWORD": "secret-word",
}
"""Settings with unreachable servers."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process."""

    def run_it(*arguments: str, **environment: str) -> Outcome:
        for name, value in {**NOBODY, **environment}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as end:
            cli.main(arguments)
        assert isinstance(end.value.code, int)
        return Outcome(end.value.code, *capsys.readouterr())

    return run_it


@pytest.mark.parametrize("arguments", [("provision",), ("provision", "--dry-run"), ("switchover", "two"), ("verify",)])
def test_servers_that_do_not_answer_give_one_line_each_and_the_code_1(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)

    assert done.code == 1
    for name, line in zip(("one", "two"), (done.err or done.out).splitlines(), strict=True):
        assert f"{name} (127.0.0.1:" in line
        assert line.endswith("[no_answer]")
    assert "secret-word" not in done.out + done.err


def test_the_guard_answers_no_while_no_server_answers(run: Run) -> None:
    done = run("guard", "--once", "--json")

    assert (done.code, done.answer["ok"]) == (1, False)
    assert "No source is on record" in done.answer["reason"]
    assert "one (127.0.0.1:1)" in done.answer["reason"]
    assert "secret-word" not in done.out + done.err


@pytest.mark.slow
def test_the_guard_stays_until_it_is_stopped_and_ends_well(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("inventory-replication")
    environment = {**os.environ, **NOBODY, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [program, "guard"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as guard:
        assert guard.stdout is not None
        said = guard.stdout.readline()
        guard.send_signal(signal.SIGTERM)
        code = guard.wait(timeout=30)

    assert said.startswith("No source is on record")
    assert code == 0


def test_status_reports_that_no_server_answers(run: Run) -> None:
    done = run("status", "--json")

    assert done.code == 1
    assert (done.answer["ok"], done.answer["mode"], done.answer["source"]) == (False, "down", None)
    assert [server["state"] for server in done.answer["servers"]] == ["unreachable", "unreachable"]


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((), {}),
        (("destroy",), {}),
        (("switchover",), {}),
        (("switchover", "nobody"), {}),
        (("provision", "--rebuild", "nobody"), {}),
        (("provision", "--wait", "soon"), {}),
        (("provision", "--admin-password", "secret-word"), {}),
        (("status", "--watch", "soon"), {}),
        (("verify", "--server", "nonsense"), {}),
        (("verify", "--config", "/nowhere.toml"), {}),
        (("verify",), {f"{PREFIX}CONFIG": "/nowhere.toml"}),
        (("verify",), {f"{PREFIX}ADMIN_PASSWORD": ""}),
        (("status",), {f"{PREFIX}SERVERS": ""}),
        (("provision",), {f"{PREFIX}APP_PASSWORD_FILE": "/nowhere"}),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(
    run: Run, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = run(*arguments, **environment)

    assert done.code == 2
    assert done.out == ""
    assert "inventory-replication" in done.err
    assert "Traceback" not in done.err


def test_an_error_is_in_the_json_too(run: Run) -> None:
    done = run("provision", "--json")

    assert (done.answer["ok"], done.answer["code"]) == (False, "REP-009")
    assert {finding["server"] for finding in done.answer["findings"]} == {"one", "two"}
    assert all(finding["cure"] for finding in done.answer["findings"])


def test_options_go_before_the_environment(run: Run) -> None:
    done = run("verify", "--server", "other=127.0.0.1:3", "--json")

    assert [finding["server"] for finding in done.answer["findings"]] == ["other"]


@pytest.mark.parametrize("command", ["status", "verify", "provision", "switchover"])
def test_no_option_takes_a_password(run: Run, command: str) -> None:
    done = run(command, "--help")

    assert done.code == 0
    assert "password" not in done.out


@pytest.mark.slow
def test_the_command_is_installed_under_its_name(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("inventory-replication")
    done = subprocess.run(
        [program, "status", "--json"],
        env={**os.environ, **NOBODY},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["mode"] == "down"
