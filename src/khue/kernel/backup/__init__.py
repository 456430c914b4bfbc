"""Backup, restore and the drill that proves them: database, files, and a manifest of what is in both.

A backup is a folder: `database/` (pg_dump, directory format), `files/` (the store), `files.jsonl` and
`manifest.json`, written last. The manifest holds a checksum of the content of every table, of the schema
with its triggers, grants and policies, of every sequence and of every file, all of one moment; a restore
computes them again and verifies the ledger. Nothing here imports an app: it knows tables, not models.
"""
