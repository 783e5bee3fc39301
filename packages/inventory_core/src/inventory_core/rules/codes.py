"""Grammar and normal form of product codes."""

import unicodedata

from inventory_core.errors import Fault
from inventory_core.rules.texts import normalize_line, replace_surrogates, text_faults

MAX_CODE_LENGTH = 64
MAX_KEY_LENGTH = 191


def normalize_code(text: str) -> str:
    """The code as it is shown: normal form C, trimmed, white space as one blank; the case stays as typed."""
    return normalize_line(text)


def code_key(code: str) -> str:
    """What makes two codes the same: compatibility forms and case do not count, accents do."""
    if code.isascii():
        return code.lower()
    return replace_surrogates(unicodedata.normalize("NFKC", code.casefold()).casefold())


def code_faults(code: str, *, stored: bool = False) -> list[Fault]:
    """What is wrong with a cleaned code; any printable character is allowed, up to 64 of them.

    A ``stored`` code may hold invisible characters, which earlier versions accepted.
    """
    faults = text_faults("code", code, longest=MAX_CODE_LENGTH, required=True, invisible_allowed=stored)
    if not faults and len(code_key(code)) > MAX_KEY_LENGTH:
        faults.append(Fault("code", "too_long", code, MAX_CODE_LENGTH))
    return faults
