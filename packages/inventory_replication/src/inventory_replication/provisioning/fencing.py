"""Which server may be opened for writes after its restart, and why not. Pure: same facts, same decision."""

from collections.abc import Mapping
from typing import NamedTuple

from inventory_replication.decisions.facts import ServerFacts
from inventory_replication.decisions.source_record import SourceRecord, latest_record


class Opening(NamedTuple):
    """The decision.

    Args:
        server: Name of the server to open; ``None``: none.
        reason: Why, for people.
        well: A server takes writes, and it is the one on record.
    """

    server: str | None
    reason: str
    well: bool = False


def find_server_to_open(answers: Mapping[str, ServerFacts | None], remembered: SourceRecord | None) -> Opening:
    """Find the recorded source if it refuses writes and no other server can have become the source since.

    That is certain if this command remembers the same record, because it remembers each change before a server is opened; or if all
    servers answer and none has a newer record.

    Args:
        answers: Of every server by name; ``None``: it does not answer.
        remembered: The newest change that this command knows of; ``None``: it remembers nothing.
    """
    facts = {name: fact for name, fact in answers.items() if fact is not None}
    newest = latest_record([remembered, *(fact.record for fact in facts.values())])
    if newest is None:
        return Opening(None, "No source is on record: run `inventory-replication provision`.")
    name = next((name for name, fact in facts.items() if fact.server_uuid == newest.server_uuid), None)
    writable = [
        each for each, fact in facts.items() if fact.writable and not newest.supersedes(fact.server_uuid, fact.record)
    ]
    if writable:
        well = writable == [name]
        beside = "" if well else f" {name or newest.server_uuid} is on record: run `inventory-replication provision`."
        return Opening(None, f"{' and '.join(writable)} takes writes.{beside}", well)
    if name is None:
        why = f"The source on record (epoch {newest.epoch}, server_uuid {newest.server_uuid}) does not answer"
        return Opening(None, f"{why}; no other server is opened.")
    if facts[name].record != newest:
        what = f"{name} was to become the source (epoch {newest.epoch}) and is not yet"
        return Opening(None, f"{what}: run `inventory-replication provision`.")
    silent = [each for each in answers if each not in facts]
    if silent and remembered != newest:
        return Opening(None, f"{name} is on record as the source, but {' and '.join(silent)} may have a newer record.")
    return Opening(name, f"{name} is on record as the source (epoch {newest.epoch})")
