"""The predefined categories; people add their own."""

PREDEFINED = ("Electrónicos", "Ropa", "Alimentos", "Hogar", "Deportes", "Libros", "Otros")
LONGEST_CATEGORY = 80
