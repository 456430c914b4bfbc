"""How rows leave and enter: spreadsheets in, the files others want out."""
