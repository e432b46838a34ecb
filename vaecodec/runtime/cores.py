"""Work on every core, with threads: numpy, BLAS and ONNX Runtime let go of the interpreter while they compute."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


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

    from vaecodec.runtime.blas import one_blas_thread

    with one_blas_thread(), ThreadPoolExecutor(core_count()) as threads:
        return list(threads.map(function, items))
