"""The sample catalogue and its history, for ``inventory demo``."""
