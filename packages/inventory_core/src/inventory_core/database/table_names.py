"""Hold the prefix of the core's tables, one for the whole process; `models.set_table_prefix` is the public function."""

import re

from inventory_core.errors import Fault, InvalidInput
from inventory_core.rules.texts import shown

DEFAULT_TABLE_PREFIX = "inventory_"
_VALID = re.compile(r"([a-z][a-z0-9_]{0,15})?")
"""MySQL's identifiers have at most 64 characters, and the longest name of an index has 46 without the prefix."""

_prefix = DEFAULT_TABLE_PREFIX
_used = False


def table_name(name: str) -> str:
    """Return the stored name of a table of the core, such as ``inventory_product`` for ``product``."""
    return _prefix + name


def replace_prefix(prefix: str) -> str:
    """Replace the prefix and return the one before it. Raises what ``set_table_prefix`` raises."""
    global _prefix
    if not _VALID.fullmatch(prefix):
        raise InvalidInput(Fault("prefix", "characters", shown(prefix)))
    if _used and prefix != _prefix:
        raise RuntimeError("the table prefix is set before the first Inventory is made")
    before, _prefix = _prefix, prefix
    return before


def keep_prefix() -> None:
    """Refuse another prefix from now on, because statements are cached with their table names."""
    global _used  # noqa: PLW0603 - the same
    _used = True
