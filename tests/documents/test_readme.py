"""The README works and is the same in both languages."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text("utf-8")
SPANISH = (ROOT / "README.es.md").read_text("utf-8")


def test_readme_example_prints_its_output(tmp_path: Path) -> None:
    (program,) = _contents(ENGLISH, "python")
    (said,) = _contents(ENGLISH, "text")
    command = [sys.executable, "-W", "error", "-X", "utf8", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)

    assert (done.stderr, done.stdout) == ("", said)
    assert len([line for line in program.splitlines() if line]) <= 14


def test_readme_has_the_same_code_in_both_languages() -> None:
    assert _blocks(SPANISH) == _blocks(ENGLISH) != []
    assert len(_headings(SPANISH)) == len(_headings(ENGLISH))


def test_readme_quotes_the_same_terms_in_both_languages() -> None:
    assert _quoted(SPANISH) == _quoted(ENGLISH)


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```.*?^```$", text, flags=re.DOTALL | re.MULTILINE)


def _headings(text: str) -> list[str]:
    return re.findall(
        r"^##? .+$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), flags=re.MULTILINE
    )


def _quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def _contents(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
