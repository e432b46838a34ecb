"""Bulk speed against Pillow's WebP, side by side: lists of images and lists of single streams in memory: speed.json.

    python -m benchmarks.speed [--data mnist] [--model NAME] [--level L] [--images N] [--rounds 7]

One process. Each round times every task once, so that a machine whose speed drifts slows all; ratios are of the
medians. WebP at method 6 has the quality whose PSNR is nearest to the model's. Pillow is called image by image, as
people call it; beside it stands Pillow on as many threads as this machine has cores. Bars: decompressing 3 times,
compressing 4 times, compressing with verification (every stream decoded again and compared) twice as fast as Pillow.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.images import evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.timing import spread
from vaecodec.arrays import Pixels
from vaecodec.codec.codec import Codec
from vaecodec.cores import core_count, map_on_cores, pieces
from vaecodec.data import load_dataset
from vaecodec.evaluation.classical import ClassicalCodec, classical_codecs
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse

PROBE_IMAGES = 200  # for choosing WebP's quality
BARS = {"decompress": ("webp_decode", 3.0), "compress": ("webp_encode", 4.0), "compress_verified": ("webp_encode", 2.0)}

Images = list[Pixels]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a bar is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--model", help="name or file; default: the alias that has the data set's name")
    parser.add_argument("--level", type=int, help="default: the model's")
    parser.add_argument("--images", type=int, help="only so many of the test set, evenly spaced")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS / "speed.json")
    options = parser.parse_args(arguments)
    dataset, codec = load_dataset(options.data, "test"), Codec.load(options.model or options.data)
    images = list(evenly_spaced(dataset.images, options.images or len(dataset.images)))
    level = codec.model.default_level if options.level is None else options.level
    result = measure(codec, level, images, options.rounds)
    described = {"name": dataset.name, "split": dataset.split, "images": len(images)}
    write_results(options.out, {"data": described, **result}, seed=None)
    print(options.out)
    return 0 if all(bar["holds"] for bar in result["bars"]) else 1


def measure(codec: Codec, level: int, images: Images, rounds: int) -> dict[str, Any]:
    """Microseconds an image of every task, and the bars."""
    streams = codec.compress_batch(images, level=level)
    webp = nearest_webp(codec, level, np.stack(images))
    files = [webp.encode(image) for image in images]
    tasks: dict[str, Callable[[], object]] = {
        "compress": lambda: codec.compress_batch(images, level=level),
        "compress_verified": lambda: verified(codec, level, images),
        "decompress": lambda: codec.decompress_batch(streams),
        "webp_encode": lambda: [webp.encode(image) for image in images],
        "webp_decode": lambda: [webp.decode(data) for data in files],
        "webp_encode_threads": lambda: on_threads(webp.encode, images),
        "webp_decode_threads": lambda: on_threads(webp.decode, files),
    }
    micros: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds + 1):  # the first warms caches and is left out
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            if number:
                micros[name].append(1e6 * (time.perf_counter() - started) / len(images))
    return {
        "model": codec.model.name,
        "level": level,
        "file_bytes": float(np.mean([len(data) for data in streams])),
        "webp": webp.setting,
        "webp_file_bytes": float(np.mean([len(data) for data in files])),
        "threads": core_count(),
        "rounds": rounds,
        "us_per_image": {name: spread(times) for name, times in micros.items()},
        "bars": [check(name, micros) for name in BARS],
    }


def verified(codec: Codec, level: int, images: Images) -> float:
    """Compress, decode every stream again and compare: the mean squared error."""
    decoded = codec.decompress_batch(codec.compress_batch(images, level=level))
    return float(mse(np.stack(images), np.stack(decoded)).mean())


def nearest_webp(codec: Codec, level: int, images: NDArray[np.uint8]) -> ClassicalCodec:
    """WebP with the quality whose PSNR is nearest to the model's, on some of the images (n, h, w)."""
    probe = evenly_spaced(images, PROBE_IMAGES)
    symbols = codec.lossy.analyse(probe, level)
    wanted = psnr_db_from_mse(float(mse(probe, codec.lossy.synthesise(symbols, level)).mean()))

    def distance(webp: ClassicalCodec) -> float:
        decoded = np.stack([webp.decode(webp.encode(image)) for image in probe])
        return abs(psnr_db_from_mse(float(mse(probe, decoded).mean())) - wanted)

    return min((one for one in classical_codecs(["WebP"]) if not one.lossless), key=distance)


def on_threads(function: Callable[[Any], object], items: list[Any]) -> object:
    """The function of each item, the items shared out among the cores."""
    parts = pieces(len(items), least=64, most=len(items))
    return map_on_cores(lambda part: [function(item) for item in items[part]], parts)


def check(name: str, micros: dict[str, list[float]]) -> dict[str, Any]:
    """One bar: how many times as fast as Pillow, by the medians."""
    rival, wanted = BARS[name]
    ratio = statistics.median(micros[rival]) / statistics.median(micros[name])
    print(f"{name}: {ratio:.2f} times as fast as {rival} (bar: {wanted:g})", file=sys.stderr)
    return {"task": name, "against": rival, "times_as_fast": ratio, "wanted": wanted, "holds": ratio >= wanted}


if __name__ == "__main__":
    sys.exit(main())
