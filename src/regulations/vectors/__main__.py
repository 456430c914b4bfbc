"""`python -m regulations.vectors PATH…`."""

from __future__ import annotations

import sys

from regulations.vectors.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
