"""One compressing or decompressing of a photograph in a process of its own: its seconds, and the most memory it held.

    python -m benchmarks.measuring.photo_memory_worker MODEL nothing|compress|decompress PICTURE.npy STREAM

`compress` writes the stream, `decompress` reads it; `nothing` reads the model and the picture alone.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from vaecodec.codec.codec import load

TASKS = ("nothing", "compress", "decompress")


def main(model: str, task: str, picture: str, stream: str) -> None:
    """Print what was measured as JSON."""
    codec = load(model)
    pixels = np.load(picture)
    size = pixels.shape[:2]
    if task == "decompress":
        del pixels
    started = time.perf_counter()
    if task == "compress":
        Path(stream).write_bytes(codec.compress(pixels))
    elif task == "decompress" and codec.decompress(Path(stream).read_bytes()).shape[:2] != size:
        raise AssertionError("another size came back")
    print(json.dumps({"wall_s": time.perf_counter() - started, "peak_bytes": peak_bytes()}))


def peak_bytes() -> int:
    """The most memory that this program held. Linux counts in the rusage what the starting process held before it."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
