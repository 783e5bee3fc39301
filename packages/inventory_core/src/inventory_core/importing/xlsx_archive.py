"""Open a workbook as a ZIP archive that may lie about its size, and stream its XML with limits."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import join, normpath
from xml.parsers import expat

from inventory_core.importing.protocol import MEBIBYTE, Limits, UnreadableFile

MAX_TOKEN = 4 * MEBIBYTE
"""Bytes of a tag or comment. The parser scans an unfinished one again with each piece."""
ENCODINGS = frozenset({"utf-8", "us-ascii"})

Attributes = Mapping[str, str]
StartHandler = Callable[[str, Attributes], None]

WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
MAX_MEMBERS = 10_000
MAX_INDEX = 8 * MEBIBYTE
_LOCAL_HEADER, _LOCAL_SIZE = b"PK\x03\x04", 30
_ENCRYPTED = 1
_STEP = 1 << 16


def parse_xml(
    pieces: Iterable[bytes], start: StartHandler, prepare: Callable[[expat.XMLParserType], None] | None = None
) -> Iterator[None]:
    """Parse a document, call ``start`` at each element with its name and attributes; yield after each piece.

    ``prepare`` may set other handlers of the parser. Raises ``UnreadableFile`` (``damaged``) if the document is not well-formed,
    has a document type (which can define entities), or is in an encoding that spreadsheets do not write.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.XmlDeclHandler = _check_declaration
    if prepare is not None:
        prepare(parser)
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN + len(piece):
                raise UnreadableFile("damaged")
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise UnreadableFile("damaged") from error


def local_name(tag: str) -> str:
    """Return the name of an element or attribute without its prefix."""
    return tag if ":" not in tag else tag.rpartition(":")[2]


def _refuse_doctype(*_: object) -> None:
    raise UnreadableFile("damaged")


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise UnreadableFile("damaged")


@dataclass(slots=True)
class Package:
    """The package of a workbook, after reading its index.

    Attributes:
        content: The bytes of the package.
        members: The members by their names in lower case.
        sheets: The member of each sheet by the sheet's name, in order.
        limits: Limits for the unpacked members.
    """

    content: bytes = field(repr=False)
    members: Mapping[str, zipfile.ZipInfo]
    limits: Limits
    sheets: Mapping[str, zipfile.ZipInfo] = field(default_factory=dict)
    _unpacked: int = 0
    _checked: set[str] = field(default_factory=set)

    def read(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """Unpack a member piece by piece; verify size and checksum at the end.

        Raises ``UnreadableFile``: ``damaged``, ``password`` or ``unpacked_too_large`` (for all members together).
        """
        size = check = 0
        left = self.limits.unpacked - self._unpacked
        for piece in _unpack(self.content, info):
            size += len(piece)
            check = zlib.crc32(piece, check)
            if size > left:
                raise UnreadableFile("unpacked_too_large", f"{self.limits.unpacked // MEBIBYTE} MiB")
            yield piece
        if size != info.file_size or check != info.CRC:
            raise UnreadableFile("damaged")
        if info.filename not in self._checked:
            self._checked.add(info.filename)
            self._unpacked += size

    def check_rest(self) -> Iterator[None]:
        """Unpack every member that was not read yet, because the reader of the workbook trusts the declared sizes."""
        for info in self.members.values():
            if info.filename not in self._checked:
                for _ in self.read(info):
                    yield


def open_package(content: bytes, limits: Limits) -> Package:
    """Read the index of a package and the names of its sheets.

    Raises ``UnreadableFile``: ``damaged``, ``password``, ``doubled_sheet``, ``unpacked_too_large``, or ``wrong_format`` for a
    package that is not an XLSX workbook. The sizes that a package states are not trusted: each member is inflated until it
    ends.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        raise UnreadableFile("damaged") from error
    members = {info.filename.replace("\\", "/").lower(): info for info in infos}
    if WORKBOOK not in members:
        raise UnreadableFile("wrong_format")
    # If two members have one name, programs may differ in which one they read.
    if len(members) < len(infos) or len(infos) > MAX_MEMBERS or RELATIONS not in members:
        raise UnreadableFile("damaged")
    package = Package(content, members, limits)
    package.sheets = _sheets(package)
    return package


def _unpack(content: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    header = content[info.header_offset : info.header_offset + _LOCAL_SIZE]
    if len(header) < _LOCAL_SIZE or not header.startswith(_LOCAL_HEADER):
        raise UnreadableFile("damaged")
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableFile("password")
    begin = info.header_offset + _LOCAL_SIZE + sum(struct.unpack_from("<HH", header, 26))
    end = begin + info.compress_size
    pieces = (content[start : min(start + _STEP, end)] for start in range(begin, end, _STEP))
    if info.compress_type == zipfile.ZIP_STORED:
        yield from pieces
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        yield from _inflate(pieces)
    else:
        raise UnreadableFile("damaged")


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
        raise UnreadableFile("damaged") from error


def _sheets(package: Package) -> dict[str, zipfile.ZipInfo]:
    relations: dict[str, str] = {}
    for attributes in _elements(package, RELATIONS, "Relationship"):
        identity = attributes.get("Id", "")
        # If two relations have one name, programs may differ in which one they follow.
        if identity in relations:
            raise UnreadableFile("damaged")
        relations[identity] = attributes.get("Target", "")
    found: dict[str, zipfile.ZipInfo] = {}
    for attributes in _elements(package, WORKBOOK, "sheet"):
        name = attributes.get("name", "")
        if name in found:
            raise UnreadableFile("doubled_sheet", name)
        relation = next((value for key, value in attributes.items() if local_name(key) == "id" and key != "id"), "")
        path = normpath(join("/xl", relations.get(relation, "").replace("\\", "/"))).lstrip("/").lower()
        if path not in package.members:
            raise UnreadableFile("damaged")
        found[name] = package.members[path]
    return found


def _elements(package: Package, member: str, name: str) -> list[Attributes]:
    info = package.members[member]
    if info.file_size > MAX_INDEX:
        raise UnreadableFile("damaged")
    found: list[Attributes] = []

    def start(tag: str, attributes: Attributes) -> None:
        if local_name(tag) == name:
            found.append(attributes)

    for _ in parse_xml(package.read(info), start):
        pass
    return found
