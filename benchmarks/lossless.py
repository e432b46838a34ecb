"""Exact images against their bars: single files, one archive without names, where the bits go, foreign images, speed.

    python -m benchmarks.lossless --data mnist --model mnist [--images 1000] [--split test]

Writes results/lossless-DATA.json. Everything is written to the disk, sized there, read back and compared.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.checks import amortised_bytes
from benchmarks.measuring.exact_files import EXACTLY, measure_exact_files, same_pixels
from benchmarks.measuring.images import Images
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.studies.foreign import foreign_sets
from benchmarks.studies.lossless_bars import lossless_bars
from benchmarks.studies.lossless_parts import measure_parts
from vaecodec.archive.reader import Archive
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.modelfile.model import pack_model

SINGLE_IMAGES = 50  # compressed and decompressed one by one


def measure_archive(codec: Codec, images: Images) -> dict[str, Any]:
    """One archive without names; raises AssertionError where an image does not come back."""
    with tempfile.TemporaryDirectory(prefix="vaecodec-bench-") as folder:
        path = Path(folder) / "images.vaea"
        started = time.perf_counter()
        with ArchiveWriter.create(path, codec, target=EXACTLY) as writer:
            writer.add_batch(images)
        created_s = time.perf_counter() - started
        size_bytes = path.stat().st_size
        started = time.perf_counter()
        with Archive(path, model=codec) as archive:
            same_pixels(images, list(archive))
        read_s = time.perf_counter() - started
    return {
        "bytes": size_bytes,
        "bytes_per_image": size_bytes / len(images),
        "bits_per_pixel": 8 * size_bytes / images.size,
        "created_images_per_s": len(images) / created_s,
        "read_images_per_s": len(images) / read_s,
    }


def measure_single(codec: Codec, images: Images) -> dict[str, float]:
    """Milliseconds of one image after the other, the median; what is loaded at the first is not counted."""
    spans: dict[str, list[float]] = {"compress_ms": [], "decompress_ms": []}
    for image in images[: SINGLE_IMAGES + 1]:
        started = time.perf_counter()
        data = codec.compress(image, lossless=True)
        between = time.perf_counter()
        codec.decompress(data)
        spans["compress_ms"].append(1000 * (between - started))
        spans["decompress_ms"].append(1000 * (time.perf_counter() - between))
    return {name: float(np.median(times[1:])) for name, times in spans.items()}


def measure_all(codec: Codec, images: Images) -> dict[str, Any]:
    """Everything that is said of one model on one set of images."""
    part = codec.lossless.part
    results: dict[str, Any] = {"files": measure_exact_files(codec, images), "archive": measure_archive(codec, images)}
    print(results, file=sys.stderr)
    results["parts"] = measure_parts(part, codec.lossless.analyse(codec.frame.fit_all(images)), images).to_dict(
        images[0].size
    )
    print(results["parts"], file=sys.stderr)
    results["single"] = measure_single(codec, images)
    results["foreign"] = {}
    for foreign in foreign_sets(images):
        results["foreign"][foreign.name] = measure_exact_files(codec, foreign.images)
        print(foreign.name, results["foreign"][foreign.name], file=sys.stderr)
    model_bytes = len(pack_model(codec.model))
    results["model"] = {
        "name": codec.model.name,
        "bytes": model_bytes,
        "archive_bytes_with_model_over": amortised_bytes(results["archive"]["bytes_per_image"], model_bytes),
        "finish": codec.model.about.get("finish"),
    }
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lossless", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--split", default="test")
    parser.add_argument("--images", type=int, help="only the first so many of the split")
    parser.add_argument("--model", default="mnist", help="name or file")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    dataset = load_dataset(options.data, options.split)
    images = dataset.images[: options.images]
    described = {"name": dataset.name, "split": dataset.split, "source": dataset.source, "images": len(images)}
    results = {"data": described, **measure_all(Codec.load(options.model), images)}
    results["bars"] = [bar.to_dict() for bar in lossless_bars(options.data, results)]
    path = options.out or RESULTS / f"lossless-{options.data}.json"
    write_results(path, results, seed=0)
    print(path)


if __name__ == "__main__":
    main()
