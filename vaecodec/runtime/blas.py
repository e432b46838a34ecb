"""OpenBLAS on one thread while threads of ours share out the work: its threads and ours would wait for each other.

numpy's own wheels bring OpenBLAS (Linux, Windows, older macOS); with any other BLAS nothing is changed.
"""

from __future__ import annotations

import ctypes
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


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it, OpenBLAS computes in the thread that calls it; afterwards it has as many threads as before."""
    threads = _threads()
    if threads is None:
        yield
        return
    before = threads.get()
    threads.set(1)
    try:
        yield
    finally:
        threads.set(before)


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
