"""Product codes in addresses: any printable character, reversibly."""

import re
from collections.abc import Callable

from flask import current_app, url_for
from werkzeug.routing import BaseConverter

RESERVED = frozenset({"new"})
_ANY_CODE = "any-code"


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


def address_of_codes(endpoint: str) -> Callable[[str], str]:
    """``url_for(endpoint, code=code)`` as a function of the code, for a page full of them: the rule is looked up once."""
    before, _, behind = url_for(endpoint, code=_ANY_CODE).rpartition(_ANY_CODE)
    to_url = CodeConverter(current_app.url_map).to_url
    return lambda code: f"{before}{to_url(code)}{behind}"
