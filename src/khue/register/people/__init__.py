"""One person, one code for life."""
