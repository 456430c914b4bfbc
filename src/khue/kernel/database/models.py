"""No tables of its own; Django sends its migrate signals only to apps with this module."""
