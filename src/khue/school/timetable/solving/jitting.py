"""One way to compile a function for the inner loops. Only inner loops import this: nothing else of the product loads Numba.

Machine code is kept beside the source, or in the user's cache folder where the installation is read-only (NUMBA_CACHE_DIR
moves it). Where no folder can be written at all, each process compiles for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import boolean, config, int32, int64, njit, uint8, void

config.LOOP_VECTORIZE = 0  # these loops are short: vectors gain nothing and take the compiler half its time
config.SLP_VECTORIZE = 0

TYPES = {
    "int": int64, "bool": boolean, "None": void, "Cells": int32[::1], "Tables": uint8[:, :, ::1],
}  # fmt: skip
Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Return the function compiled on its first call, its machine code kept on disk; numbers wrap and divide as in C."""
    try:
        return njit(cache=True, error_model="numpy", boundscheck=False)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # "cannot cache function: no locator available": nowhere to write
        return njit(error_model="numpy", boundscheck=False)(function)  # type: ignore[no-any-return]


def typed(function: Function) -> Function:
    """Return the function compiled for exactly its annotated types (names of TYPES): one piece of machine code each.

    Without it every mixture of widths of whole numbers would be compiled anew, which takes minutes instead of seconds.
    """
    names = dict(function.__annotations__)
    result = TYPES[names.pop("return")]
    signature = result(*(TYPES[name] for name in names.values()))
    try:
        return njit(signature, cache=True, error_model="numpy", boundscheck=False)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return njit(signature, error_model="numpy", boundscheck=False)(function)  # type: ignore[no-any-return]
