"""The words of the generated catalogue: goods of shops, by category."""

from typing import NamedTuple


class Shelf(NamedTuple):
    """A category, its code prefix, and its products."""

    category: str | None
    prefix: str
    things: tuple[str, ...]


SHELVES = (
    Shelf(
        "Electrónicos",
        "ELE",
        ("Lámpara de mesa", "Altavoz", "Teclado", "Ratón óptico", "Cargador rápido", "Cámara", "Batería"),
    ),
    Shelf("Ropa", "ROP", ("Camisa", "Pantalón", "Chaqueta", "Calcetín", "Sombrero", "Cinturón", "Zapato")),
    Shelf(
        "Alimentos", "ALI", ("Café molido", "Aceite de oliva", "Arroz", "Azúcar", "Té verde", "Galleta", "Atún en lata")
    ),
    Shelf("Hogar", "HOG", ("Silla", "Estantería", "Almohada", "Cortina", "Sartén", "Vaso", "Mantel")),
    Shelf("Deportes", "DEP", ("Balón", "Raqueta", "Casco de montaña", "Guante", "Bicicleta", "Esterilla", "Cuerda")),
    Shelf("Libros", "LIB", ("Novela", "Atlas", "Diccionario", "Cuaderno", "Agenda", "Poesía", "Guía de viaje")),
    Shelf("Otros", "OTR", ("Caja", "Bolsa", "Etiqueta", "Vela", "Imán", "Llavero", "Cesta")),
    Shelf("Ferretería", "FER", ("Tornillo", "Tuerca", "Broca", "Martillo", "Llave inglesa", "Cinta métrica", "Sierra")),
    Shelf("Jardín", "JAR", ("Maceta", "Semilla", "Manguera", "Tijera de podar", "Abono", "Regadera", "Pala")),
    Shelf("Oficina", "OFI", ("Bolígrafo", "Carpeta", "Grapadora", "Sobre", "Papel A4", "Rotulador", "Archivador")),
    Shelf("Limpieza", "LIM", ("Jabón líquido", "Esponja", "Escoba", "Cubo", "Lejía", "Guante de goma", "Paño")),
    Shelf(None, "SIN", ("Repuesto", "Muestra", "Juego", "Surtido", "Pieza", "Kit", "Recambio")),
)
COLOURS = ("rojo", "azul", "verde", "negro", "blanco", "gris", "amarillo", "marrón", "violeta", "turquesa")
MATERIALS = ("madera", "acero", "algodón", "plástico", "vidrio", "cuero", "aluminio", "cerámica", "papel", "corcho")
MAKERS = ("Norte", "Cóndor", "Ñandú", "Altamira", "Río Bravo", "Quetzal", "Guadiana", "Xalapa", "Wayra", "Kiruna")
REMARKS = (
    "Se entrega en su caja, con instrucciones en español y un juego de tornillos para el montaje.",
    "Para interior y exterior; resiste la lluvia y el sol. Se limpia con un paño húmedo, sin disolventes.",
    "Pedido mínimo de dos unidades. El plazo habitual es de una semana, salvo en temporada alta.",
    "Con garantía de 24 meses del fabricante; conservar la factura.",
    "",
    "Guardar en lugar seco; no apilar más de 5 cajas. Revisar la fecha del lote antes de ponerlo a la venta.",
)
LOCATIONS = (
    "Almacén norte", "Almacén sur", "Tienda centro", "Tienda puerto", "Taller", "Muelle", "Cámara fría",
    "Estante A", "Estante B", "Estante C", "Devoluciones", "Escaparate", "Furgoneta",
)  # fmt: skip
RARE_NAME = "Péndulo de Foucault"
"""Products that occur only once in the catalogue."""
