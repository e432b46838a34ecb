"""Work on every core, with threads: numpy, BLAS and ONNX Runtime let go of the interpreter while they compute.

While our threads share out the work, OpenBLAS computes in the thread that calls it: its threads and ours would wait for
each other. numpy's own wheels bring OpenBLAS (Linux, Windows, older macOS); with any other BLAS nothing is changed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

A = TypeVar("A")
B = TypeVar("B")
NAMES = (
    "openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)  # of OpenBLAS's functions


def core_count() -> int:
    """Cores that this process may use; OMP_NUM_THREADS limits them, as it does BLAS's."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(allowed, int(limit))) if limit.isdecimal() else allowed


def pieces(count: int, *, least: int, most: int) -> list[slice]:
    """0..count in equal pieces, as many for each core, of `least` to `most` where that can be."""
    cores = core_count()
    rounds = -(-count // (most * cores))
    wanted = max(1, min(rounds * cores, count // least))
    return [slice(count * k // wanted, count * (k + 1) // wanted) for k in range(wanted)]


def map_on_cores(function: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """[function(item) for item in items]; the exception that is raised is the first item's that has one.

    The threads live for this call alone: a process that is forked afterwards inherits none that it would wait for. In a
    thread that is not the main one the items are done one by one: whoever started it has spread the work already.
    """
    spread = threading.current_thread() is threading.main_thread()
    if len(items) < 2 or core_count() < 2 or not spread:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # here: a command that does one item need not wait for it

    with one_blas_thread(), ThreadPoolExecutor(core_count()) as threads:
        return list(threads.map(function, items))


@dataclass(frozen=True, slots=True)
class Threads:
    """The library's functions that read and set how many threads it uses."""

    get: Any
    set: Any


class _Inside:
    """How many callers are within one_blas_thread(), in any thread, and what the first of them found."""

    lock = threading.Lock()
    count = 0
    before = 1

    @classmethod
    def forget(cls) -> None:
        """In a child process, which has inherited the state of threads that it does not have."""
        cls.lock, cls.count = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Inside.forget)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it, OpenBLAS computes in the thread that calls it; after the last to leave, with as many as before."""
    threads = _threads()
    if threads is None:
        yield
        return
    with _Inside.lock:
        if _Inside.count == 0:
            _Inside.before = threads.get()
            threads.set(1)
        _Inside.count += 1
    try:
        yield
    finally:
        with _Inside.lock:
            _Inside.count -= 1
            if _Inside.count == 0:
                threads.set(_Inside.before)


@lru_cache(maxsize=1)
def _threads() -> Threads | None:
    import ctypes  # here: one picture is one piece of work, and needs no look at the library

    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(path))  # loaded already: this is the one that numpy uses
            except OSError:
                continue
            for name in NAMES:
                if hasattr(library, name.format("set")):
                    return Threads(getattr(library, name.format("get")), getattr(library, name.format("set")))
    return None
