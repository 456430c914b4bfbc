"""Freezing a period: what every school held on a day, signed by its head, checked above, kept for ever."""
