"""Runs the programs of the README unchanged."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.replication.embedding.shown import blocks

PATIENCE = 180.0


@dataclass(frozen=True)
class Reader:
    """Somebody who types in what the README shows.

    Args:
        folder: Where they keep the programs.
        environment: With the variables that the README uses.
    """

    folder: Path
    environment: dict[str, str]

    def type_in(self) -> None:
        """Save both programs, under the names in the README."""
        (notes,) = blocks("A plain SQLAlchemy application", "python")
        (web,) = blocks("A plain Flask application", "python")
        (self.folder / "notes.py").write_text(notes, "utf-8")
        (self.folder / "notes_web.py").write_text(web, "utf-8")

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and everything that it has started."""
        environment = {**self.environment, **variables}
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def python(self, *arguments: str) -> str:
        """Run a program that must end well and without a warning; give what it printed."""
        done = self.run(sys.executable, "-W", "error", "-X", "utf8", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def shell(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the lines of a shell; the first that fails ends it."""
        return self.run("bash", "-e", "-c", script, **variables)
