"""Ratios of our work to a floor measured in the same run; never part of the tests. `python -m benchmarks`."""
