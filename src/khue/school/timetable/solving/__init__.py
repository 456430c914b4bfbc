"""The solving core: problems as data, the engine, an independent check, formats. Knows nothing of Django."""
