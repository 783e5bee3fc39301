"""URLs: redirects within the application, product codes and cursors."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from flask import current_app, request, url_for
from werkzeug.routing import BaseConverter

from inventory_core import Cursor


def is_local_url(address: str) -> bool:
    """Return whether a browser that follows ``address`` stays in this application.

    Refused are other sites in every spelling that browsers understand, control characters, and dot segments, which lead out
    of the prefix.
    """
    parts = _split(address)
    path, root = unquote(parts.path), request.script_root
    return (
        not parts.scheme
        and not parts.netloc
        and address.isprintable()
        and address.startswith("/")
        # Check the text of the URL too, because parsing drops an empty host.
        and not address.startswith("//")
        and "\\" not in path
        and not {".", ".."} & set(path.split("/"))
        and (path == root or path.startswith(f"{root}/"))
    )


def current_url() -> str:
    """Return path and query of this request in the form that browsers use, including the prefix."""
    return _path_and_query(urlsplit(request.url))


def next_url(otherwise: str) -> str:
    """Return the form field ``next`` if it is a URL of this application, else ``otherwise``."""
    wanted = request.form.get("next", "")
    return wanted if is_local_url(wanted) else otherwise


def previous_page_url(otherwise: str) -> str:
    """Return ``next`` if it is valid, else the page that the form was on, unless it has the address of the form itself."""
    before = _referring_page()
    is_form = unquote(_split(before).path) == request.script_root + request.path
    return next_url(before if before and not is_form else otherwise)


def form_url(otherwise: str) -> str:
    """Return the page of this application that the form was on, also if it has the address that the form is sent to."""
    before = _referring_page()
    return before if before and _can_be_shown(before) else otherwise


def retry_url() -> str:
    """Return the page on which a menu option was chosen; the first page if it only accepts POST."""
    home = url_for("home")
    before = previous_page_url(home)
    return before if _can_be_shown(before) else home


def host_of(address: str) -> str:
    """Return the host and the port of a header such as ``Origin``; empty if there is none."""
    return _split(address).netloc


def _referring_page() -> str:
    """Return the page in ``Referer``; empty if it is not a page of this application."""
    parts = _split(request.referrer or "")
    before = _path_and_query(parts)
    return before if parts.netloc == request.host and is_local_url(before) else ""


def _can_be_shown(address: str) -> bool:
    addresses = current_app.create_url_adapter(request)
    path = unquote(_split(address).path).removeprefix(request.script_root)
    return addresses is not None and addresses.test(path or "/", method="GET")


def _path_and_query(parts: SplitResult) -> str:
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        # For example, an IPv6 address without its bracket.
        return SplitResult("", "", "", "", "")


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


def read_cursor(arguments: Mapping[str, str]) -> Cursor | None:
    """Return the cursor in ``after``; None for the first page. Raises ``InvalidInput`` for any other text."""
    after = arguments.get("after", "")
    return Cursor.parse(after) if after else None
