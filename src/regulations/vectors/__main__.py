"""`python -m regulations.vectors PATH…`."""

from __future__ import annotations

import sys

from regulations.vectors.runner import main

sys.exit(main(sys.argv[1:]))
