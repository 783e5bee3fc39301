"""Import products and balances from files."""
