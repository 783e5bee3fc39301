"""What is right: pure functions and value types; no session, no I/O."""
