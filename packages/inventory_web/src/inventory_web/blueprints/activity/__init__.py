"""The timeline of operations."""
