"""Errors before a command starts are reported in one line, with a cure."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.cli.conftest import Ended

Run = Callable[..., Ended]


def test_a_port_that_is_taken_is_one_line(run: Run, here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run("serve", "--port", port)

    assert here.exists()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"inventory: WEB-005: No se puede escuchar en 127.0.0.1:{port}")
    assert ended.err.count("\n") == 1


def test_an_address_of_another_machine_is_one_line(run: Run, here: Path) -> None:
    ended = run("serve", "--host", "192.0.2.77", "--port", 0)

    assert here.exists()
    assert ended.code == 1
    assert ended.err.startswith("inventory: WEB-005: ")
    assert ended.err.count("\n") == 1


def test_serve_refuses_a_schema_that_is_not_current_and_names_the_cure(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    ended = run("serve", "--port", 0)

    assert ended.code == 1
    assert ended.err.startswith("inventory: INV-018: ")
    assert "inventory migrate" in ended.err


def test_a_folder_in_which_nothing_can_be_made_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/nothing")
    ended = run("migrate")

    assert ended.code == 1
    assert ended.err.startswith("inventory: INV-017: ")
    assert "/proc/nothing" in ended.err
    assert ended.err.count("\n") == 1
