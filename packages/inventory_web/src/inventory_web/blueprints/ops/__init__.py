"""Operation: health, metrics and the topology."""
