"""The guide to replication by hand, statement by statement, on new servers."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pymysql
import pytest

from tests.replication.mysql.servers import MySQLServer, eventually
from tests.replication.provisioning.trial import DATABASE, READ_ONLY, Trial

pytestmark = pytest.mark.mysql

GUIDE = (Path(__file__).parents[3] / "docs" / "manual-replication.md").read_text("utf-8")
PASSWORD = "sample-replication-password"


class Step(NamedTuple):
    """Statements of the guide, the sentence before them, and the entries of phpMyAdmin in which to type them."""

    sentence: str
    entries: list[str]
    statements: list[str]

    @property
    def is_refused(self) -> bool:
        return str(READ_ONLY) in self.sentence


def steps() -> list[Step]:
    found = re.findall(r"^([^\n|][^\n]*(?:\n[^\n]+)*)\n\n```sql\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return [
        Step(sentence, re.findall(r"\*\*(Source|Replica)\*\*", sentence)[-2 if "then in" in sentence else -1 :], split)
        for sentence, block in found
        if (split := [statement.strip() for statement in block.split(";") if statement.strip()])
    ]


def apply_steps(server: MySQLServer, step: Step) -> list[dict[str, Any]]:
    """Type the statements; the rows of the last one."""
    connection = server.connect(cursorclass=pymysql.cursors.DictCursor)
    with connection, connection.cursor() as cursor:
        for statement in step.statements:
            cursor.execute(statement.replace("'db'", "'one'"))
        return [dict(row) for row in cursor.fetchall()]


def shows_what_the_table_says(server: MySQLServer) -> bool:
    """Whether each field of SHOW REPLICA STATUS has the value that the guide wants."""
    (status,) = apply_steps(server, Step("", [], ["SHOW REPLICA STATUS"]))
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (`\w+`|empty) \|", GUIDE, re.MULTILINE)
    desired = {field: value.strip("`") for fields, value in rows for field in re.findall(r"\w+", fields)}
    desired = {field: "" if value == "empty" else value for field, value in desired.items()} | {"Source_Host": "one"}

    assert len(desired) >= 7
    assert desired.keys() <= status.keys()
    return {field: str(status[field]) for field in desired} == desired


@pytest.fixture
def pair(trial: Trial) -> Trial:
    """New servers as those of the containers, which have no schema yet."""
    for server in (trial.one, trial.two):
        server.query(f"DROP SCHEMA {DATABASE}")
    return trial


def notes_on(replica: MySQLServer) -> tuple[int, ...]:
    """The notes of the lesson that a replica has."""
    if not replica.query("SHOW DATABASES LIKE 'lesson'"):
        return ()
    return tuple(number for (number,) in replica.query("SELECT id FROM lesson.note ORDER BY id"))


def catch_up(trial: Trial) -> None:
    """Let the replica have everything of the source, unless it does not follow at the moment."""
    if trial.two.value("SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE SERVICE_STATE = 'ON'"):
        assert trial.two.has(trial.one.executed())


def test_the_guide_leads_to_a_replica_that_follows_and_takes_no_writes(pair: Trial) -> None:
    servers = {"Source": pair.one, "Replica": pair.two}
    seen: list[tuple[int, ...]] = [()]
    for step in steps():
        for server in (servers[entry] for entry in step.entries):
            if step.is_refused:
                with pytest.raises(pymysql.err.MySQLError, match=str(READ_ONLY)):
                    apply_steps(server, step)
            elif step.statements == ["SHOW REPLICA STATUS"]:
                eventually("it follows as the guide says", lambda server=server: shows_what_the_table_says(server))  # type: ignore[misc]
            else:
                apply_steps(server, step)
        catch_up(pair)
        if notes_on(pair.two) != seen[-1]:
            seen.append(notes_on(pair.two))

    assert seen == [(), (1,), (1, 3), ()]
    assert pair.one.executed() == pair.two.executed()
    assert pair.two.value("SELECT @@super_read_only") == 1


def test_provisioning_leaves_what_was_made_by_hand_and_adds_what_is_missing(pair: Trial) -> None:
    for step in steps()[:3]:
        for entry in step.entries:
            apply_steps({"Source": pair.one, "Replica": pair.two}[entry], step)
    catch_up(pair)
    pair.changed.update(replication_password=PASSWORD, source_ca="")
    outcome = pair.provision()

    assert {kind for _, kind in outcome.steps} <= {
        "RecordSource",
        "RefuseWritesAtStart",
        "CreateSchema",
        "CreateAccount",
        "GrantRights",
        "PersistSetting",
    }
    assert pair.run("verify").codes == []
