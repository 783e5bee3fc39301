"""Queries: one module per topic; each query uses one reader and returns frozen rows."""
