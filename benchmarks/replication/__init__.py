"""Replication on real MySQL servers, compared with plain SQLAlchemy on the same servers in the same run."""

import os
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks.measuring import Comparison, Table
from benchmarks.replication import overhead, serving
from benchmarks.replication.servers import replicated_servers


def measure() -> Iterator[Table | Comparison]:
    """Start the servers, yield every table, and remove the servers; takes three minutes on two idle cores."""
    with replicated_servers() as stand:
        yield overhead.tokens(stand)
        yield overhead.decisions(stand)
        yield from overhead.sessions(stand)
        yield serving.causal_reads(stand)
        yield serving.mix(stand)
        yield serving.absence(stand)


def versions() -> dict[str, str]:
    """Return the versions that affect the figures, apart from the machine and Python."""
    image = os.environ.get("INVENTORY_TEST_MYSQL_IMAGE", "mysql:9.7")
    return {
        "SQLAlchemy": version("sqlalchemy"),
        "PyMySQL": version("pymysql"),
        "Servers": f"three of {image} in Docker",
    }
