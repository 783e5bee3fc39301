"""Read the records of a CSV file, whatever spreadsheet wrote it."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from inventory_core.exporting.formula_guard import may_be_guarded, unguard
from inventory_core.importing.protocol import MEBIBYTE, UnreadableFile

DELIMITERS = ",;\t"
MAX_LINE = MEBIBYTE
MAX_BATCH = 32 * MEBIBYTE
"""Characters. They limit the memory for the cells of a line, and of the lines that are read together."""
_CHUNK = 1 << 20
_ENDS = ("\n", "\r")
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?\n?", re.IGNORECASE)


def csv_batches(content: bytes, size: int) -> Iterator[list[list[str]]]:
    """Detect encoding and delimiter; yield ``size`` records at a time, with the formula guard removed.

    Raises ``UnreadableFile``: ``not_text`` or ``encoding``; and while the records are read ``broken_quotes``, ``long_cell`` or
    ``long_row``.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = _from_utf16(content)
    if b"\0" in content:
        raise UnreadableFile("not_text")
    encoding = _encoding(content)
    with _open(content, encoding) as text:
        first = text.read(_CHUNK)
    hint = _SEPARATOR_LINE.match(first)
    delimiter = hint[1] if hint else _delimiter(first)
    with _open(content, encoding) as text:
        if hint:
            text.readline()
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        guarded = may_be_guarded(content)
        try:
            while batch := list(islice(reader, size)):
                lines.remaining = MAX_BATCH
                yield [[unguard(cell) for cell in record] for record in batch] if guarded else batch
        except csv.Error as error:
            reason = "long_cell" if "larger than" in str(error) else "broken_quotes"
            raise UnreadableFile(reason, str(reader.line_num)) from error


class _Lines:
    """The lines of a text; refuses lines that are too long for one batch."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.remaining = MAX_BATCH
        self._text = text

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._text, start=1):
            self.remaining -= len(line)
            if len(line) > MAX_LINE or self.remaining < 0:
                raise UnreadableFile("long_row", str(number))
            yield line


def _open(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding, newline="")


def _from_utf16(content: bytes) -> bytes:
    try:
        return content.decode("utf-16").encode()
    except UnicodeError as error:
        raise UnreadableFile("encoding") from error


def _encoding(content: bytes) -> str:
    if _decodes(content, "utf-8"):
        return "utf-8-sig"
    # A UTF-8 mark, or an error only at the end: the file is damaged, not in another encoding.
    if (
        content.startswith(codecs.BOM_UTF8)
        or _decodes(content, "utf-8", whole=False)
        or not _decodes(content, "cp1252")
    ):
        raise UnreadableFile("encoding")
    return "cp1252"


def _decodes(content: bytes, encoding: str, *, whole: bool = True) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(text: str) -> str:
    """Return the most frequent delimiter outside of quotes in the first line that is not blank; a comma if it has none."""
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted = False
    for char in text.lstrip("\r\n"):
        if char == '"':
            quoted = not quoted
        elif not quoted and char in _ENDS:
            break
        elif not quoted and char in counts:
            counts[char] += 1
    return max(counts, key=lambda delimiter: counts[delimiter])
