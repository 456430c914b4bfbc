"""The học bạ: year results frozen, signed, superseded, never edited."""
