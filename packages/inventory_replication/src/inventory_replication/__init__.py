"""Units of work over one MySQL source and its replicas, for any SQLAlchemy application."""
