import io
from pathlib import Path

import pytest

from inventory_core import FileRefused, StorageRefused, Table, read_table
from inventory_core.importing.protocol import Limits
from tests.core.imports.files import csv_bytes, table_of

pytestmark = pytest.mark.usefixtures("parse_here")

HEADER = ["Código", "Nombre", "Categoría"]
ROWS = [HEADER, ["A-1", "Lámpara de mesa", "Electrónicos"], ["A-2", "Año; «ñandú», 5 €", "Hogar"]]


def cells(table: Table) -> list[list[str]]:
    return [list(row) for _, row in table.rows()]


def refusal(content: bytes, filename: str = "file.csv", limits: Limits | None = None) -> tuple[str, str]:
    with pytest.raises(FileRefused) as caught:
        read_table(io.BytesIO(content), filename=filename, limits=limits or Limits())
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_delimiter_and_encoding_returns_the_same_rows(delimiter: str, encoding: str) -> None:
    table = table_of(csv_bytes(ROWS, delimiter=delimiter, encoding=encoding))

    assert cells(table) == ROWS[1:]
    assert table.headers == tuple(HEADER)
    assert table.size == 2


def test_the_delimiter_is_looked_for_outside_of_quotes() -> None:
    table = table_of(b'"code";"name, or, what";name\nA-1;x;Chair\n')

    assert table.headers == ("code", "name, or, what", "name")


def test_the_hint_of_a_spreadsheet_names_the_delimiter() -> None:
    table = table_of(b"sep=;\r\ncode;name\r\nA-1;Chair, red\r\n")

    assert cells(table) == [["A-1", "Chair, red"]]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_every_kind_of_line_end_ends_a_row(line_end: bytes) -> None:
    table = table_of(line_end.join([b"code,name", b"A-1,Chair", b'A-2,"two\nlines"', b""]))

    assert cells(table) == [["A-1", "Chair"], ["A-2", "two\nlines"]]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    table = table_of(b'\n\ncode,name\nA-1,"two\nlines"\n\n , \nA-2,Table\n')

    assert [number for number, _ in table.rows()] == [4, 7]


def test_a_table_can_be_read_again_and_again() -> None:
    table = table_of(csv_bytes(ROWS))

    assert cells(table) == cells(table)


def test_a_quote_inside_of_a_cell_is_a_plain_character() -> None:
    table = table_of(b'code,name\nA-1,Pipe 5" long\n')

    assert cells(table) == [["A-1", 'Pipe 5" long']]


def test_a_file_on_disk_is_read_like_one_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_bytes(csv_bytes(ROWS))

    assert cells(read_table(path, filename=path.name)) == ROWS[1:]


def test_a_header_without_rows_is_an_empty_table() -> None:
    table = table_of(b"code,name\n")

    assert (table.size, cells(table)) == (0, [])


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b" , ,\n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert refusal(content)[0] == "empty"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"code,name\nA-1,Ch\x00air\n", "not_text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not_text"),
        ("code,name\nA-1,Chair\n".encode("utf-16-le"), "not_text"),
        (b"code,name\nA-1,Se\x81al\n", "encoding"),
        (b"\xef\xbb\xbfcode,name\nA-1,Se\xf1al\n", "encoding"),
        (csv_bytes(ROWS)[:-1] + "ñ".encode()[:1], "encoding"),
        (b"\xff\xfec\x00o\x00d\x00e\x00\x00\xd8", "encoding"),
        (b'code,name\nA-1,"never closed\nA-2,Table\n', "broken_quotes"),
        (b'code,name\nA-1,"closed" too early\n', "broken_quotes"),
        (b"code,name\nA-1," + b"x" * 200_000, "long_cell"),
    ],
    ids=[
        "nul",
        "picture",
        "utf16-without-mark",
        "no-encoding",
        "lying-mark",
        "cut",
        "bad-utf16",
        "open",
        "early",
        "long",
    ],
)
def test_what_is_not_a_sound_text_is_refused(content: bytes, reason: str) -> None:
    assert refusal(content)[0] == reason


def test_broken_quotes_are_located() -> None:
    assert refusal(b'code,name\nA-1,Chair\nA-2,"a" b\n') == ("broken_quotes", "3")


def test_files_beyond_the_limits_are_refused() -> None:
    rows = csv_bytes([["code", "name"], *([f"A-{number}", "x"] for number in range(5))])
    wide = csv_bytes([["code", "name", *(f"c{number}" for number in range(9))]])

    assert refusal(rows, limits=Limits(file=20)) == ("too_large", "0 MiB")
    assert refusal(rows, limits=Limits(rows=4)) == ("too_many_rows", "4")
    assert refusal(wide, limits=Limits(columns=10)) == ("too_many_columns", "10")
    assert table_of(rows).size == 5


def test_a_file_of_200_megabytes_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"code,name\n")
        file.truncate(200_000_000)

    with path.open("rb") as file, pytest.raises(FileRefused) as caught:
        read_table(file, filename=path.name)

    assert (caught.value.reason, caught.value.detail) == ("too_large", "64 MiB")


def test_blank_lines_without_end_are_too_many_rows() -> None:
    assert refusal(b"code,name\n" + b"\n" * 50, limits=Limits(rows=40)) == ("too_many_rows", "40")


def test_a_file_that_cannot_be_read_is_a_matter_of_storage(tmp_path: Path) -> None:
    with pytest.raises(StorageRefused, match="No such file"):
        read_table(tmp_path / "absent.csv", filename="absent.csv")


def test_a_csv_file_has_no_sheets() -> None:
    with pytest.raises(FileRefused) as caught:
        table_of(csv_bytes(ROWS), sheet="Hoja1")

    assert caught.value.reason == "no_such_sheet"


def test_reading_reports_how_far_it_is_and_is_cancelled_by_an_error() -> None:
    content = b"code,name\n" + b"A,Mesa\n" * 9_000
    reported: list[tuple[int, int, str]] = []

    def tell(done: int, total: int, stage: str) -> None:
        reported.append((done, total, stage))
        if len(reported) == 2:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        read_table(io.BytesIO(content), filename="a.csv", progress=tell)

    assert reported[0][0] < reported[1][0] < 9_000
    assert {(total, stage) for _, total, stage in reported} == {(0, "reading")}
