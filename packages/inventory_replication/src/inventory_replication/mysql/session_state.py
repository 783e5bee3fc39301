"""The session-state block of an OK packet: bytes in, values out.

Format: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html, "Session State Information".
"""

from typing import NamedTuple

SESSION_STATE_CHANGED = 0x4000
"""Bit of the server status that announces a session-state block."""

_SYSTEM_VARIABLE = 0
_GTIDS = 3
_GTIDS_AS_TEXT = 0

_SMALLEST_PREFIX = 0xFB
_WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}


class SessionState(NamedTuple):
    """What one OK packet reported.

    ``gtids`` holds one GTID set per reported entry, as the server wrote it; ``variables`` the tracked system variables with
    their new values, names in lower case.
    """

    gtids: tuple[str, ...]
    variables: dict[str, str]


def parse_session_state(tail: bytes) -> SessionState:
    """Parse what follows the warning count of an OK packet whose status has ``SESSION_STATE_CHANGED``.

    Entries of other kinds, including those of later servers, are skipped.

    Raises:
        ValueError: The bytes do not follow the protocol.
    """
    try:
        return _read(tail)
    except IndexError:
        raise ValueError("the session-state block ends too early") from None


def _read(tail: bytes) -> SessionState:
    _, offset = _string(tail, 0)
    block, offset = _string(tail, offset)
    if offset != len(tail):
        raise ValueError(f"{len(tail) - offset} bytes follow the session-state block")
    gtids: list[str] = []
    variables: dict[str, str] = {}
    offset = 0
    while offset < len(block):
        kind = block[offset]
        data, offset = _string(block, offset + 1)
        if kind == _GTIDS:
            gtids.append(_gtids(data))
        elif kind == _SYSTEM_VARIABLE:
            _add_variables(data, variables)
    return SessionState(tuple(gtids), variables)


def _gtids(data: bytes) -> str:
    if data[0] != _GTIDS_AS_TEXT:
        raise ValueError("GTIDs in an unknown encoding")
    text, offset = _string(data, 1)
    if offset != len(data):
        raise ValueError("bytes follow the GTIDs")
    return text.decode("ascii")


def _add_variables(data: bytes, variables: dict[str, str]) -> None:
    offset = 0
    while offset < len(data):
        name, offset = _string(data, offset)
        value, offset = _string(data, offset)
        variables[name.decode("utf-8", "replace").lower()] = value.decode("utf-8", "replace")


def _string(data: bytes, offset: int) -> tuple[bytes, int]:
    """Return a length-prefixed string and the offset after it."""
    length = data[offset]
    start = offset + 1
    if length >= _SMALLEST_PREFIX:
        if length not in _WIDTHS:
            raise ValueError(f"{length:#x} does not begin a length")
        start += _WIDTHS[length]
        length = int.from_bytes(data[offset + 1 : start], "little")
    end = start + length
    if end > len(data):
        raise ValueError(f"a string of {length} bytes does not fit into {len(data) - start}")
    return data[start:end], end
