"""National code lists in versions."""
