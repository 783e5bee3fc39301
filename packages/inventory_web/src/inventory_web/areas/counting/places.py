"""In which place a quick change happens when the form does not say so."""

from inventory_core import ProductDetails


class SeveralPlaces(Exception):
    """The product lies in several places, so the total cannot be set; ``places`` holds (location, quantity)."""

    def __init__(self, places: tuple[tuple[str, int], ...]) -> None:
        self.places = places
        super().__init__("choose one of several places")


def place_of(product: ProductDetails) -> str | None:
    """The place that a form means without naming it: the only one that holds the product; None is the default.

    Raises ``SeveralPlaces``.
    """
    holding = tuple((place, quantity) for place, quantity in product.balances if quantity)
    if len(holding) > 1:
        raise SeveralPlaces(holding)
    if holding:
        return holding[0][0]
    return product.balances[0][0] if len(product.balances) == 1 else None
