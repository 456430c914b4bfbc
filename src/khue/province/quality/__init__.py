"""Data quality: rules as data, what they find, scores, work-lists, boards."""
