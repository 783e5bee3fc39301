"""The public CI workflow and the issue templates."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
FORMS = [path for path in TEMPLATES if path.name != "config.yml"]


def load(path: Path) -> dict[Any, Any]:
    content = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def readme_check_command() -> str:
    """Return the second command of the quick start."""
    section = (ROOT / "README.md").read_text("utf-8").partition("## Quick start\n")[2].partition("\n## ")[0]
    _, check = re.findall(r"^```sh\n(.*?)\n```$", section, flags=re.DOTALL | re.MULTILINE)
    return str(check)


def test_ci_workflow_runs_the_check_command_of_the_readme() -> None:
    (job,) = load(WORKFLOW)["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]

    assert commands[-1] == readme_check_command()
    assert all("nox" not in command and "pytest" not in command for command in commands[:-1])


def test_ci_workflow_covers_supported_pythons_and_requires_every_capability() -> None:
    (job,) = load(WORKFLOW)["jobs"].values()
    lowest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "packages/inventory_web/pyproject.toml").read_text())

    assert lowest
    assert job["strategy"]["matrix"]["python"][0] == lowest[1]
    assert set(job["env"]["INVENTORY_TEST_REQUIRE"].split(",")) == {"docker", "browser"}


def test_ci_workflow_can_only_read_the_repository() -> None:
    assert load(WORKFLOW)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_issue_form_has_a_name_and_unique_labelled_fields(form: Path) -> None:
    content = load(form)
    fields = [field for field in content["body"] if field["type"] != "markdown"]

    assert content["name"]
    assert content["description"]
    assert len({field["id"] for field in fields}) == len(fields) >= 3
    assert all(field["attributes"]["label"] for field in fields)


def test_issue_templates_cover_bugs_and_features() -> None:
    assert {"bug.yml", "feature.yml"} <= {path.name for path in FORMS}
