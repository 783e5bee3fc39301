"""Benchmarks on a full-sized inventory, as ratios to floors measured in the same run; ``python -m benchmarks``."""
