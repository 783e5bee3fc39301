"""The command line: in this process where nothing but the answer counts, in one of its own where signals and limits do."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from inventory_web import cli


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """A command sets up the logging of its process; this one goes on."""
    root = logging.getLogger()
    handlers, level, config = list(root.handlers), root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run a command in this process."""

    def command(*arguments: str | Path | int) -> Ended:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)

    return command


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, file: Path) -> Path:
    """The migrated database of the test, named in the environment."""
    monkeypatch.setenv("INVENTORY_DATABASE_URL", f"sqlite:///{file}")
    return file


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command as a process of its own, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def command(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        given = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "stdin": subprocess.DEVNULL,
            "text": True,
            **options,
        }
        program = [sys.executable, "-m", "inventory_web", *map(str, arguments)]
        process = subprocess.Popen(program, env=dict(os.environ), **given)
        started.append(process)
        return process

    yield command
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
