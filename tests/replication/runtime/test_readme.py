"""The quick start of the README runs as it stands, on other servers."""

import re
from pathlib import Path

import pytest

from tests.replication.mysql.servers import APP, CHANNEL_TABLES, DATABASE, ReplicaSet

pytestmark = pytest.mark.mysql
README = Path(__file__).parents[3] / "packages" / "inventory_replication" / "README.md"


def test_the_quick_start_runs_and_prints_what_it_says(servers: ReplicaSet, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for number, server in enumerate(servers.servers, 1):
        program = program.replace(f'"db{number}.example"', f'"127.0.0.1", {server.port}')
    program = program.replace('"a password"', repr(APP.password)).replace('database="notes"', f"database={DATABASE!r}")
    # The monitor's tables may be read by an account of its own here; the quick start has one account for both.
    for table in CHANNEL_TABLES:
        servers.source.query(f"GRANT SELECT ON performance_schema.{table} TO app")
    try:
        exec(compile(program, str(README), "exec"), {"__name__": "quick_start"})  # noqa: S102
    finally:
        servers.source.query(f"DROP TABLE IF EXISTS {DATABASE}.note")

    assert capsys.readouterr().out == "['first']\n"
