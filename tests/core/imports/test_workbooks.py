import datetime
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import pytest
from xlsxwriter import Workbook

from inventory_core import FileRefused, Table, read_table
from inventory_core.importing.protocol import Limits
from tests.core.imports.files import Rows, csv_bytes, table_of, xlsx_bytes

pytestmark = pytest.mark.usefixtures("parse_here")

ROWS: Rows = [["Código", "Nombre", "Cantidad"], ["A-1", "Lámpara", 12]]


def cells(table: Table) -> list[list[str]]:
    return [list(row) for _, row in table.rows()]


def refusal(content: bytes, filename: str = "file.xlsx", limits: Limits | None = None) -> tuple[str, str]:
    with pytest.raises(FileRefused) as caught:
        read_table(io.BytesIO(content), filename=filename, limits=limits or Limits())
    return caught.value.reason, caught.value.detail


def repacked(content: bytes, changed: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The package with some of its members replaced or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(file, "w", method) as target:
        members = {name: source.read(name) for name in source.namelist()} | dict(changed)
        for name, data in members.items():
            target.writestr(name, data)
    return file.getvalue()


def sheet_xml(rows: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def with_sheet(rows: str) -> bytes:
    return repacked(xlsx_bytes({"Hoja1": ROWS}), {"xl/worksheets/sheet1.xml": sheet_xml(rows)})


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{text_cell("A1", "code")}{text_cell("B1", "name")}{text_cell("C1", "quantity")}</row>'


def test_numbers_become_what_a_person_would_type() -> None:
    file = io.BytesIO()
    with Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["code", "name", "a", "b", "c", "d", "e"])
        sheet.write_row(1, 0, [1001, "Chair", 12.0, 12.5, -3])
        sheet.write_boolean(1, 5, boolean=True)
        date = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_datetime(1, 6, datetime.datetime(2026, 11, 24, 5, 30), date)  # noqa: DTZ001

    assert cells(table_of(file.getvalue())) == [["1001", "Chair", "12", "12.5", "-3", "TRUE", "2026-11-24 05:30:00"]]


def test_texts_stay_as_they_are() -> None:
    texts = ["007", "=1+1", "'=1", "_x0041_", "a & <b>", "two\nlines", "1.000"]
    table = table_of(xlsx_bytes({"Hoja1": [["code", "name"], *([f"A-{text}", text] for text in texts)]}))

    assert [row[1] for row in cells(table)] == texts


def test_rows_are_numbered_as_the_sheet_shows_them() -> None:
    table = table_of(xlsx_bytes({"Hoja1": [[], [], ROWS[0], [], ROWS[1], ["", " "], ["A-2", "Silla"]]}))

    assert [number for number, _ in table.rows()] == [5, 7]


def test_the_first_sheet_is_read_unless_another_one_is_named() -> None:
    content = xlsx_bytes({"Uno": ROWS, "Dos": [["code", "name"], ["B-1", "Mesa"], ["B-2", "Vaso"]]})

    assert (table_of(content).sheet, table_of(content).size) == ("Uno", 1)
    assert (table_of(content, sheet="Dos").sheet, table_of(content, sheet="Dos").size) == ("Dos", 2)


def test_an_unknown_sheet_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(FileRefused) as caught:
        table_of(xlsx_bytes({"Uno": ROWS, "Dos": ROWS}), sheet="Tres")

    assert (caught.value.reason, caught.value.detail) == ("no_such_sheet", "Uno, Dos")


def test_the_content_decides_the_format_of_a_file() -> None:
    assert table_of(xlsx_bytes({"Uno": ROWS}), "table.csv").size == 1
    assert table_of(csv_bytes(ROWS), "table.txt").size == 1
    assert refusal(csv_bytes(ROWS), "table.xlsx")[0] == "damaged"


def test_cells_that_show_an_error_are_known() -> None:
    error = '<c r="B2" s="1" t="e"><f>VLOOKUP(A2,X:Y,2,0)</f><v>#N/A</v></c>'
    table = table_of(
        with_sheet(f'{HEADER}<row r="2">{text_cell("A2", "A-1")}{error}<c r="C2" t="e"><v>#REF!</v></c></row>')
    )

    assert [rows.errors for rows in table.batches] == [{2: {1: "#N/A", 2: "#REF!"}}]
    assert cells(table) == [["A-1", "#N/A", "#REF!"]]


def test_an_empty_sheet_is_refused_like_an_empty_file() -> None:
    assert refusal(xlsx_bytes({"Uno": []}))[0] == "empty"


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_workbook_is_refused(part: float) -> None:
    content = xlsx_bytes({"Uno": ROWS})

    assert refusal(content[: int(len(content) * part)])[0] == "damaged"


def test_a_workbook_with_a_broken_member_is_refused() -> None:
    content = bytearray(xlsx_bytes({"Uno": ROWS}))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = archive.getinfo("xl/worksheets/sheet1.xml")
    content[member.header_offset + 60] ^= 0xFF

    assert refusal(bytes(content))[0] == "damaged"


@pytest.mark.parametrize("xml", [b"<worksheet", b"", b"\xff\xfe\x00", sheet_xml("<row><c r='A1'/></row>")[:-20]])
def test_a_sheet_that_is_not_xml_is_refused(xml: bytes) -> None:
    assert refusal(repacked(xlsx_bytes({"Uno": ROWS}), {"xl/worksheets/sheet1.xml": xml}))[0] in ("damaged", "empty")


def test_a_package_of_another_kind_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<office:document-content/>")

    assert refusal(file.getvalue(), "table.ods")[0] == "wrong_format"


def test_an_encrypted_workbook_is_distinguished_from_an_old_one() -> None:
    container = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)

    assert refusal(container + "EncryptedPackage".encode("utf-16-le"))[0] == "password"
    assert refusal(container + "Workbook".encode("utf-16-le"), "table.xls")[0] == "old_format"


def test_an_encrypted_package_is_refused() -> None:
    content = bytearray(xlsx_bytes({"Uno": ROWS}))
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1

    assert refusal(bytes(content))[0] == "password"


def test_a_bomb_is_refused_while_it_is_unpacked() -> None:
    bomb = repacked(xlsx_bytes({"Uno": ROWS}), {"xl/media/image1.png": bytes(3_000_000)})

    assert len(bomb) < 20_000
    assert refusal(bomb, limits=Limits(unpacked=2 << 20)) == ("unpacked_too_large", "2 MiB")


def test_a_bomb_that_misstates_its_size_is_refused() -> None:
    """The stated size and checksum are those of the first bytes, so that a reader that trusts them finds nothing wrong."""
    bomb = bytearray(repacked(xlsx_bytes({"Uno": ROWS}), {"xl/media/image1.png": bytes(3_000_000)}))
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        member = archive.getinfo("xl/media/image1.png")
    stated = struct.pack("<L", zlib.crc32(bytes(100))), struct.pack("<L", member.compress_size), struct.pack("<L", 100)
    bomb[member.header_offset + 14 : member.header_offset + 26] = b"".join(stated)
    entry = bomb.rindex(b"PK\x01\x02")
    bomb[entry + 16 : entry + 28] = b"".join(stated)
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        assert archive.read("xl/media/image1.png") == bytes(100)

    assert refusal(bytes(bomb), limits=Limits(unpacked=2 << 20)) == ("unpacked_too_large", "2 MiB")
    assert refusal(bytes(bomb))[0] == "damaged"


def test_members_of_one_name_are_refused() -> None:
    file = io.BytesIO(xlsx_bytes({"Uno": ROWS}))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet_xml(""))

    assert refusal(file.getvalue())[0] == "damaged"


@pytest.mark.parametrize("corner", ["CV1048576", "XFD2000", "cv1048576"])
def test_two_cells_far_apart_are_refused_before_memory_is_taken(corner: str) -> None:
    content = with_sheet(f"{HEADER}<row r='2'>{text_cell('A2', 'A-1')}{text_cell(corner, 'x')}</row>")

    assert refusal(content) == ("too_many_cells", "4000000")


def test_a_lying_relation_is_refused() -> None:
    relations = b'<Relationships><Relationship Id="rId1" Target="worksheets/absent.xml"/></Relationships>'

    assert refusal(repacked(xlsx_bytes({"Uno": ROWS}), {"xl/_rels/workbook.xml.rels": relations}))[0] == "damaged"


def test_stored_members_are_read_too() -> None:
    content = repacked(xlsx_bytes({"Uno": ROWS}), {}, method=zipfile.ZIP_STORED)

    assert cells(table_of(content)) == [["A-1", "Lámpara", "12"]]


def test_other_methods_of_compression_are_refused() -> None:
    assert refusal(repacked(xlsx_bytes({"Uno": ROWS}), {}, method=zipfile.ZIP_LZMA))[0] == "damaged"
