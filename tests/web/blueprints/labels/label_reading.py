"""Labels as a scanner sees them: the drawings of a print, laid out in dots and read by a library that others wrote."""

import re
from html import unescape

import zxingcpp

DOTS = 4


def texts_read(page: str) -> list[str]:
    """What a reader finds in each drawing of a printed page, in their order; an empty text where it finds nothing."""
    found = re.findall(r'<symbol id="\w+" viewBox="0 0 (\d+) (\d+)"[^>]*><path d="([^"]+)"', page)
    return [read(int(width), int(height), unescape(path)) for width, height, path in found]


def formats_read(page: str) -> list[str]:
    """The kinds of the same drawings, as the reader calls them."""
    found = re.findall(r'<symbol id="\w+" viewBox="0 0 (\d+) (\d+)"[^>]*><path d="([^"]+)"', page)
    return [
        str(barcode.format) for width, height, path in found for barcode in _barcodes(int(width), int(height), path)
    ]


def read(width: int, height: int, path: str) -> str:
    """The text of one drawing."""
    return "".join(barcode.text for barcode in _barcodes(width, height, path))


def _barcodes(width: int, height: int, path: str) -> list[zxingcpp.Barcode]:
    stretch = DOTS * (40 if height == 1 else 1)
    across, down = width * DOTS, height * stretch
    dots = bytearray(b"\xff" * across * down)
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for line in range(int(y) * stretch, (int(y) + 1) * stretch):
            begin = line * across + int(x) * DOTS
            dots[begin : begin + int(run) * DOTS] = bytes(int(run) * DOTS)
    return zxingcpp.read_barcodes(memoryview(dots).cast("B", shape=[down, across]))
