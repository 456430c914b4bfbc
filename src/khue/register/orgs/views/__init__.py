"""Pages of the tree, by topic: reading it, changing it. One query or one service a view."""
