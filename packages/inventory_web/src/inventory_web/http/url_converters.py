"""Product codes in URLs: any printable character, reversibly."""

import re
from collections.abc import Callable

from flask import current_app, url_for
from werkzeug.routing import BaseConverter

RESERVED = frozenset({"new"})
_ANY_CODE = "any-code"


def escape_code(code: str) -> str:
    """Escape a code so that it is one path segment and not a reserved word; percent-encoding is applied afterwards."""
    escaped = re.sub(r"[~/\\]|^\.", lambda match: f"~{ord(match[0]):02X}", code)
    return f"~{ord(escaped[0]):02X}{escaped[1:]}" if escaped in RESERVED else escaped


def unescape_code(segment: str) -> str:
    """Reverse ``escape_code``; a tilde that begins no escape stays as it is."""
    return re.sub(r"~([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), segment)


class CodeConverter(BaseConverter):
    """The converter ``<code:code>``: the view gets the unescaped product code."""

    def to_python(self, value: str) -> str:
        """Return the code for the view."""
        return unescape_code(value)

    def to_url(self, value: str) -> str:
        """Return the code for the URL."""
        return super().to_url(escape_code(value))


def address_of_codes(endpoint: str) -> Callable[[str], str]:
    """Return a fast ``url_for(endpoint, code=code)`` for pages with many codes: the rule is looked up once."""
    before, _, behind = url_for(endpoint, code=_ANY_CODE).rpartition(_ANY_CODE)
    to_url = CodeConverter(current_app.url_map).to_url
    return lambda code: f"{before}{to_url(code)}{behind}"
