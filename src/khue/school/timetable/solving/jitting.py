"""One way to compile a function for the inner loops. Only inner loops import this: nothing else of the product loads Numba.

Machine code is kept beside the source, or in the user's cache folder where the installation is read-only (NUMBA_CACHE_DIR
moves it), in a folder named by all sources of the solver: Numba itself asks only whether the file of the function changed,
and what that file takes from another, a constant say, is compiled in. Where no folder can be written at all, each process
compiles for itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import __version__ as numba_version
from numba import boolean, config, int32, int64, njit, uint8, void

HERE = Path(__file__).parent


def _digest() -> str:
    """Return the checksum of everything machine code follows from."""
    total = hashlib.sha256(numba_version.encode())
    for path in sorted(HERE.rglob("*.py")):
        total.update(str(path.relative_to(HERE)).encode() + path.read_bytes())
    return total.hexdigest()[:16]


def _folder() -> Path | None:
    """Return where this version's machine code is kept; None where nothing can be written."""
    own = [Path(os.environ["NUMBA_CACHE_DIR"])] if os.environ.get("NUMBA_CACHE_DIR") else []
    for base in (*own, HERE / "__pycache__", Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "khue"):
        folder = base / f"machine-code-{_digest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


def sweep() -> None:
    """Remove the machine code of former versions beside this one's; `make setup` does, while nothing solves."""
    if not config.CACHE_DIR:
        return
    current = Path(config.CACHE_DIR)
    for former in current.parent.glob("machine-code-*"):
        if former != current:
            shutil.rmtree(former, ignore_errors=True)


if folder := _folder():
    config.CACHE_DIR = str(folder)
config.LOOP_VECTORIZE = 0  # these loops are short: vectors gain nothing and take the compiler half its time
config.SLP_VECTORIZE = 0

COMMON = {"error_model": "numpy", "boundscheck": False, "nogil": True}
"""Divisions as in C; no look whether an index is inside; other threads run meanwhile."""
TYPES = {
    "int": int64, "bool": boolean, "None": void, "Cells": int32[::1], "Tables": uint8[:, :, ::1],
}  # fmt: skip
Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Return the function compiled on its first call, its machine code kept on disk; numbers wrap and divide as in C."""
    try:
        return njit(cache=True, **COMMON)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # "cannot cache function: no locator available": nowhere to write
        return njit(**COMMON)(function)  # type: ignore[no-any-return]


LOCK = threading.RLock()
"""Held while machine code is made or loaded: by one thread at a time, which may need other functions for it."""
LOADERS: list[Callable[[], None]] = []
"""What makes or loads each typed function's machine code."""


def typed(function: Function) -> Function:
    """Return the function compiled for exactly its annotated types (names of TYPES): one piece of machine code each.

    Without it every mixture of widths of whole numbers would be compiled anew, which takes minutes instead of seconds. The
    machine code is made, or loaded, when it is first needed: kept code of a function holds that of all it calls, so of
    dozens of functions only those are loaded that are called from outside.
    """
    names = dict(function.__annotations__)
    result = TYPES[names.pop("return")]
    signature = result(*(TYPES[name] for name in names.values()))
    loop: Any = jit(function)
    template = loop.get_call_template

    def load() -> None:
        with LOCK:
            if not loop.overloads:
                loop.compile(signature)
                loop.disable_compile()

    def called_compiled(args: Any, named: Any) -> Any:
        load()
        return template(args, named)

    def called(*_args: Any, **_named: Any) -> Any:
        load()
        return loop

    # Numba asks these two when a function is called that has no machine code yet: compiled code for what it calls, Python for
    # what to call instead, which is the same function, now that it has its code.
    loop.get_call_template = called_compiled
    loop._compile_for_args = called
    LOADERS.append(load)
    return loop  # type: ignore[no-any-return]


def load_all() -> None:
    """Make or load the machine code of every typed function there is."""
    for load in LOADERS:
        load()
