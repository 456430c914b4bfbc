"""Who teaches what to whom."""
