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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import RESULTS, write_results
from vaecodec.data import ImageSet, load_dataset
from vaecodec.evaluation.classical import ClassicalCodec, classical_codecs
from vaecodec.evaluation.rd import RateCurve, RatePoint, measure_point

DATA = ("mnist", "dsprites")
QUICK_IMAGES = 100
SETTINGS = "encoder options as in vaecodec/evaluation/classical.py; on validation images: classical-settings.json"
MAX_IMAGES = {"AVIF": 1000, "JPEG XL": 2000}  # 4 and 2.5 ms an image and setting; lossless JPEG XL sees all


def evenly_spaced(images: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """At most `most` of the images, evenly spaced over the set, first and last among them."""
    if len(images) <= most:
        return images
    return images[np.linspace(0, len(images) - 1, most).round().astype(np.int64)]


def measure(codec: ClassicalCodec, images: NDArray[np.uint8]) -> RatePoint:
    """One setting over images uint8 (n, h, w): every file made, read back and, where lossless, compared."""
    files = [codec.encode(image) for image in images]
    decoded = np.stack([codec.decode(data) for data in files])
    point = measure_point(
        codec.name,
        codec.setting,
        images,
        decoded,
        file_sizes=[len(data) for data in files],
        payload_sizes=[codec.payload_size(data) for data in files],
    )
    if codec.lossless and not point.lossless:
        raise AssertionError(f"{codec.name} {codec.setting} is said to be lossless and is not")
    return point


def measure_all(images: NDArray[np.uint8], data: str, *, most: int | None = None) -> list[RateCurve]:
    """The curve of each classical codec that this machine has; `most` limits the images of every codec."""
    points: dict[str, list[RatePoint]] = {}
    for codec in classical_codecs():
        limit = len(images) if codec.lossless else MAX_IMAGES.get(codec.name, len(images))
        started = time.process_time()
        point = measure(codec, evenly_spaced(images, min(limit, most or limit)))
        points.setdefault(codec.name, []).append(point)
        print(f"{describe(point)}  {time.process_time() - started:5.1f} s", file=sys.stderr)
    return [RateCurve(name, data, tuple(of_codec)) for name, of_codec in points.items()]


def describe(point: RatePoint) -> str:
    """One line of a table."""
    psnr = "  exact" if point.psnr_db is None else f"{point.psnr_db:7.2f}"
    return (
        f"{point.codec:10} {point.setting:12} {point.images:6} images {point.file_bytes:7.1f} B file"
        f" {point.payload_bytes:7.1f} B payload {psnr} dB  MS-SSIM({point.ms_ssim_scales}) {point.ms_ssim:.4f}"
    )


def describe_set(dataset: ImageSet) -> dict[str, Any]:
    """What a result says about the images that it was measured on."""
    return {
        "name": dataset.name,
        "split": dataset.split,
        "source": dataset.source,
        "images": len(dataset.images),
        "height": dataset.images.shape[1],
        "width": dataset.images.shape[2],
        "pixels_sha256": dataset.sha256,
    }


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
