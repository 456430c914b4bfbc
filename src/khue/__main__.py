"""`python -m khue` is the `khue` command."""

from khue.cli import main

main()
