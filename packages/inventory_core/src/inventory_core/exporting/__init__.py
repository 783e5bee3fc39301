"""Export rows to files: columns and writers."""
