"""Lets an application believe that its source is away: what the servers would tell, without the servers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inventory_core.database.sessions import SingleDatabase
from inventory_core.errors import DatabaseBusy
from inventory_replication.status import ClusterStatus, ServerStatus
from inventory_web.blueprints.ops import health
from inventory_web.http import template_context

AWAY = ClusterStatus(
    "read_only",
    1,
    None,
    "",
    (
        ServerStatus("db", "db:3306", "none", "unreachable", None, 0, "open", ""),
        ServerStatus("db-replica", "db-replica:3306", "replica", "replica", 1.2, 0, "closed", ""),
    ),
)


@contextmanager
def source_is_away() -> Iterator[None]:
    """Pages and `/health` tell that nothing can be saved, and nothing is."""

    def refuse(*_: object) -> None:
        raise DatabaseBusy(1)

    with pytest.MonkeyPatch.context() as patch:
        for module in (template_context, health):
            patch.setattr(module, "replicated_status", lambda _: AWAY)
        patch.setattr(SingleDatabase, "write", refuse)
        yield
