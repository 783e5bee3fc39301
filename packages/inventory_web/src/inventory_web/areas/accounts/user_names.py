"""What a user name must be, and which names look like another one."""

import unicodedata

from inventory_core import MAX_KEY_LENGTH, Fault, code_key, text_faults

LONGEST_NAME = 40
# Japanese and Korean are written in several scripts.
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK"}


def name_faults(cleaned: str) -> list[Fault]:
    """Return what is wrong with a cleaned user name."""
    faults = text_faults("username", cleaned, longest=LONGEST_NAME, required=True)
    if not faults and len(code_key(cleaned)) > MAX_KEY_LENGTH:
        faults.append(Fault("username", "too_long", cleaned, LONGEST_NAME))
    return faults


def is_mixed_script(name: str) -> bool:
    """Whether a name has letters of several scripts, as one that imitates another name has (one Cyrillic letter in "admin")."""
    words = (
        unicodedata.name(char, "").partition(" ")[0] for char in unicodedata.normalize("NFKC", name) if char.isalpha()
    )
    return len({_TOGETHER.get(word, word) for word in words}) > 1
