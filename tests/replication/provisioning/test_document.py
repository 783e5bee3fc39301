"""The document of the command says what the command does."""

import re
import shlex
from pathlib import Path

import pytest

from inventory_replication.provisioning.admin_queries import ADMIN_PRIVILEGES
from inventory_replication.provisioning.cli import build_parser
from inventory_replication.provisioning.plan.desired_state import Role, rights_of
from inventory_replication.provisioning.plan.findings import CHECKS
from inventory_replication.provisioning.plan.steps import format_rights
from inventory_replication.provisioning.settings import SETTINGS, read_settings

TEXT = (Path(__file__).parents[3] / "docs" / "replication-command.md").read_text("utf-8")
OPERANDS = {
    "switchover": ["two"],
    "failover": ["two", "--lost", "one"],
    "certificates": ["--authority", "a", "--into", "b"],
}
COMMON = {"help", "config", "json", "server", "peer_address"} | SETTINGS.keys()


def rows(heading: str) -> list[tuple[str, ...]]:
    """Cells of the rows of the first table after a line."""
    table = TEXT.partition(heading)[2].lstrip("\n").partition("\n\n")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


def test_every_check_is_documented_with_its_meaning() -> None:
    assert rows("## Checks") == [(f"`{code}`", meaning) for code, meaning in CHECKS.items()]


def test_every_setting_is_documented_with_its_default() -> None:
    table = TEXT[TEXT.index("| setting | default |") :].partition("\n\n")[0].splitlines()[2:]
    documented = {
        cells[0]: (cells[1], cells[2]) for cells in ([c.strip() for c in line.split("|")[1:-1]] for line in table)
    }

    assert documented == {
        f"`{name}`": (f"`{default}`" if default else "", meaning) for name, (default, meaning) in SETTINGS.items()
    }


def test_the_rights_of_each_role_are_documented() -> None:
    table = TEXT[TEXT.index("| role | may |") :].partition("\n\n")[0].splitlines()[2:]

    assert table == [f"| `{role}` | {format_rights(rights_of(role, 'inventory'))} |" for role in Role]


def test_what_the_administrator_needs_is_documented() -> None:
    assert ", ".join(f"`{privilege}`" for privilege in ADMIN_PRIVILEGES) in TEXT


@pytest.mark.parametrize(
    "command", ["status", "verify", "provision", "certificates", "guard", "switchover", "failover"]
)
def test_the_options_of_each_subcommand_are_documented(command: str) -> None:
    usage = {name: row for name, *row in rows("## Subcommands")}
    row = next(row for name, row in usage.items() if name.startswith(f"`{command}"))
    arguments = [command, *OPERANDS.get(command, [])]
    own = {f"--{name.replace('_', '-')}" for name in vars(build_parser().parse_args(arguments)) if name not in COMMON}

    assert set(re.findall(r"--[a-z-]+", row[-1])) == own - {"--command", "--target"}


def test_the_common_options_are_documented() -> None:
    given = vars(build_parser().parse_args(["verify"]))
    sentence = TEXT.partition("All take ")[2].partition("\n\n")[0]

    assert set(re.findall(r"`--([a-z-]+)`", sentence)) == {name.replace("_", "-") for name in given} - {
        "command",
        "skip-rows",
    }


def test_the_example_is_understood(tmp_path: Path) -> None:
    script = re.findall(r"^```sh\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)[0]
    environment: dict[str, str] = {}
    for line in script.splitlines():
        words = shlex.split(line)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            file = tmp_path / Path(value).name
            file.write_text("a-password", "utf-8")
            environment[name] = str(file) if name.endswith("_FILE") else value
        else:
            assert words[0] == "inventory-replication"
            build_parser().parse_args(words[1:])
    desired = read_settings({}, environment, None).desired_state()

    assert [server.name for server in desired.servers] == ["db", "db-replica"]
    assert [account.role for account in desired.accounts] == [Role.APP, Role.MONITOR, Role.REPLICATION]
