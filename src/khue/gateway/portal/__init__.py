"""Pages for everybody; owns no facts."""
