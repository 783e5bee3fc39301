"""Export rows to files: what the columns are, and how they are written."""
