"""Functions of the inner loops as machine code: made by Numba once, kept on disk, loaded and called without Numba.

Numba takes longer to import than most schools take to place, so only what makes machine code imports it (`jitting`): `make
setup` does, or else the first call. The code is kept beside the source, or in the user's cache folder where the installation
is read-only (NUMBA_CACHE_DIR moves it), in a folder named by all sources of the solver, since what a function calls and the
constants it takes from elsewhere are compiled in, and by the processor. Where no folder can be written at all, each process
compiles for itself.
"""

from __future__ import annotations

import ctypes
import hashlib
import operator
import os
import shutil
import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import llvmlite.binding as llvm
import numpy as np

HERE = Path(__file__).parent
NUMBERS: dict[str, tuple[Any, Callable[[Any], int]]] = {"int": (ctypes.c_int64, operator.index), "bool": (ctypes.c_uint8, bool)}
ARRAYS: dict[str, tuple[Any, int]] = {"Cells": (np.dtype(np.int32), 1), "Tables": (np.dtype(np.uint8), 3)}
"""What an annotation of a loop stands for: a number and how it is made of a value, or an array in C's order of (a type, dimensions)."""
OUTSIDE = {name: name for name in ("exp", "memcpy", "memmove", "memset")} | {"NRT_MemInfo_call_dtor": "abort"}
"""What machine code may call from outside, and which function of C that is. The last one frees arrays nobody owns any more: never
those handed over here, which nobody there owns, nor any others, since loops make none."""
RETURNED: dict[str, Callable[[int], Any]] = {"int": int, "bool": bool, "None": lambda _: None}
LOCK = threading.RLock()
"""Held while machine code is made or loaded: by one thread at a time, which may need other functions for it."""
Function = TypeVar("Function", bound=Callable[..., Any])


def _digest() -> str:
    """Return the checksum of everything machine code follows from."""
    spec = find_spec("numba")
    releases = Path(spec.origin).parents[1].glob("numba-*.dist-info") if spec and spec.origin else ()
    made_by = [*sorted(release.name for release in releases), llvmlite.__version__]
    made_for = [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    total = hashlib.sha256("\n".join(made_by + made_for).encode())
    for path in sorted(HERE.rglob("*.py")):
        total.update(str(path.relative_to(HERE)).encode() + path.read_bytes())
    return total.hexdigest()[:16]


def find_folder() -> Path | None:
    """Return where this version's machine code is kept; None where nothing can be written."""
    own = [Path(os.environ["NUMBA_CACHE_DIR"])] if os.environ.get("NUMBA_CACHE_DIR") else []
    name = f"machine-code-{_digest()}"
    for base in (*own, HERE / "__pycache__", Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "khue"):
        folder = base / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


@cache
def folder() -> Path | None:
    """Return where this process keeps machine code and looks for it."""
    return find_folder()


def sweep() -> None:
    """Remove the machine code of former versions beside this one's; `make setup` does, while nothing solves."""
    current = folder()
    for former in current.parent.glob("machine-code-*") if current else ():
        if former != current:
            shutil.rmtree(former, ignore_errors=True)


@cache
def _target() -> llvm.Target:
    """Return the kind of processor; what code for it may call from outside is known from then on."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for name, its in OUTSIDE.items():
        llvm.add_symbol(name, ctypes.cast(getattr(ctypes.CDLL(None), its), ctypes.c_void_p).value)
    return llvm.Target.from_default_triple()


def target_machine() -> llvm.TargetMachine:
    """Return this computer, as code is made for it."""
    return _target().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, codemodel="jitdefault", jit=True
    )


class Loop:
    """A function of numbers and arrays as its annotations say; calls from Python run its machine code.

    Compiled code that calls it knows it as a function of Numba's own (see `jitting`). Values of another kind raise TypeError,
    another number of them ValueError; whole numbers wrap at 64 bits. Meanwhile other threads of Python run.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        annotations = {name: str(its) for name, its in function.__annotations__.items()}
        self.result = annotations.pop("return")
        self.names = tuple(annotations.values())
        self._entry: Callable[..., int] | None = None
        self._engine: llvm.ExecutionEngine | None = None

    def __call__(self, *args: Any) -> Any:
        """Run the machine code."""
        entry = self._entry or self.load()
        flat: list[int | None] = []
        for name, value in zip(self.names, args, strict=True):
            if name in NUMBERS:
                flat.append(NUMBERS[name][1](value))
            else:
                flat += _described(value, *ARRAYS[name])
        result, error = ctypes.c_int64(0), ctypes.c_void_p(None)
        if status := entry(ctypes.byref(result), ctypes.byref(error), *flat):
            raise RuntimeError(f"{self.__name__} ended with status {status}")
        return RETURNED[self.result](result.value)

    def load(self) -> Callable[..., int]:
        """Load the machine code, making it first where none is kept; return what calls it."""
        with LOCK:
            if self._entry is None:
                self._entry = self._loaded()
            return self._entry

    @property
    def is_made(self) -> bool:
        """Return whether the machine code is loaded, or kept to be loaded."""
        kept = self._kept()
        return self._entry is not None or (kept is not None and kept.exists())

    def _loaded(self) -> Callable[..., int]:
        kept = self._kept()
        found = _read(kept)
        if found is None:
            from khue.school.timetable.solving import jitting

            found = jitting.made(self)
            if kept is not None:
                _write(kept, *found)
        symbol, code = found
        machine = target_machine()  # before anything is parsed: it makes the processor known
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        kinds: list[Any] = []
        for name in self.names:
            kinds += [NUMBERS[name][0]] if name in NUMBERS else _array_kinds(ARRAYS[name][1])
        self._engine = engine  # it owns the code
        return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *kinds)(engine.get_function_address(symbol))

    def _kept(self) -> Path | None:
        """Return the file of the machine code; None for a function that is none of the solver's, or without a folder."""
        place = folder()
        if place is None or not Path(self.function.__code__.co_filename).is_relative_to(HERE):
            return None
        return place / f"{self.__module__.rpartition('.')[2]}.{self.function.__qualname__}.o"


def _array_kinds(dimensions: int) -> list[Any]:
    """Return how Numba hands an array over: owner twice, numbers of elements and of bytes each, address, shape, strides."""
    return [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, *([ctypes.c_int64] * (2 * dimensions))]


def _described(array: Any, kind: Any, dimensions: int) -> tuple[int | None, ...]:
    """Return an array as Numba hands it over; nobody there owns it, since the caller keeps it alive."""
    if not isinstance(array, np.ndarray) or array.dtype != kind or array.ndim != dimensions or not array.flags.c_contiguous:
        raise TypeError(f"needs an array of {kind} with {dimensions} dimensions in C's order, not {type(array).__name__}")
    return (None, None, array.size, array.itemsize, array.ctypes.data, *array.shape, *array.strides)


def _read(kept: Path | None) -> tuple[str, bytes] | None:
    """Return the symbol and the code in a file; None without one, or where it is not whole."""
    try:
        checksum, symbol, code = kept.read_bytes().split(b"\n", 2) if kept else (b"", b"", b"")
    except (OSError, ValueError):
        return None
    if hashlib.sha256(symbol + b"\n" + code).hexdigest().encode() != checksum:
        return None
    return symbol.decode(), code


def _write(kept: Path, symbol: str, code: bytes) -> None:
    """Keep the code, whole or not at all; another process may do the same now."""
    content = symbol.encode() + b"\n" + code
    mine = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        mine.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        mine.replace(kept)
    except OSError:  # the disk is full, say: this process has its code
        mine.unlink(missing_ok=True)


CALLED: list[Loop] = []
"""The loops that are called from Python."""


def typed(function: Function) -> Function:
    """Return the function compiled for exactly its annotated types (NUMBERS, ARRAYS): one piece of machine code each.

    Without it every mixture of widths of whole numbers would be compiled anew, which takes minutes instead of seconds.
    """
    return Loop(function)  # type: ignore[return-value]


def called(function: Function) -> Function:
    """Return the function as `typed` does; it is called from Python, so its machine code is made ahead."""
    CALLED.append(loop := Loop(function))
    return loop  # type: ignore[return-value]


def is_made() -> bool:
    """Return whether nothing known so far has to be made before it is called."""
    return all(loop.is_made for loop in CALLED)


def load_all() -> None:
    """Make or load the machine code of every loop called from Python."""
    for loop in CALLED:
        loop.load()
