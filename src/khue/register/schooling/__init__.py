"""Classes and placements."""
