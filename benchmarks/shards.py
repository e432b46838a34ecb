"""Shards against their bars: speed of both engines beside one process a core without one, memory, equal bytes.

    python -m benchmarks.shards [--images 1000000] [--shards 200] [--workers 1 2 4] [--engines local ray] [--rounds 3]

Writes results/shards.json. The sources are procedural dSprites in npz files. "No engine" is `archive create
--no-verify` (a shard measures a sample alone) in as many processes as there are cores, each with its share of the
files, all started at once. Every run is of its own processes, and its time includes their start; images_per_s of a run
counts from when its engine is started. Needs a quiet machine.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from benchmarks.measuring.shard_runs import Run, contents, sources
from vaecodec.cores import core_count

SEED = 0
LEAST_SPEED = 0.95  # of no engine's
MOST_GROWTH = 1.1  # of memory, from the second quarter of a run to the last


def without_engine(paths: Sequence[str], folder: Path, model: str, processes: int) -> float:
    """Seconds of so many processes, each making one archive."""
    command = ["env", f"PYTHONPATH={ROOT}", "OMP_NUM_THREADS=1", sys.executable, "-m", "cli", "archive", "create"]
    started = time.monotonic()
    running = []
    for k in range(processes):
        made = str(folder / f"part-{k}.vaea")
        line = [*command, made, *paths[k::processes], "--model", model, "--no-verify", "--force"]
        running.append(subprocess.Popen(line, cwd=ROOT, stderr=subprocess.DEVNULL))
    if any(process.wait() for process in running):
        raise AssertionError("archive create failed")
    return time.monotonic() - started


def with_engine(arguments: Sequence[str], images: int) -> dict[str, Any]:
    """A run of the command line."""
    run = Run([*arguments, "--json"])
    if run.wait():
        raise AssertionError(f"{' '.join(arguments)} failed")
    return {
        "wall_s": run.elapsed_s,
        "images_per_s_wall": images / run.elapsed_s,
        "images_per_s_engine": images / run.end["elapsed_s"],
        **run.memory(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shards", description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--engines", nargs="*", default=["local", "ray"], choices=["local", "ray"])
    parser.add_argument("--rounds", type=int, default=3, help="of no engine and each engine in turn")
    parser.add_argument("--model", default="dsprites")
    parser.add_argument("--sources", type=Path, help="a folder that keeps the npz files")
    parser.add_argument("--out", type=Path, default=RESULTS / "shards.json")
    options = parser.parse_args(arguments)
    cores = core_count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = sources(options.sources or folder / "sources", options.images, SEED)
        first: dict[str, bytes] | None = None
        equal = True
        plain: list[float] = []
        engines: dict[str, list[dict[str, Any]]] = {}

        def measure(label: str, *more: str) -> None:
            nonlocal first, equal
            out = folder / "out"
            line = ["archive", "create", str(out), *paths, "--model", options.model, "--shards", str(options.shards)]
            engines.setdefault(label, []).append(with_engine([*line, "--force", *more], options.images))
            print(label, engines[label][-1], file=sys.stderr)
            made = contents(out)
            first = first or made
            equal &= made == first
            for path in out.iterdir():
                path.unlink()

        for _ in range(options.rounds):
            plain.append(options.images / without_engine(paths, folder, options.model, cores))
            print("no engine", plain[-1], file=sys.stderr)
            for engine in options.engines:
                measure(engine, "--engine", engine)
        for workers in options.workers:
            measure(f"local, {workers} workers", "--workers", str(workers))
    best = max(plain)
    speeds = {engine: max(run["images_per_s_engine"] for run in engines[engine]) / best for engine in options.engines}
    growth = max(run["late_mb"] / max(run["early_mb"], 1.0) for runs in engines.values() for run in runs)
    results = {
        "images": options.images,
        "shards": options.shards,
        "model": options.model,
        "processes": cores,
        "no_engine_images_per_s": plain,
        "engines": engines,
        "speed_of_no_engine": speeds,
        "bars": {
            "as_fast": {engine: speed >= LEAST_SPEED for engine, speed in speeds.items()},
            "memory_flat": growth <= MOST_GROWTH,
            "equal_bytes": equal,
        },
    }
    write_results(options.out, results, seed=SEED)
    print(options.out)


if __name__ == "__main__":
    main()
