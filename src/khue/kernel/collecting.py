"""How often a process looks for cyclic garbage.

A started Khuê holds some hundred thousand objects that stay until it ends: models, templates, rules. Python's collector
walks them again and again and finds nothing; a page of ours makes few cycles. So what is loaded is left out, and what
comes after is looked through less often: a tenth of the processor's time of a page.
"""

from __future__ import annotations

import gc

OBJECTS = 25_000
"""Containers made and not freed by counting before a look (Python's own: 700 to 2,000, by version)."""


def settle() -> None:
    """Leave what this process holds now out of the search for cyclic garbage; call it when everything is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, 10, 10)
