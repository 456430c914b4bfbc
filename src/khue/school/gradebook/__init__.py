"""Registers, marks, conduct, attendance, and the closing of a term and a year."""
