"""How large a file may be; what is larger is refused before it can do harm."""

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is read.

    ``file`` and ``unpacked`` (of a workbook, counted while unpacking) are bytes, ``rows`` are those below the header,
    ``cells`` those of the used rectangle of a sheet, which is held in memory.
    """

    file: int = 64 * MEBIBYTE
    unpacked: int = 512 * MEBIBYTE
    rows: int = 1_048_576
    columns: int = 100
    cells: int = 16_000_000


LIMITS = Limits()
