"""Filters of the list under a name, for oneself or for everybody."""
