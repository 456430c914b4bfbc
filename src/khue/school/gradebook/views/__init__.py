"""Pages of the gradebook, by topic: one query or one service a view."""
