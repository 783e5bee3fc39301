"""A streaming XML parser with bounds: no document type, no other encoding, no endless token."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.parsers import expat

from inventory_core.errors import FileRefused
from inventory_core.imports.limits import MEBIBYTE

MAX_TOKEN = 4 * MEBIBYTE
"""Bytes of a tag or comment. The parser looks at an unfinished one again with each piece."""
ENCODINGS = frozenset({"utf-8", "us-ascii"})

Attributes = Mapping[str, str]
StartHandler = Callable[[str, Attributes], None]


def parse_xml(
    pieces: Iterable[bytes], start: StartHandler, prepare: Callable[[expat.XMLParserType], None] | None = None
) -> Iterator[None]:
    """Parse a document, call ``start`` at each element with its name and attributes; yield after each piece.

    ``prepare`` may set other handlers of the parser. Raises ``FileRefused`` (``damaged``) if the document is not well-formed,
    has a document type (which can define entities), or is in an encoding that spreadsheets do not write.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.XmlDeclHandler = _check_declaration
    if prepare is not None:
        prepare(parser)
    given = 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            given += len(piece)
            if given - max(parser.CurrentByteIndex, 0) > MAX_TOKEN + len(piece):
                raise FileRefused("damaged")
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise FileRefused("damaged") from error


def local_name(tag: str) -> str:
    """Return the name of an element or attribute without its prefix."""
    return tag if ":" not in tag else tag.rpartition(":")[2]


def _refuse_doctype(*_: object) -> None:
    raise FileRefused("damaged")


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise FileRefused("damaged")
