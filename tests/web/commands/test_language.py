"""The command line in both languages: its help, its refusals, its answers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.commands.conftest import Ended
from tests.web.languages.catalogue import spanish_only

Run = Callable[..., Ended]
COMMANDS = [[], ["demo"], ["serve"], ["migrate"], ["import"], ["export"], ["verify"], ["user"], ["user", "add"],
            ["user", "list"], ["user", "password"], ["user", "disable"], ["user", "enable"]]  # fmt: skip
WRONG = [["nothing"], ["serve", "--port", "x"], ["serve", "--port", "70000"], ["serve", "--port"], ["import"],
         ["import", "missing.csv"], ["user", "add", "eva"], ["user", "add", "eva", "--role", "chief"], ["export", "list.pdf"],
         ["migrate", "--chek"], ["migrate", "--check=1"], ["export", "x.csv", "--status", "lost"], ["verify", "more"]]  # fmt: skip
OF_CLICK = re.compile(
    r"Usage|Options|Commands|Show |Missing|Invalid|No such|not one of|unexpected|requires|required|RANGE"
)


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_LANGUAGE", "en")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_is_in_spanish_without_a_word_of_the_library(run: Run, command: list[str]) -> None:
    ended = run(*command, "--help")

    assert ended.code == 0
    assert "Uso: " in ended.out
    assert OF_CLICK.findall(ended.out) == []


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_is_in_english_without_a_spanish_word(run: Run, command: list[str]) -> None:
    told = " ".join(run(*command, "--help").out.split())

    assert told.startswith("Usage: ")
    assert [text for text in spanish_only() if text.count(" ") > 1 and text in told] == []
    assert re.findall("[áéíóúñ«»]", told) == []


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_is_told_in_spanish(run: Run, here: Path, arguments: list[str]) -> None:
    ended = run(*arguments)

    assert here.exists()
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert OF_CLICK.findall(ended.err) == []


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_is_told_in_english(run: Run, here: Path, arguments: list[str]) -> None:
    ended = run(*arguments)

    assert here.exists()
    assert ended.code == 2
    assert re.findall("[áéíóúñ«»]", ended.err) == []


@pytest.mark.usefixtures("english")
def test_answers_and_refusals_are_in_english_and_count_right(run: Run, here: Path, tmp_path: Path) -> None:
    one, wrong = tmp_path / "one.csv", tmp_path / "wrong.csv"
    one.write_text("code,name,quantity\nL-1,Lamp,1\n", "utf-8")
    wrong.write_text("code,name,quantity\nL-1,Lamp,-1\n", "utf-8")

    assert here.exists()
    assert run("import", one).out == (
        "1 row: 1 new product, 0 updated, 0 restored, 0 retired, 0 unchanged, 1 quantity changed.\n"
    )
    assert run("export", tmp_path / "out.csv").out == f"1 product exported to {tmp_path / 'out.csv'}.\n"
    assert (tmp_path / "out.csv").read_text("utf-8-sig").startswith("Code,Name,")
    assert "0 new products, 0 updated" in run("import", tmp_path / "out.csv").out
    assert "There is 1 fault in the file" in run("import", wrong).err
    assert run("verify").out == "Checked 1 product and 1 movement: 0 faults.\n"
    assert "There is no user named “nobody”." in run("user", "disable", "nobody").err


def test_settings_that_cannot_be_are_refused_in_the_language_that_they_ask_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVENTORY_TIMEZONE", "Mars/Base")
    monkeypatch.setenv("INVENTORY_LANGUAGE", "en")
    english = run("verify").err
    monkeypatch.setenv("INVENTORY_LANGUAGE", "fr")
    spanish = run("verify").err

    assert "WEB-001: INVENTORY_TIMEZONE: invalid value ('Mars/Base'): there is no such time zone" in english
    assert "INVENTORY_LANGUAGE: valor no válido" in spanish
