"""Languages, translation catalogues, labels and error messages."""
