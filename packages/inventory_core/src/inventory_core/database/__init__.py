"""Connect to a database: engines, sessions, dialects, schema."""
