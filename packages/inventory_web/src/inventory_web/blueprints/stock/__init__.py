"""Stock: quick quantities, movements, and the history of a quantity."""
