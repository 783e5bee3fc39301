"""Normalize, fold and check texts and product codes."""

import re
import unicodedata
from functools import lru_cache

from inventory_core.errors import Fault

SORT_LENGTH = 255
MAX_SEARCH_WORDS = 20
"""Maximum number of words in a query."""

VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
JOINER = "\u200d"
EMOJI_MODIFIERS = "\ufe0f" + "".join(map(chr, range(0x1F3FB, 0x1F400)))
"""The variation selector for coloured emoji, and the skin tones."""
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_REMEMBERED_BELOW = "\u3000"

MAX_CODE_LENGTH = 64
MAX_KEY_LENGTH = 191


class _Kept(dict[str, str]):
    """Maps the characters of decomposed text: removes combining marks and format characters."""

    def __missing__(self, char: str) -> str:
        category = unicodedata.category(char)
        dropped = unicodedata.combining(char) or category == "Cf" or char in VARIATION_SELECTORS
        kept = "" if dropped else "\ufffd" if category == "Cs" else char
        if char < _REMEMBERED_BELOW:
            self[char] = kept
        return kept


_KEPT = _Kept()


def fold(text: str) -> str:
    """Remove case and accents: "Lámpara" and "LAMPARA" fold to the same text, as do "niño" and "nino".

    Compatibility decomposition without combining marks and invisible format characters (soft hyphen, joiners), then
    case folding (Unicode Standard, 3.13 and annex 15). Half a surrogate pair, which no database stores, becomes U+FFFD.
    """
    return text.lower() if text.isascii() else _fold(text)


# A name is folded for its order and again for the search; a category with each of its products.
@lru_cache(maxsize=256)
def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    # Character by character only where it matters: most of a text is ASCII once it is decomposed.
    return _NOT_ASCII.sub(lambda found: _KEPT[found[0]], decomposed).casefold()


def replace_surrogates(text: str) -> str:
    """Replace each half of a surrogate pair, which databases refuse, with U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def sort_key(text: str) -> str:
    """Return the folded text, cut to the length of a key column."""
    return fold(text)[:SORT_LENGTH]


def shown(value: object) -> str:
    """Return at most 80 characters of any value; for a huge number a placeholder, because Python refuses to convert it."""
    if isinstance(value, int) and abs(value) > 10**80:
        return "…"
    return (value if isinstance(value, str) else repr(value))[:80]


def normalize_line(text: str) -> str:
    """Return the text in normal form C, with runs of white space, line breaks included, as one blank and none at the ends."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def normalize_text(text: str) -> str:
    """Return the text in normal form C, with single line feeds as line ends and no white space at the ends."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").strip())


def search_text(code: str, name: str, description: str, category: str) -> str:
    """Return the text for the search: the folded fields, one per line, so that no word spans two of them.

    Two line ends close the text, so that each character begins a group of three, the unit of the index.
    """
    return fold("\n".join((code, name, " ".join(description.split()), category, "", "")))


def search_words(query: str) -> tuple[str, ...]:
    """Return the distinct folded words of a query; a match contains all of them.

    Only the first 20 count, so that a whole description pasted into the search finds its product.
    """
    words = dict.fromkeys(word for typed in query.split() for word in fold(typed).split())
    return tuple(words)[:MAX_SEARCH_WORDS]


def text_faults(
    field: str, text: str, *, longest: int, required: bool = False, invisible_allowed: bool = False
) -> list[Fault]:
    """Return the faults of a text.

    The text may be empty although ``required``, longer than ``longest`` characters, or contain control characters. Names and codes
    must not contain invisible format characters (category Cf: zero width, direction marks, byte order mark), because two of them
    could look alike and differ. ``invisible_allowed`` is for free texts, in which joiners are part of some scripts and of emoji.
    """
    faults = []
    if required and not text:
        faults.append(Fault(field, "required"))
    if len(text) > longest:
        faults.append(Fault(field, "too_long", text[:80], longest))
    if text.isprintable():
        return faults
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text):
        faults.append(Fault(field, "characters", text[:80]))
    if not invisible_allowed and (found := invisible_characters(text)):
        faults.append(Fault(field, "invisible", " ".join(found)[:80]))
    return faults


def invisible_characters(text: str) -> tuple[str, ...]:
    """Return the distinct format characters (category Cf) of a text, in order, as ``U+200B``.

    Ignores the joiner between two emoji, which combines them (Unicode Technical Standard 51).
    """
    if text.isprintable():
        return ()
    found = dict.fromkeys(
        char
        for place, char in enumerate(text)
        if unicodedata.category(char) == "Cf" and not (char == JOINER and _joins_emoji(text, place))
    )
    return tuple(f"U+{ord(char):04X}" for char in found)


def _joins_emoji(text: str, place: int) -> bool:
    before, after = text[:place].rstrip(EMOJI_MODIFIERS)[-1:], text[place + 1 : place + 2]
    return {unicodedata.category(char) for char in (before or " ", after or " ")} == {"So"}


def normalize_code(text: str) -> str:
    """Return the code as it is shown: normal form C, trimmed, white space as one blank; the case stays as typed."""
    return normalize_line(text)


def code_key(code: str) -> str:
    """Return the key that identifies a code: ignores compatibility forms and case, but not accents."""
    if code.isascii():
        return code.lower()
    return replace_surrogates(unicodedata.normalize("NFKC", code.casefold()).casefold())


def code_faults(code: str, *, stored: bool = False) -> list[Fault]:
    """Return the faults of a normalized code; any printable character is allowed, up to 64 of them.

    A ``stored`` code may hold invisible characters, which earlier versions accepted.
    """
    faults = text_faults("code", code, longest=MAX_CODE_LENGTH, required=True, invisible_allowed=stored)
    if not faults and len(code_key(code)) > MAX_KEY_LENGTH:
        faults.append(Fault("code", "too_long", code, MAX_CODE_LENGTH))
    return faults
