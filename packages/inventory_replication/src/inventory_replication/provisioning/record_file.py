"""The file in which the command remembers the source: it knows of a change even while the servers that made it are away."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from inventory_replication.decisions.source_record import SourceRecord
from inventory_replication.errors import ConfigurationError


class RecordFile:
    """One JSON object; a newer epoch is never replaced by an older one. Write it while the servers are locked.

    Args:
        path: Where it is; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> SourceRecord | None:
        """Return what is remembered; ``None``: nothing yet.

        Raises:
            ConfigurationError: It cannot be read.
        """
        try:
            content = json.loads(self._path.read_text("utf-8"))
            return SourceRecord(int(content["epoch"]), str(content["server_uuid"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as fault:
            cure = "remove it if no server was made the source without it, and run `inventory-replication provision`"
            raise ConfigurationError(f"record_file is {self._path}, which cannot be read ({fault}): {cure}.") from fault

    def write(self, record: SourceRecord) -> None:
        """Remember a record unless a newer one is there; it is on disk when this returns.

        Raises:
            ConfigurationError: It cannot be read or written.
        """
        known = self.read()
        if known and known.epoch >= record.epoch:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump(asdict(record), file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as fault:
            raise ConfigurationError(f"record_file is {self._path}, which cannot be written: {fault}.") from fault
