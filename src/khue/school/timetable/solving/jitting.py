"""One way to compile a function for the inner loops, with Numba. Only inner loops and what makes their code import this."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

import llvmlite.binding as llvm
from numba import boolean, config, int32, int64, njit, types, uint8, void
from numba.extending import typeof_impl

from khue.school.timetable.solving import machine_code
from khue.school.timetable.solving.machine_code import Loop

if folder := machine_code.folder():
    config.CACHE_DIR = str(folder)
config.LOOP_VECTORIZE = 0  # these loops are short: vectors gain nothing and take the compiler half its time
config.SLP_VECTORIZE = 0

COMMON = {"error_model": "numpy", "boundscheck": False, "nogil": True}
"""Divisions as in C; no look whether an index is inside; other threads run meanwhile."""
TYPES = {"int": int64, "bool": boolean, "None": void, "Cells": int32[::1], "Tables": uint8[:, :, ::1]}
"""What the annotations of a `Loop` stand for."""
SYMBOLS, UNDEFINED = 2, 0
"""In an ELF file: the kind of section that lists symbols; the number of the section of those it does not define."""
DISPATCHERS: dict[Loop, Any] = {}
Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Return the function compiled on its first call, its machine code kept on disk; numbers wrap and divide as in C."""
    try:
        return njit(cache=True, **COMMON)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # "cannot cache function: no locator available": nowhere to write
        return njit(**COMMON)(function)  # type: ignore[no-any-return]


def made(loop: Loop) -> tuple[str, bytes]:
    """Compile a loop with all it calls; return the name of its symbol and an object file."""
    compiled = _compiled(loop).overloads
    (result,) = compiled.values()
    module = llvm.parse_assembly(result.library.get_llvm_str())
    code = machine_code.target_machine().emit_object(module)
    if unknown := missing(code) - machine_code.OUTSIDE.keys():
        raise RuntimeError(f"{loop.__name__} calls {', '.join(sorted(unknown))}, which `machine_code.OUTSIDE` does not name")
    return result.fndesc.mangled_name, code


def missing(code: bytes) -> set[str]:
    """Return the symbols an object file takes from outside; none of a file that is not ELF with 64 bits in small-endian order.

    Whoever loads it has to know each of them: the loader leaves the address of an unknown one at 0, and says nothing.
    """
    if code[:6] != b"\x7fELF\x02\x01":
        return set()
    (headers,), (size, count) = struct.unpack_from("<Q", code, 40), struct.unpack_from("<HH", code, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", code, headers + n * size) for n in range(count)]
    found = set()
    for _, kind, _, _, at, length, strings, _, _, each in sections:
        for entry in range(at, at + length, each) if kind == SYMBOLS else ():
            name, section = struct.unpack_from("<I2xH", code, entry)
            if name and section == UNDEFINED:
                begin = sections[strings][4] + name
                found.add(code[begin : code.index(0, begin)].decode())
    return found


def _dispatcher(loop: Loop) -> Any:
    """Return what Numba knows a loop as; it is compiled when a compiled function turns out to call it."""
    with machine_code.LOCK:
        if loop not in DISPATCHERS:
            DISPATCHERS[loop] = its = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **COMMON)(loop.function)
            template = its.get_call_template

            def called(args: Any, named: Any) -> Any:
                _compiled(loop)
                return template(args, named)

            its.get_call_template = called
        return DISPATCHERS[loop]


def _compiled(loop: Loop) -> Any:
    """Return a loop's dispatcher, compiled for its annotated types and for no others."""
    with machine_code.LOCK:
        its = _dispatcher(loop)
        if not its.overloads:
            its.compile(TYPES[loop.result](*(TYPES[name] for name in loop.names)))
            its.disable_compile()
        return its


@typeof_impl.register(Loop)
def _typeof(loop: Loop, _context: Any) -> Any:
    """Tell Numba what a loop is where compiled code names it."""
    return types.Dispatcher(_dispatcher(loop))
