"""Units and their dated tree."""
