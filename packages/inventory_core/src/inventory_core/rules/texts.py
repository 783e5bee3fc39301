"""Texts as people type them, and the folded forms that are compared, sorted and searched."""

import unicodedata

from inventory_core.errors import Fault

SORT_LENGTH = 255


def fold(text: str) -> str:
    """Take away case and accents: "Lámpara" and "LAMPARA" fold to the same text.

    Compatibility decomposition without combining marks, then case folding (Unicode Standard, 3.13 and annex 15).
    """
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def sort_key(text: str) -> str:
    """The folded text, cut to the length of a key column."""
    return fold(text)[:SORT_LENGTH]


def one_line(text: str) -> str:
    """The text in normal form C, with runs of white space, line breaks included, as one blank and none at the ends."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def many_lines(text: str) -> str:
    """The text in normal form C, with line ends as ``\\n`` and no white space at the ends."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").strip())


def search_text(code: str, name: str, description: str, category: str) -> str:
    """What the search looks into: the folded fields, one a line, so that no word spans two of them."""
    return "\n".join((fold(code), fold(name), fold(" ".join(description.split())), fold(category)))


def search_words(query: str) -> tuple[str, ...]:
    """The folded words of a query, each once; all of them must be contained."""
    return tuple(dict.fromkeys(fold(query).split()))


def text_faults(field: str, text: str, *, longest: int, required: bool = False) -> list[Fault]:
    """What is wrong with a text: empty though required, longer than ``longest`` characters, or with control characters."""
    faults = []
    if required and not text:
        faults.append(Fault(field, "required"))
    if len(text) > longest:
        faults.append(Fault(field, "too_long", text[:80], longest))
    if not text.isprintable() and any(
        unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text
    ):
        faults.append(Fault(field, "characters", text[:80]))
    return faults
