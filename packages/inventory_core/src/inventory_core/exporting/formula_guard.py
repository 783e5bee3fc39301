"""Protects texts that a spreadsheet would interpret as formulas.

The characters are those in OWASP's "CSV Injection", with their full-width forms and the line feed.
"""

import re

_FORMULA = re.compile("[=+\\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
_TO_GUARD = re.compile(f"'*{_FORMULA.pattern}")
_GUARDED = re.compile(f"'+{_FORMULA.pattern}")
_GUARD_IN_BYTES = re.compile("'(?:[=+\\-@\t\r\n]|\uff0b|\uff0d|\uff1d|\uff20)".encode())


def looks_like_formula(text: str) -> bool:
    """Return whether a spreadsheet may interpret the text as a formula."""
    return _FORMULA.match(text) is not None


def guard(text: str) -> str:
    """Return the text for a CSV cell, with an apostrophe in front if it looks like a formula; ``unguard`` reverses this.

    A text that already has apostrophes before such a character gets one more, so that the round trip is lossless.
    """
    return f"'{text}" if _TO_GUARD.match(text) else text


def unguard(text: str) -> str:
    """Return the text of a CSV cell without the apostrophe of ``guard``; any other text stays as it is."""
    return text[1:] if _GUARDED.match(text) else text


def may_be_guarded(content: bytes) -> bool:
    """Return False if no cell of this content can have a guard, to skip checking each; for UTF-8 and Windows-1252."""
    return _GUARD_IN_BYTES.search(content) is not None
