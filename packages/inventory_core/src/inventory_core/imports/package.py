"""What a workbook is before any of it is parsed: a ZIP package that may lie about its size."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import join, normpath
from xml.etree import ElementTree

from inventory_core.errors import FileRefused
from inventory_core.imports.limits import MEBIBYTE, Limits

WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
MOST_MEMBERS = 10_000
LARGEST_INDEX = 8 * MEBIBYTE
_LOCAL_HEADER, _LOCAL_SIZE = b"PK\x03\x04", 30
_ENCRYPTED = 1
_STEP = 1 << 16

_COLUMN = re.compile(rb"""\br=["']([A-Za-z]{1,3})[0-9]""")
_ROW = re.compile(rb"""\br=["'][A-Za-z]{0,3}([0-9]{1,9})["']""")
_ERROR = re.compile(
    rb"""<(?:\w+:)?c\b(?=[^>]*\bt=["']e["'])[^>]*?\br=["']([A-Za-z]{1,3})([0-9]{1,7})["'][^>]*>"""
    rb"""(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?(?:<(?:\w+:)?v>([^<]{1,20})<)?"""
)


@dataclass(frozen=True, slots=True)
class Package:
    """A workbook's package, every member of it unpacked once and found to be what it says.

    ``sheets`` gives the member of each sheet by the sheet's name.
    """

    content: bytes = field(repr=False)
    sheets: Mapping[str, zipfile.ZipInfo]


def inspect_package(content: bytes, limits: Limits) -> Package:
    """Unpack everything, counting and keeping nothing.

    Raises ``FileRefused``: ``damaged``, ``password``, ``wrong_format`` for a package that is no XLSX workbook, or
    ``unpacked_too_large``. The sizes that a package states are not trusted: each member is inflated until it ends.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        raise FileRefused("damaged") from error
    members = {info.filename.replace("\\", "/").lower(): info for info in infos}
    if WORKBOOK not in members:
        raise FileRefused("wrong_format")
    # Of two members with one name, each program may read another.
    if len(members) < len(infos) or len(infos) > MOST_MEMBERS:
        raise FileRefused("damaged")
    left = limits.unpacked
    for info in infos:
        size = check = 0
        for piece in unpack(content, info):
            size += len(piece)
            check = zlib.crc32(piece, check)
            if size > left:
                raise FileRefused("unpacked_too_large", f"{limits.unpacked // MEBIBYTE} MiB")
        if size != info.file_size or check != info.CRC:
            raise FileRefused("damaged")
        left -= size
    return Package(content, _sheets(content, members))


def unpack(content: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Give what a member unpacks to, in pieces, however much it says it is. Raises ``FileRefused``."""
    header = content[info.header_offset : info.header_offset + _LOCAL_SIZE]
    if len(header) < _LOCAL_SIZE or not header.startswith(_LOCAL_HEADER):
        raise FileRefused("damaged")
    if info.flag_bits & _ENCRYPTED:
        raise FileRefused("password")
    begin = info.header_offset + _LOCAL_SIZE + sum(struct.unpack_from("<HH", header, 26))
    end = begin + info.compress_size
    pieces = (content[start : min(start + _STEP, end)] for start in range(begin, end, _STEP))
    if info.compress_type == zipfile.ZIP_STORED:
        yield from pieces
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        yield from _inflate(pieces)
    else:
        raise FileRefused("damaged")


def _inflate(pieces: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for packed in pieces:
            rest = packed
            while rest and not inflater.eof:
                yield inflater.decompress(rest, MEBIBYTE)
                rest = inflater.unconsumed_tail
        if not inflater.eof:
            yield inflater.flush()
    except zlib.error as error:
        raise FileRefused("damaged") from error


def _sheets(content: bytes, members: Mapping[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    try:
        relations = {
            str(element.get("Id")): str(element.get("Target"))
            for element in _elements(content, members[RELATIONS], "Relationship")
        }
        found = {}
        for element in _elements(content, members[WORKBOOK], "sheet"):
            relation = next(value for name, value in element.items() if name.endswith("}id"))
            path = normpath(join("/xl", relations[relation].replace("\\", "/"))).lstrip("/")
            found[str(element.get("name"))] = members[path.lower()]
    except (ElementTree.ParseError, ValueError, LookupError, StopIteration) as error:
        raise FileRefused("damaged") from error
    return found


def _elements(content: bytes, info: zipfile.ZipInfo, name: str) -> Iterator[ElementTree.Element]:
    if info.file_size > LARGEST_INDEX:
        raise FileRefused("damaged")
    # The parser itself bounds the growth of entities.
    root = ElementTree.fromstring(b"".join(unpack(content, info)))  # noqa: S314
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == name)


def inspect_sheet(package: Package, sheet: str, limits: Limits) -> dict[int, dict[int, str]]:
    """Look through the XML of a sheet; give the texts of its cells that show an error, by row (from 1) and column (from 0).

    Two cells far apart make a rectangle that no memory holds, so its corner is found first: ``too_many_cells``.
    """
    if sheet not in package.sheets:
        raise FileRefused("damaged")
    errors: dict[int, dict[int, str]] = {}
    width = height = 1
    rest = b""
    for piece in unpack(package.content, package.sheets[sheet]):
        text = rest + piece
        width = max(width, *map(_number, set(_COLUMN.findall(text))), 1)
        height = max(height, *map(int, set(_ROW.findall(text))), 1)
        if width * height > limits.cells:
            raise FileRefused("too_many_cells", str(limits.cells))
        for column, row, shown in _ERROR.findall(text):
            errors.setdefault(int(row), {})[_number(column) - 1] = shown.decode("utf-8", "replace") or "#ERROR!"
        begun = text.rfind(b"<row")
        rest = text[max(begun if begun >= 0 else text.rfind(b"<"), len(text) - MEBIBYTE, 0) :]
    return errors


def _number(column: bytes) -> int:
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - ord("A") + 1
    return number
