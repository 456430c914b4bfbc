"""How pages write dates and numbers."""
