"""The commands of the tutorial print what it shows."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text("utf-8")
FILES = re.findall(r"Save this as `([\w.]+)`[^`]*```csv\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
STEPS = re.findall(r"^```sh\n(.*?)^```$.*?^```text\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


def test_tutorial_commands_print_the_documented_output(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INVENTORY_")}
    environment |= {"PYTHONUTF8": "1", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    for name, content in FILES:
        (tmp_path / name).write_text(content, "utf-8")
    printed = ["".join(_typed(line, tmp_path, environment) for line in lines.splitlines()) for lines, _ in STEPS]

    assert printed == [shown for _, shown in STEPS]
    assert (tmp_path / "low.csv").read_text("utf-8-sig").splitlines()[1].startswith("T-2,Taza roja,")


def test_tutorial_blocks_are_all_tested() -> None:
    assert len(FILES) == TEXT.count("```csv\n") == 2
    assert len(STEPS) == TEXT.count("```sh\n") == TEXT.count("```text\n") == 5


def _typed(line: str, folder: Path, environment: dict[str, str]) -> str:
    """Return the output of a line, including errors; ``export`` changes the environment of later lines."""
    program, *arguments = shlex.split(line)
    if program == "export":
        environment.update(dict(argument.split("=", 1) for argument in arguments))
        return ""
    assert program == "inventory"
    command = [sys.executable, "-m", "inventory_web", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert "Traceback" not in done.stdout
    return done.stdout
