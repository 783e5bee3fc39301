"""docs/manual-replication.md is the same in both languages and matches the containers.

Its statements are tested on real servers in `tests/replication/provisioning/test_by_hand.py`.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, SPANISH = ((ROOT / "docs" / f"manual-replication{suffix}.md").read_text("utf-8") for suffix in ("", ".es"))
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")


@pytest.mark.parametrize(
    "pattern",
    [r"^```.*?^```$", r"^#+ ", r"`[^`\n]+`", r"\*\*(?:Source|Replica)\*\*", r"^\| "],
    ids=["code", "headings", "quoted", "servers", "rows"],
)
def test_manual_replication_has_the_same_code_in_both_languages(pattern: str) -> None:
    english, spanish = (re.findall(pattern, text, re.DOTALL | re.MULTILINE) for text in (ENGLISH, SPANISH))

    assert sorted(english) == sorted(spanish) != []


def test_manual_replication_uses_the_server_names_of_phpmyadmin() -> None:
    assert "PMA_HOSTS: db,db-replica" in COMPOSE
    assert "PMA_VERBOSES: Source,Replica" in COMPOSE
    assert "SOURCE_HOST = 'db'," in ENGLISH


def test_manual_replication_uses_the_sample_password() -> None:
    sample = (ROOT / "deploy" / "secrets.sample" / "replication_password").read_text("ascii").strip()

    assert re.findall(r"(?:BY|SOURCE_PASSWORD =) '([^']+)'", ENGLISH) == [sample, sample]
