"""The law as people read and try it: the legal shelf, worked examples, comparing and recomputing under rule sets."""
