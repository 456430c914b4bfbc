"""How the sector is governed."""
