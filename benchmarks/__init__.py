"""Measurements on a full-sized inventory, as ratios to floors taken in the same run; ``python -m benchmarks``."""
