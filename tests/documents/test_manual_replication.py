"""The guide to replication by hand says the same in both languages, with what the containers are really made of.

That its statements do what it says is tested on real servers, in `tests/replication/provisioning/test_by_hand.py`.
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
def test_both_languages_hold_the_same(pattern: str) -> None:
    english, spanish = (re.findall(pattern, text, re.DOTALL | re.MULTILINE) for text in (ENGLISH, SPANISH))

    assert sorted(english) == sorted(spanish) != []


def test_the_servers_are_called_as_phpmyadmin_calls_them() -> None:
    assert "PMA_HOSTS: db,db-replica" in COMPOSE
    assert "PMA_VERBOSES: Source,Replica" in COMPOSE
    assert "SOURCE_HOST = 'db'," in ENGLISH


def test_the_password_is_the_sample_of_the_containers() -> None:
    sample = (ROOT / "deploy" / "secrets.sample" / "replication_password").read_text("ascii").strip()

    assert re.findall(r"(?:BY|SOURCE_PASSWORD =) '([^']+)'", ENGLISH) == [sample, sample]
