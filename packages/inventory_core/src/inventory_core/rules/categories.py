"""The predefined categories; people add their own."""

PREDEFINED_CATEGORIES = ("Electrónicos", "Ropa", "Alimentos", "Hogar", "Deportes", "Libros", "Otros")
LONGEST_CATEGORY = 80
WITHOUT_CATEGORY = "-"
"""Stands in filters for the products without one, so no category can be named like this."""
