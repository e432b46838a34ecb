"""Sessions of ONNX Runtime, which is imported when the first one is made, and what a forked child does with them.

Analysis ──whole graph──check_graph──start_session──> a session, of as many threads as there are cores
"""

from __future__ import annotations

import os
import sys
from typing import Any, Protocol
from weakref import WeakSet

from vaecodec.cores import core_count
from vaecodec.errors import FormatError, ModelError
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.onnx_graph import Expected, check_graph


class Holder(Protocol):
    """What holds a session that a fork would copy."""

    def forget_inherited(self) -> None:
        """In a forked child: begin anew, and keep the parent's session for ever, so that nothing destroys it."""
        ...


def start_session(analysis: Analysis, expected: Expected | None = None, *, keeps_memory: bool = True) -> Any:
    """The session of a graph that is not empty, and that holds nothing but operators and tensors of ours.

    expected: the geometry of the graph. keeps_memory: whether what a run needed is kept for the next; large tensors
    should be given back at once. Raises ModelError, and FormatError's children for packed weights.
    """
    graph = analysis.whole()
    try:
        check_graph(graph, expected)
    except FormatError as error:
        raise ModelError(str(error)) from error
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is in the error
    options.enable_cpu_mem_arena = keeps_memory
    options.intra_op_num_threads = core_count()  # left to itself it binds threads to cores that may be taken
    # Threads that wait for work in a loop take the cores from the entropy coder, and from other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            graph,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # to the same provider again, said on standard output, where streams go
        )
    except Exception as error:  # ONNX Runtime's errors share no narrower parent
        raise ModelError(f"the analysis graph is not one that ONNX Runtime can load: {error}") from error


def keep_for_ever(session: Any) -> None:
    """Nothing destroys it: ONNX Runtime would wait for threads that a forked child does not have."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))


def watch_forks(holder: Holder) -> None:
    """Have a holder forget its session in forked children."""
    _THERE.add(holder)


_THERE: WeakSet[Holder] = WeakSet()  # of this process


def _in_forked_child() -> None:  # pragma: no cover: tests fork, and a child's lines are not counted
    """Leave alone what only the parent's threads could finish: its sessions, and ONNX Runtime's own destructors.

    Once ONNX Runtime is imported, a forked child that exits waits in its destructors for ever (1.32: a thread of the
    library's own). Exit handlers run last first, so this one, C's _exit, runs before them, behind Python's own end.
    """
    for holder in list(_THERE):
        holder.forget_inherited()
    if "onnxruntime" in sys.modules:
        import ctypes

        library = ctypes.CDLL(None)
        if hasattr(library, "on_exit"):  # glibc's
            library.on_exit(ctypes.cast(library._exit, ctypes.c_void_p), None)


if hasattr(os, "register_at_fork"):  # pragma: no branch: Windows has none
    os.register_at_fork(after_in_child=_in_forked_child)
