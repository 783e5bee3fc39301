"""Malicious files; each is small and easy to create."""

import io
import zipfile
from collections.abc import Iterator, Mapping

from tests.core.imports.files import xlsx_bytes

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET, STRINGS, INDEX = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
Member = bytes | Iterator[bytes]


def workbook_with(members: Mapping[str, Member]) -> bytes:
    """A workbook of one sheet with some of its members replaced; a long one is given piece by piece."""
    file = io.BytesIO()
    plain = xlsx_bytes({"Uno": [["code", "name"], ["A-1", "Mesa"]]})
    with zipfile.ZipFile(io.BytesIO(plain)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in {*source.namelist(), *members}:
            member = members.get(name, source.read(name) if name in source.namelist() else b"")
            with target.open(name, "w", force_zip64=True) as stream:
                for piece in (member,) if isinstance(member, bytes) else member:
                    stream.write(piece)
    return file.getvalue()


def sheet_of(cells: bytes) -> bytes:
    """A sheet of one row with these cells."""
    return b'<worksheet xmlns="%s"><sheetData><row r="1">%s</row></sheetData></worksheet>' % (MAIN.encode(), cells)


def many(before: bytes, piece: bytes, number: int, after: bytes) -> Iterator[bytes]:
    """A piece of XML many times over."""
    step = 100_000
    yield before
    for done in range(0, number, step):
        yield piece * min(step, number - done)
    yield after


def far_cell() -> bytes:
    """A cell in the last corner of a sheet, with blanks around the sign of equality."""
    return workbook_with({SHEET: sheet_of(b'<c r="A1"><v>1</v></c><c r = "XFD1048576"><v>1</v></c>')})


def two_sheets_of_one_name() -> bytes:
    """The index names one sheet twice, the second time with another member."""
    relation = b'http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    sheet = b'<sheet name="Uno" sheetId="%d" r:id="rId%d"/>'
    index = b'<workbook xmlns="%s" xmlns:r="%s><sheets>%s%s</sheets></workbook>'
    return workbook_with({INDEX: index % (MAIN.encode(), relation, sheet % (1, 1), sheet % (2, 1))})


def nested_cells(number: int = 100_000) -> bytes:
    """Cells that are begun and never ended: a regular expression looks for the end of each as far as the file goes."""
    return workbook_with({SHEET: sheet_of(b"<c " * number)})


def shared_strings(number: int = 28_000_000) -> bytes:
    """Empty shared strings."""
    return workbook_with({STRINGS: many(b'<sst xmlns="%s">' % MAIN.encode(), b"<si/>", number, b"</sst>")})


def cells_without_position(number: int = 20_000_000, cell: bytes = b"<c><v>1</v></c>") -> bytes:
    """Cells that follow one another and do not say where they are."""
    row = b"<row>" + cell * 100 + b"</row>"
    before = b'<worksheet xmlns="%s"><sheetData>' % MAIN.encode()
    step = 2_000
    rows = many(before, row * step, number // 100 // step, b"</sheetData></worksheet>")
    return workbook_with({SHEET: rows})


def repeated_string(number: int = 8_000) -> bytes:
    """Cells that all show one shared string, which is as long as a string may be."""
    text = b"x" * 32_767
    strings = b'<sst xmlns="%s"><si><t>%s</t></si></sst>' % (MAIN.encode(), text)
    cells = b'<row><c t="s"><v>0</v></c></row>' * number
    sheet = b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (MAIN.encode(), cells)
    return workbook_with({STRINGS: strings, SHEET: sheet})


def row_of_delimiters(size: int = 60 << 20) -> bytes:
    """A CSV file whose second row has nothing but delimiters."""
    return b"code,name\n" + b"," * size + b"\n"


def document_type() -> bytes:
    """A sheet with a document type, which could define entities."""
    return workbook_with({SHEET: b"<!DOCTYPE worksheet>" + sheet_of(b'<c r="A1"><v>1</v></c>')})


def entities() -> bytes:
    """Entities that grow tenfold at each of nine levels."""
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    doctype = f'<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY e0 "0123456789">{levels}]>'.encode()
    return workbook_with({SHEET: doctype + sheet_of(b'<c r="A1"><v>&e9;</v></c>')})


def endless_tag(size: int = 64 << 20) -> bytes:
    """A tag whose name does not end."""
    return workbook_with({SHEET: many(b'<worksheet xmlns="%s"><' % MAIN.encode(), b"c", size, b">")})


def long_comment(size: int = 9 << 20) -> bytes:
    """A comment inside a sheet without any other fault."""
    before = b'<worksheet xmlns="%s"><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData><!--' % MAIN.encode()
    return workbook_with({SHEET: many(before, b"c", size, b"--></worksheet>")})
