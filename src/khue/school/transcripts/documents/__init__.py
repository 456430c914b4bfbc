"""The học bạ as documents: the printed form (Typst, PDF/A-2a) and its machine-readable twin (XML)."""
