"""How Khuê meets others."""
