"""The database of the application: settings to an open database, schema, and replication."""
