"""Parsing without the process of its own, for tests of what a file means."""

from collections.abc import Generator, Iterator
from typing import IO

import pytest

from inventory_core import FileRefused
from inventory_core.importing import reader
from inventory_core.importing.file_parser import parse_file
from inventory_core.importing.protocol import Frame, Limits, UnreadableFile


@pytest.fixture(scope="module")
def parse_here() -> Iterator[None]:
    """Parse in this process, since starting another takes 40 ms; test_hostile_files.py and test_import.py use the real one."""

    def parse(file: IO[bytes], *, filename: str, sheet: str | None, limits: Limits) -> Generator[Frame]:
        try:
            yield from parse_file(file.read(limits.file), filename, sheet, limits)
        except UnreadableFile as error:
            raise FileRefused(error.reason, error.detail) from None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "parse_in_process", parse)
        yield
