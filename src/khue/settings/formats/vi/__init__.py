"""Vietnamese forms."""
