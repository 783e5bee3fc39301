"""The driver and the SQL of the package: one server at a time."""
