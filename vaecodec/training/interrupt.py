"""Ctrl-C and SIGTERM while a run trains: the step that is being done is finished and saved before the run ends.

signal ──noted──> the loop looks after each step ──saved──> Stopped, which says by which signal
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from vaecodec.errors import VaecodecError

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no third one


class Stopped(VaecodecError):
    """A signal has stopped the run, whose last step is saved. number: the signal's."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


class SignalNote:
    """Within it, the first signal that asks the process to end is noted; a second one ends it.

    number: of the noted signal, 0 where there is none. Outside the main thread, and where somebody has decided to
    ignore a signal (as nohup does), nothing is changed.
    """

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalNote:
        if threading.current_thread() is threading.main_thread():
            for name in SIGNALS:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
