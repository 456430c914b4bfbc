"""The database under everything: embedded server, roles and grants, row-level scope, triggers."""
