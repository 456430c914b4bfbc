"""One way to compile a function for the inner loops. Only inner loops import this: nothing else of the product loads Numba.

Machine code is kept beside the source, or in the user's cache folder where the installation is read-only (NUMBA_CACHE_DIR
moves it). Where no folder can be written at all, each process compiles for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Return the function compiled on its first call, its machine code kept on disk; numbers wrap and divide as in C."""
    try:
        return njit(cache=True, error_model="numpy", boundscheck=False)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # "cannot cache function: no locator available": nowhere to write
        return njit(error_model="numpy", boundscheck=False)(function)  # type: ignore[no-any-return]
