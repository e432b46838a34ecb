"""Rate and distortion of the classical codecs over whole test sets: results/classical-<data>.json.

    python -m benchmarks.classical [--data mnist] [--quick] [--force]

Every file is written and read back. The slow codecs see a part of the images, evenly spaced over the set; each point
says how many it saw. A result that is there already is not made again without --force.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring.images import DATA, Images, describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.points import describe, measure_classical
from vaecodec.data import load_dataset
from vaecodec.evaluation.classical import classical_codecs
from vaecodec.evaluation.rd import RateCurve, RatePoint

QUICK_IMAGES = 100
SETTINGS = "encoder options as in vaecodec/evaluation/classical.py; on validation images: classical-settings.json"
MAX_IMAGES = {"AVIF": 1000, "JPEG XL": 2000}  # 4 and 2.5 ms an image and setting; lossless JPEG XL sees all


def measure_all(images: Images, data: str, *, most: int | None = None) -> list[RateCurve]:
    """The curve of each classical codec that this machine has; `most` limits the images of every codec."""
    points: dict[str, list[RatePoint]] = {}
    for codec in classical_codecs():
        limit = len(images) if codec.lossless else MAX_IMAGES.get(codec.name, len(images))
        started = time.process_time()
        point = measure_classical(codec, evenly_spaced(images, min(limit, most or limit)))
        points.setdefault(codec.name, []).append(point)
        print(f"{describe(point)}  {time.process_time() - started:5.1f} s", file=sys.stderr)
    return [RateCurve(name, data, tuple(of_codec)) for name, of_codec in points.items()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classical", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_IMAGES} images, into classical-<data>-quick.json")
    parser.add_argument("--force", action="store_true", help="measure again what is there")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    for name in options.data or DATA:
        path = options.out / f"classical-{name}{'-quick' if options.quick else ''}.json"
        if path.exists() and not options.force:
            print(f"{path}: there already", file=sys.stderr)
            continue
        dataset = load_dataset(name, "test")
        curves = measure_all(dataset.images, name, most=QUICK_IMAGES if options.quick else None)
        results = {
            "data": describe_set(dataset),
            "settings": SETTINGS,
            "curves": [curve.to_dict() for curve in curves],
        }
        write_results(path, results, seed=None)
        print(path)


if __name__ == "__main__":
    main()
