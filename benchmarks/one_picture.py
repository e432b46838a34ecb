"""One small picture at a time in a process that is warm: decompress, and Pillow's open, of files: one-picture.json.

    python -m benchmarks.one_picture [--data mnist] [--model mnist] [--pictures 500]

Every picture is another one, and the three ways take turns, so that a machine whose speed drifts slows all of them.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

import vaecodec.integrations.pillow  # noqa: F401 (registers)
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.timing import spread
from vaecodec.codec.codec import Codec
from vaecodec.codec.synthesis import PLAN_AFTER
from vaecodec.data import load_dataset

TURN = 50  # pictures that one way does before the next: each keeps its own caches warm
LARGEST_MS = {"decompress": 0.3, "open_vae": 0.6}  # medians


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a median is above its bar, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_picture", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--model", default="mnist")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULTS / "one-picture.json")
    options = parser.parse_args(arguments)
    images = load_dataset(options.data, "validation").images[: PLAN_AFTER + 2 + options.pictures]
    codec = Codec.load(options.model)
    with tempfile.TemporaryDirectory(prefix="vaecodec-one-picture-") as name:
        folder = Path(name)
        streams = codec.compress_batch(images, level=codec.model.default_level)
        for k, (image, stream) in enumerate(zip(images, streams, strict=True)):
            (folder / f"{k}.vae").write_bytes(stream)
            Image.fromarray(image).save(folder / f"{k}.png")
        times = time_in_turn(
            {
                "decompress": lambda k: codec.decompress(streams[k]),
                "open_vae": lambda k: load(folder / f"{k}.vae"),
                "open_png": lambda k: load(folder / f"{k}.png"),
            },
            len(images),
        )
    warm = {what: one[-options.pictures :] for what, one in times.items()}
    holds = {what: statistics.median(warm[what]) <= most for what, most in LARGEST_MS.items()}
    result = {
        "data": options.data,
        "model": codec.model.name,
        "pictures": options.pictures,
        "milliseconds": {what: spread(one) for what, one in warm.items()},
        "largest_ms": LARGEST_MS,
        "holds": holds,
    }
    write_results(options.out, result, seed=None)
    print(f"{options.out}: " + ", ".join(f"{what} {statistics.median(one):.3f} ms" for what, one in warm.items()))
    return 0 if all(holds.values()) else 1


def load(path: Path) -> None:
    """Open an image file and decode it."""
    with Image.open(path) as image:
        image.load()


def time_in_turn(ways: dict[str, Callable[[int], object]], count: int) -> dict[str, list[float]]:
    """Milliseconds of each way for each picture, TURN pictures at a time."""
    times: dict[str, list[float]] = {what: [] for what in ways}
    for first in range(0, count, TURN):
        for what, way in ways.items():
            for k in range(first, min(first + TURN, count)):
                started = time.perf_counter()
                way(k)
                times[what].append(1000 * (time.perf_counter() - started))
    return times


if __name__ == "__main__":
    sys.exit(main())
