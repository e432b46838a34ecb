"""Bulk tasks of one checkout, in a process of its own: benchmarks.side_by_side runs this file by its path.

    PYTHONPATH=CHECKOUT python -P bulk_worker.py IMAGES.npy EXACT_COUNT

Whatever checkout comes first on the path is measured, an old one too: nothing but the package's public names is used.
It prints the names of its tasks, a JSON list on one line, when each has run once, so that what is loaded and proven at
first use is not counted. Then, for each name that comes on standard input, it runs the task and prints
[seconds, seconds of all cores]. Images are uint8 (n, h, w); the exact tasks take the first EXACT_COUNT.
"""

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import vaecodec

# Where the record of what is asked of a stream has lain.
TARGET_MODULES = ("vaecodec.codec.target", "vaecodec.codec.rate_control", "vaecodec.runtime.rate_control")


def exactly() -> Any:
    """The target of exact images."""
    for name in TARGET_MODULES:
        try:
            return importlib.import_module(name).Target(max_error=0)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"Target is in none of {', '.join(TARGET_MODULES)}")


def tasks_of(images: Any, exact_images: Any, folder: Path) -> dict[str, Callable[[], object]]:
    """The tasks by name."""
    lossy: Any = vaecodec.load("mnist")  # as every commit has it
    exact: Any = vaecodec.load("mnist-lossless")
    target = exactly()
    streams, exact_streams = lossy.compress_batch(images), exact.compress_batch(exact_images, target=target)
    path = folder / "images.vaea"

    def create() -> None:
        with vaecodec.ArchiveWriter.create(path, lossy, overwrite=True) as writer:
            writer.add_batch(images)

    def read() -> None:
        with vaecodec.Archive(path, model=lossy) as archive:
            assert sum(1 for _ in archive) == len(images)

    return {
        "compress_batch": lambda: lossy.compress_batch(images),
        "decompress_batch": lambda: lossy.decompress_batch(streams),
        "lossless compress_batch": lambda: exact.compress_batch(exact_images, target=target),
        "lossless decompress_batch": lambda: exact.decompress_batch(exact_streams),
        "archive create": create,
        "archive read": read,
    }


def serve(tasks: dict[str, Callable[[], object]]) -> None:
    """Run what is asked for until standard input ends."""
    for task in tasks.values():
        task()
    print(json.dumps(list(tasks)), flush=True)
    for line in sys.stdin:
        clock, cores = time.perf_counter(), time.process_time()
        tasks[line.strip()]()
        print(json.dumps([time.perf_counter() - clock, time.process_time() - cores]), flush=True)


if __name__ == "__main__":
    everything = np.load(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="vaecodec-bench-") as name:
        serve(tasks_of(everything, everything[: int(sys.argv[2])], Path(name)))
