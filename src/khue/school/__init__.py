"""What a school does."""
