"""Sources of procedural dSprites, and runs of `archive create --shards` that are watched: speed, memory, events.

sources(folder, images) ──> npz files of IMAGES_A_FILE each
Run(arguments) ──a process──> its JSON lines, the memory of it and of all that it starts
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.machine import ROOT
from vaecodec.data.dsprites_factors import classes_of
from vaecodec.data.dsprites_renderer import render

ROWS = 737_280
IMAGES_A_FILE = 5_000
RENDER_BATCH = 500
WATCHED_S = 0.5


def sources(folder: Path, images: int, seed: int) -> list[str]:
    """Paths of npz files with so many images and their rows as labels; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, start in enumerate(range(0, images, IMAGES_A_FILE)):
        path = folder / f"sprites-{number:04d}.npz"
        count = min(IMAGES_A_FILE, images - start)
        if not path.exists():
            rows = np.random.default_rng([seed, number]).integers(0, ROWS, count)
            parts = [render(classes_of(rows[k : k + RENDER_BATCH])) for k in range(0, count, RENDER_BATCH)]
            np.savez_compressed(path, images=np.concatenate(parts), labels=rows.astype(np.int64))
        paths.append(str(path))
    return paths


class Run:
    """A process of the command line, watched until it ends."""

    def __init__(self, arguments: Sequence[str]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        self.events: list[dict[str, Any]] = []
        self.memory_mb: list[float] = []
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._listen, self._watch)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> int:
        """Its exit code."""
        code = self.process.wait()
        self.elapsed_s = time.monotonic() - self.started
        for thread in self._threads:
            thread.join()
        return code

    @property
    def end(self) -> dict[str, Any]:
        """What it said at the end. Raises AssertionError where it did not come so far."""
        if not self.events or self.events[-1]["event"] != "end":
            raise AssertionError("the run did not end")
        return self.events[-1]

    def memory(self) -> dict[str, float]:
        """Of all its processes together, in the second quarter and in the last one: flat where they are alike."""
        quarter = max(1, len(self.memory_mb) // 4)
        early, late = self.memory_mb[quarter : 2 * quarter] or self.memory_mb, self.memory_mb[-quarter:]
        return {"early_mb": max(early, default=0.0), "late_mb": max(late, default=0.0)}

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def _watch(self) -> None:
        while self.process.poll() is None:
            self.memory_mb.append(sum(map(_resident_mb, descendants(self.process.pid))))
            time.sleep(WATCHED_S)


def descendants(process: int) -> list[int]:
    """A process and all that it started, and so on."""
    parents: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            parents.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    found, waiting = [], [process]
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found


def _parent(process: int) -> int:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # it has ended
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def _resident_mb(process: int) -> float:
    """The memory that is this process' alone, and its share of what it has in common with others."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a run has put there."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
