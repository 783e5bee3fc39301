"""Keep the catalogue: products, categories and locations."""
