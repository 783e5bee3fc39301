"""How large a file may be, and what reading it may take; what is larger is refused before it can do harm."""

from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1 << 20
MAX_MEMORY = 512 * MEBIBYTE
SHARE_OF_CONTAINER = 0.4
"""The share of a container's memory that the reader of one file may take; the server needs the rest."""
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def default_memory() -> int:
    """Return the bytes of memory that the reader of a file may take here: fewer in a small container."""
    for path in _CGROUP_LIMITS:
        try:
            return min(MAX_MEMORY, int(int(path.read_text("ascii")) * SHARE_OF_CONTAINER))
        except (OSError, ValueError):
            # No such controller, or the word "max".
            continue
    return MAX_MEMORY


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is read.

    Attributes:
        file: Bytes of the file.
        unpacked: Bytes of a workbook's members, counted while they are unpacked.
        rows: Rows below the header, blank ones included.
        columns: Columns of the header.
        row_cells: Cells of any row; a spreadsheet has no more columns.
        cells: Cells of all rows.
        sheet_cells: Cells of the used rectangle of a sheet, which the reader holds in memory.
        strings: Shared strings of a workbook.
        stored: Bytes of the rows that were read, in the temporary folder.
        memory: Bytes of address space of the process that reads; only where the platform can limit it.
        seconds: Time that the process may take, of the clock and of the processor.
    """

    file: int = 64 * MEBIBYTE
    unpacked: int = 512 * MEBIBYTE
    rows: int = 1_048_576
    columns: int = 100
    row_cells: int = 16_384
    cells: int = 16_000_000
    sheet_cells: int = 4_000_000
    strings: int = 4_000_000
    stored: int = 256 * MEBIBYTE
    memory: int = field(default_factory=default_memory)
    seconds: float = 120.0


IMPORT_LIMITS = Limits()
