"""The catalogue of the sector database's fields and the homes of their values."""
