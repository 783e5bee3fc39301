"""Change stock: operations, the ledger that they write, idempotency and events."""
