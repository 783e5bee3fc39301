"""The catalogue: the list of products, their forms, bulk edits, saved views, low stock and locations."""
