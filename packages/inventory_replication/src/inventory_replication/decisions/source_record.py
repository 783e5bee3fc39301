"""Who is the source, as it is written down on the servers themselves: an epoch and a ``server_uuid``.

Provisioning and switchover write a row with the next epoch on a server before they open it for writes. It is replicated like
everything else, so a server that does not have the newest row has missed a change of the source.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

RECORD_SCHEMA: Final = "inventory_replication"
RECORD_TABLE: Final = "source_epoch"


@dataclass(frozen=True, slots=True, order=True)
class SourceRecord:
    """One row.

    Args:
        epoch: Number of the change; grows by one with each.
        server_uuid: Of the server that became the source.
    """

    epoch: int
    server_uuid: str

    def supersedes(self, server_uuid: str, known: "SourceRecord | None") -> bool:
        """Whether a server with this identity, which knows this record as its newest, was replaced and has not noticed."""
        return self.server_uuid != server_uuid and (known is None or known.epoch < self.epoch)


def latest_record(records: Iterable[SourceRecord | None]) -> SourceRecord | None:
    """The record with the highest epoch; ``None`` if there is none."""
    return max((record for record in records if record is not None), default=None)
