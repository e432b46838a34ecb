"""OpenBLAS on one thread while threads of ours share out the work: its threads and ours would wait for each other.

numpy's own wheels bring OpenBLAS (Linux, Windows, older macOS); with any other BLAS nothing is changed.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads")


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
