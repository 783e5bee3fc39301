"""Products, locations and an insert-only stock ledger over any SQLAlchemy database."""
