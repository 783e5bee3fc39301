"""How many rows a page may have."""

from inventory_core.errors import Fault, InvalidInput
from inventory_core.rules.texts import shown

LARGEST_PAGE = 500


def check_page_size(size: int) -> None:
    """Raise ``InvalidInput`` unless the size is from 1 to 500."""
    if size < 1:
        raise InvalidInput(Fault("size", "zero" if size == 0 else "negative", shown(size)))
    if size > LARGEST_PAGE:
        raise InvalidInput(Fault("size", "too_large", shown(size), LARGEST_PAGE))
