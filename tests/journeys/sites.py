"""Where the journeys are walked: one process over SQLite, or the shipped containers."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.stack.system import System, eventually
from tests.stack.visitor import Visitor


class Site(Protocol):
    """An inventory that people reach at one address."""

    def administrator(self) -> Visitor:
        """Somebody who is logged in as the first account."""
        ...

    def ask(self, statement: str) -> list[list[str]]:
        """Ask the database that takes the changes, past the application."""
        ...

    def verified(self) -> dict[str, Any]:
        """What ``inventory verify`` finds."""
        ...


@dataclass(frozen=True)
class Embedded:
    """`inventory serve` over a file, at an address that the system picked."""

    file: Path
    environment: dict[str, str]
    port: int

    def administrator(self) -> Visitor:
        return Visitor("127.0.0.1", self.port).logged_in("admin", "admin123")

    def ask(self, statement: str) -> list[list[str]]:
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as database:
            return [[str(value) for value in row] for row in database.execute(statement)]

    def verified(self) -> dict[str, Any]:
        ended = subprocess.run(
            inventory("verify", "--json"), env=self.environment, capture_output=True, text=True, check=False
        )
        return reported(ended.stdout + ended.stderr)


@dataclass(frozen=True)
class Stack:
    """The shipped containers."""

    system: System

    def administrator(self) -> Visitor:
        return self.system.administrator()

    def ask(self, statement: str) -> list[list[str]]:
        return self._ask("db", statement)

    def ask_replica(self, statement: str) -> list[list[str]]:
        """Ask the other server."""
        return self._ask("db-replica", statement)

    def _ask(self, server: str, statement: str) -> list[list[str]]:
        reported = self.system.query(server, f"USE inventory; {statement}")
        return [line.split("\t") for line in reported.splitlines()]

    def verified(self) -> dict[str, Any]:
        return reported(self.system.compose("exec", "-T", "web1", "inventory", "verify", "--json").stdout)


def reported(text: str) -> dict[str, Any]:
    """The last line of a command's output, which is JSON."""
    answer: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return answer


def inventory(*arguments: str) -> list[str]:
    """The command, as this Python has it installed."""
    return [sys.executable, "-m", "inventory_web", *arguments]


@contextmanager
def embedded(folder: Path) -> Iterator[Embedded]:
    """Serve a new inventory from a folder, by the commands of the documents, and end it."""
    file = folder / "inventory.db"
    environment = {**os.environ, "INVENTORY_DATABASE_URL": f"sqlite:///{file}"}
    subprocess.run(inventory("migrate"), env=environment, capture_output=True, check=True)
    log = folder / "serve.log"
    with log.open("w") as output:
        process = subprocess.Popen(inventory("serve", "--port", "0"), env=environment, stdout=output, stderr=output)
    try:
        eventually("it says where it listens", lambda: re.search(r"http://[\d.]+:\d+", log.read_text()))
        found = re.search(r"http://[\d.]+:(\d+)", log.read_text())
        assert found, log.read_text()
        yield Embedded(file, environment, int(found[1]))
    finally:
        process.terminate()
        assert process.wait(60) == 0, log.read_text()
