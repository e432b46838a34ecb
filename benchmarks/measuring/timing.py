"""Seconds of whole processes, and what is said of several times that were taken of one thing."""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CONSOLE_SCRIPT = Path(sys.executable).with_name("vaecodec")


def elapsed_s(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Wall seconds of a whole process, in this one's environment where none is given. Raises CalledProcessError."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


def spread(times: Sequence[float]) -> dict[str, float]:
    """Median, fastest and slowest, in the unit of the times."""
    return {"median": statistics.median(times), "min": min(times), "max": max(times)}
