"""A part of a measurement in a process of its own, with a number of threads: numpy reads it when it starts.

module, arguments, threads --python -m--> JSON on standard output
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.measuring.machine import ROOT

THREADS = (1, 2)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_worker(module: str, arguments: Sequence[str], threads: int) -> Any:
    """What the module prints, parsed. Raises CalledProcessError where it fails."""
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)
