"""What was done, in order of time."""
