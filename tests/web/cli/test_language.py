"""The command line in both languages: its help, its refusals, its answers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.cli.conftest import Ended
from tests.web.i18n.catalogue import spanish_only

Run = Callable[..., Ended]
COMMANDS = [[], ["demo"], ["serve"], ["migrate"], ["import"], ["export"], ["verify"], ["user"], ["user", "add"],
            ["user", "list"], ["user", "password"], ["user", "disable"], ["user", "enable"]]  # fmt: skip
WRONG = [["nothing"], ["serve", "--port", "x"], ["serve", "--port", "70000"], ["serve", "--port"], ["import"],
         ["import", "missing.csv"], ["user", "add", "eva"], ["user", "add", "eva", "--role", "chief"], ["export", "list.pdf"],
         ["migrate", "--chek"], ["migrate", "--check=1"], ["export", "x.csv", "--status", "lost"], ["verify", "more"]]  # fmt: skip


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_LANGUAGE", "en")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_in_spanish_by_default(run: Run, command: list[str]) -> None:
    ended = run(*command, "--help")
    reported = " ".join(ended.out.split())

    assert ended.code == 0
    assert [text for text in spanish_only() if text.count(" ") > 1 and text in reported] != []


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_is_in_english_without_a_spanish_word(run: Run, command: list[str]) -> None:
    reported = " ".join(run(*command, "--help").out.split())

    assert reported.startswith("Usage: ")
    assert [text for text in spanish_only() if text.count(" ") > 1 and text in reported] == []
    assert re.findall("[áéíóúñ«»]", reported) == []


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_is_one_line_with_its_code(run: Run, here: Path, arguments: list[str]) -> None:
    ended = run(*arguments)

    assert here.exists()
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("inventory: WEB-006: ")
    assert "--help)" in ended.err


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "es_ES.UTF-8", "INVENTORY_LANGUAGE": "es"}, "Checked"),
        ({"LC_ALL": "", "LANG": "es_MX.UTF-8", "INVENTORY_LANGUAGE": "en"}, "Comprobados"),
        ({"LC_ALL": "C.UTF-8", "LANG": "POSIX", "INVENTORY_LANGUAGE": "en"}, "Checked"),
        ({"LC_ALL": "fr_FR.UTF-8"}, "Comprobados"),
    ],
)
def test_language_is_of_the_locale_and_then_of_the_setting(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], word: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert here.exists()
    assert run("verify").out.startswith(word)


def test_exported_headers_are_in_the_language_of_the_locale(
    run: Run, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    run("export", tmp_path / "out.csv")

    assert here.exists()
    assert (tmp_path / "out.csv").read_text("utf-8-sig").startswith("Code,Name,")


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
