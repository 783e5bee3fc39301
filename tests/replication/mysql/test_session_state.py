"""The session-state block is read as the protocol says, and anything else is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.mysql.session_state import parse_session_state

UUID = "585eb717-1c5f-11ee-be56-0242ac120002"


def length(number: int) -> bytes:
    if number < 0xFB:
        return bytes([number])
    for prefix, width in ((0xFC, 2), (0xFD, 3), (0xFE, 8)):
        if number < 1 << 8 * width:
            return bytes([prefix]) + number.to_bytes(width, "little")
    raise ValueError(number)


def string(data: bytes) -> bytes:
    return length(len(data)) + data


def tail(*entries: tuple[int, bytes], info: bytes = b"") -> bytes:
    return string(info) + string(b"".join(bytes([kind]) + string(data) for kind, data in entries))


def gtids(text: str) -> tuple[int, bytes]:
    return 3, b"\0" + string(text.encode())


def variable(name: str, value: str) -> tuple[int, bytes]:
    return 0, string(name.encode()) + string(value.encode())


def test_the_example_seen_on_the_wire_is_read() -> None:
    text = f"{UUID}:10".encode()
    seen = b"\x00" + b"\x2b" + b"\x03\x29\x00\x27" + text

    assert parse_session_state(seen).gtids == (f"{UUID}:10",)


def test_entries_of_every_kind_stand_side_by_side() -> None:
    state = parse_session_state(
        tail(
            variable("AutoCommit", "OFF"),
            (1, string(b"inventory")),
            (2, b"\x011"),
            gtids(f"{UUID}:1-3:app:7"),
            (4, string(b"START TRANSACTION;")),
            (5, string(b"________")),
            (77, b"of a later server"),
            info=b"Rows matched: 1",
        )
    )

    assert state.gtids == (f"{UUID}:1-3:app:7",)
    assert state.variables == {"autocommit": "OFF"}


def test_an_empty_block_reports_nothing() -> None:
    assert parse_session_state(tail()) == ((), {})


@pytest.mark.parametrize("size", [0, 1, 0xFA, 0xFB, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_lengths_of_every_width_are_read(size: int) -> None:
    text = "x" * size

    assert parse_session_state(tail((1, b"y" * size), gtids(text))).gtids == (text,)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x00",
        b"\x00\x05\x03",
        b"\x00\x02\x03\x09",
        b"\xfb\x00",
        b"\xff\x00",
        b"\x00\xfc\x01",
        tail((3, b"")),
        tail((3, b"\x01" + string(b"binary"))),
        tail((3, b"\x00" + string(b"text") + b"more")),
        tail(gtids(UUID)) + b"more",
        tail((3, b"\x00" + string(b"\xff\xfe"))),
    ],
)
def test_bytes_that_break_the_protocol_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_session_state(broken)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_session_state(data)


@given(
    st.lists(
        st.one_of(
            st.text("0123456789abcdef-:,", max_size=300).map(gtids),
            st.tuples(st.sampled_from([1, 2, 4, 5, 200]), st.binary(max_size=300)),
        ),
        max_size=8,
    ),
    st.binary(max_size=300),
)
def test_every_gtid_entry_is_found_and_nothing_else(entries: list[tuple[int, bytes]], info: bytes) -> None:
    found = parse_session_state(tail(*entries, info=info)).gtids

    assert [gtids(text) for text in found] == [entry for entry in entries if entry[0] == 3]
