"""docs/operating-containers.md is the same in both languages and matches the compose files."""

import re
from pathlib import Path

import pytest

import inventory_web.db.models  # noqa: F401 - every table of the web is in its metadata
from inventory_core.models import metadata as core_tables
from inventory_web import Settings
from inventory_web.db.models import metadata as web_tables

ROOT = Path(__file__).parents[2]
ENGLISH, SPANISH = ((ROOT / "docs" / f"operating-containers{suffix}.md").read_text("utf-8") for suffix in ("", ".es"))
COMPOSE_FILES = [ROOT / "docker-compose.yml", *sorted(ROOT.glob("deploy/compose.*.yml"))]
FOR_TESTS = {"INVENTORY_IMAGE"}


def test_container_guide_has_the_same_code_in_both_languages() -> None:
    for pattern in (r"^```.*?^```$", r"^#+ "):
        english, spanish = (re.findall(pattern, text, re.DOTALL | re.MULTILINE) for text in (ENGLISH, SPANISH))

        assert english == spanish != []


def test_container_guide_quotes_the_same_terms_in_both_languages() -> None:
    assert _quoted(ENGLISH) == _quoted(SPANISH)


def test_compose_variables_are_all_documented() -> None:
    used = {name for file in COMPOSE_FILES for name in re.findall(r"\$\{(\w+)", file.read_text("utf-8"))}
    named = {word.rstrip("=") for word in _quoted(ENGLISH) if re.fullmatch(r"[A-Z][A-Z0-9_]+=?", word)}

    assert named == used - FOR_TESTS


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=lambda file: file.name)
def test_compose_settings_exist(file: Path) -> None:
    known = {f"INVENTORY_{name.upper()}" for name in Settings.model_fields}
    given = re.findall(r"^ +(INVENTORY_(?!REPLICATION)\w+):", file.read_text("utf-8"), re.MULTILINE)

    assert {name.removesuffix("_FILE") for name in given} <= known


def test_updatable_tables_are_all_except_insert_only_ones() -> None:
    (listed,) = re.findall(r"UPDATABLE_TABLES: >-\n((?: {4}.*\n)+)", COMPOSE_FILES[0].read_text("utf-8"))
    tables = {*core_tables.tables, *web_tables.tables}

    assert set(re.findall(r"\w+", listed)) == tables - {
        "inventory_movement",
        "inventory_operation",
        "inventory_operation_result",
        "inventory_product_revision",
        "inventory_web_audit_event",
    }


def test_container_guide_files_exist() -> None:
    named = {word for word in _quoted(ENGLISH) if re.match(r"deploy/(?!secrets/)[\w./]+$", word)}

    assert [name for name in named if not (ROOT / name).exists()] == []
    assert len(named) >= 2


def test_mysql_accounts_have_sample_passwords() -> None:
    accounts = re.findall(r"^\| `(\w+)` \| (?:on|both|source)", ENGLISH, re.MULTILINE)

    assert accounts == ["app", "migrator", "monitor", "replication", "root"]
    assert all((ROOT / "deploy" / "secrets.sample" / f"{name}_password").is_file() for name in accounts)


def _quoted(text: str) -> set[str]:
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return {re.sub(r"\s+", " ", word) for word in re.findall(r"`([^`]+)`", prose)}
