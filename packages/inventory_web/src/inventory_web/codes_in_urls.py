"""Product codes in addresses: any printable character, reversibly."""

import re

from werkzeug.routing import BaseConverter

RESERVED = frozenset({"new"})


def escape_code(code: str) -> str:
    """Write a code so that it is one segment of a path and no reserved word; percent-encoding comes on top."""
    escaped = re.sub(r"[~/\\]|^\.", lambda match: f"~{ord(match[0]):02X}", code)
    return f"~{ord(escaped[0]):02X}{escaped[1:]}" if escaped in RESERVED else escaped


def unescape_code(segment: str) -> str:
    """Take ``escape_code`` back; a tilde that begins no escape stays as it is."""
    return re.sub(r"~([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), segment)


class CodeConverter(BaseConverter):
    """``<code:code>`` in a route: a product code, already unescaped for the view."""

    def to_python(self, value: str) -> str:
        """Give the view the code."""
        return unescape_code(value)

    def to_url(self, value: str) -> str:
        """Write the code into an address."""
        return super().to_url(escape_code(value))
