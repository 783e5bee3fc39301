"""The programs of the README run as they stand, on servers that its own commands have made."""

import re
import socket

import pytest

from tests.replication.embedding.shown import blocks
from tests.replication.embedding.shown_programs import Reader

pytestmark = pytest.mark.mysql


def free_ports(number: int) -> list[str]:
    """Unused ports of this machine."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [str(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def test_the_commands_of_provisioning_leave_nothing_to_do(provisioned: Reader) -> None:
    settings, commands = blocks("Provision the servers", "sh")
    again = provisioned.shell(settings + commands)

    assert (again.returncode, again.stderr) == (0, "")
    assert "nothing to do" in again.stdout
    assert re.search(r"db2.+replica", again.stdout)


def test_the_plain_program_prints_what_the_text_says(provisioned: Reader) -> None:
    provisioned.python("-c", "import notes; notes.create_tables()")
    provisioned.python("-c", CLEARED)

    assert re.fullmatch(r"\['first'\]\n\['first'\] from a (replica|source)\n", provisioned.python("notes.py"))


def test_a_note_that_one_instance_has_stored_is_shown_by_the_other(provisioned: Reader) -> None:
    (script,) = blocks("A plain Flask application", "sh")
    one, other = free_ports(2)
    provisioned.python("-c", "import notes; notes.create_tables()")
    done = provisioned.shell(script, ONE=one, OTHER=other)

    assert done.returncode == 0, done.stderr
    number, *shown = [line for line in done.stdout.splitlines() if not line.startswith(" *")]
    assert number.isdecimal()
    assert shown[-1] == "milk"


def test_every_view_of_the_flask_program_answers(provisioned: Reader) -> None:
    provisioned.python("-c", "import notes; notes.create_tables()")
    said = provisioned.python("-c", VIEWS)

    assert re.fullmatch(r"200 tea\n200 tea\n200 tea\n200 inventory_replication_\w+.*\n", said)


CLEARED = """
from sqlalchemy import delete
from notes import Note, ReplicatedCluster, config
with ReplicatedCluster(config) as cluster:
    cluster.write(lambda session: session.execute(delete(Note)))
"""

VIEWS = """
from notes_web import app, cluster
browser = app.test_client()
browser.post("/", data={"text": "tea"})
for path in ("/", "/newest", "/board", "/metrics"):
    answer = browser.get(path)
    print(answer.status_code, answer.text.splitlines()[-1])
cluster.close()
"""
