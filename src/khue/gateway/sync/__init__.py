"""Handing on what changed: adapters to the ministry, the national data centre and the provincial bus, with a queue."""
