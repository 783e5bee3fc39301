"""Servers that share what must be unique."""

from collections import defaultdict
from collections.abc import Mapping

from inventory_replication.decisions.facts import ServerFacts

_UUID_CURE = "the same server is listed twice, or a data folder was copied with its auto.cnf; remove auto.cnf and restart the copy."
_ID_CURE = "give each server its own server_id."


def shared_identities(facts: Mapping[str, ServerFacts]) -> dict[str, str]:
    """Servers that must be refused because another one has their ``server_uuid`` or ``server_id``, with the reason.

    Where exactly one of them is writable it is not refused: it is told from the others by that, and a wrong new replica
    must not stop the writes.
    """
    refused: dict[str, str] = {}
    for what, cure in (("server_uuid", _UUID_CURE), ("server_id", _ID_CURE)):
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for name, fact in facts.items():
            groups[fact.server_uuid if what == "server_uuid" else str(fact.server_id)].append(name)
        for value, names in groups.items():
            if len(names) == 1:
                continue
            writable = [name for name in names if facts[name].writable]
            spared = writable[0] if len(writable) == 1 else None
            reason = f"{' and '.join(names)} have one {what} ({value}): {cure}"
            refused = {name: reason for name in names if name != spared} | refused
    return refused
