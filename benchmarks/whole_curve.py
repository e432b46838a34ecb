"""One model, the whole curve: files of one alias at quality 0, 10 ... 100, the last of them exact.

    python -m benchmarks.whole_curve [MODEL] [--data mnist] [--images N]

Everything is written to the disk, sized there and read back. Bars: mean bytes grow with quality, every lossy file is
smaller than the exact one of its image, quality 100 is exact, for MNIST at no more than 116 bytes. Writes
results/whole-curve-DATA.json; 1 where a bar is missed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.measuring.images import Images, describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import through_files
from vaecodec.bitstream.stream import is_exact
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import QUALITY_TOP, Target
from vaecodec.data import load_dataset
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse

QUALITIES = range(0, QUALITY_TOP + 1, 10)
MOST_EXACT_BYTES = {"mnist": 116.0}


@dataclass(frozen=True, slots=True)
class QualityPoint:
    """Files of one quality. exact: how many of them came back exactly; psnr_db: None where all did.

    larger_than_exact: how many lossy files are as large as the exact one of their image, or larger.
    """

    quality: int
    mean_bytes: float
    psnr_db: float | None
    exact: int
    larger_than_exact: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, judge, store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_curve", description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", help="name or file; default: the data's own")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--images", type=int, help="only so many of the test set, evenly spaced")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    test = load_dataset(options.data, "test")
    codec = Codec.load(options.model or options.data)
    images = evenly_spaced(test.images, options.images or len(test))
    points = measure_curve(codec, images)
    missed = judge(points, MOST_EXACT_BYTES.get(options.data))
    for line in (*points, *missed):
        print(line, file=sys.stderr)
    result = {
        "data": {**describe_set(test), "images": len(images)},
        "model": {"name": codec.model.name, "fingerprint": codec.fingerprint.hex()},
        "points": [asdict(point) for point in points],
        "missed": missed,
    }
    write_results(options.out / f"whole-curve-{options.data}.json", result, seed=0)
    return 1 if missed else 0


def measure_curve(codec: Codec, images: Images, qualities: Sequence[int] = QUALITIES) -> list[QualityPoint]:
    """A point for each quality over images uint8 (n, h, w); the last quality is that of the exact files."""
    files = {
        quality: through_files(codec.compress_batch(images, target=Target(quality=quality))) for quality in qualities
    }
    exact_sizes = files[qualities[-1]].sizes
    points = []
    for quality, found in files.items():
        decoded = np.stack(codec.decompress_batch(found.streams))
        error = mse(images, decoded)
        lossy = [not is_exact(data) for data in found.streams]
        pairs = zip(found.sizes, exact_sizes, lossy, strict=True)
        points.append(
            QualityPoint(
                quality,
                float(np.mean(found.sizes)),
                psnr_db_from_mse(float(error.mean())) if error.any() else None,
                int((error == 0).sum()),
                sum(size >= exact for size, exact, loses in pairs if loses),
            )
        )
    return points


def judge(points: Sequence[QualityPoint], most_exact_bytes: float | None) -> list[str]:
    """What is missed, in words."""
    missed = [
        f"quality {after.quality}: {after.mean_bytes:.2f} bytes, quality {before.quality} has {before.mean_bytes:.2f}"
        for before, after in pairwise(points)
        if after.mean_bytes <= before.mean_bytes
    ]
    missed += [
        f"quality {point.quality}: {point.larger_than_exact} lossy files not smaller than the exact ones"
        for point in points
        if point.larger_than_exact
    ]
    last = points[-1]
    if last.psnr_db is not None:
        missed.append(f"quality {last.quality}: not every image came back exactly")
    if most_exact_bytes is not None and last.mean_bytes > most_exact_bytes:
        missed.append(f"quality {last.quality}: {last.mean_bytes:.2f} bytes, at most {most_exact_bytes} allowed")
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
