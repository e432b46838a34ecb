"""What dSprites costs whoever knows it by heart: the nearest training image copied, and this project's renderer.

    python -m benchmarks.dsprites_anchors [--nearest N]

    test image ──nearest of the training images──> its number, 7 bytes around it            copied, not exact
               ──its factors, which come with it──> renderer ──the pixels that differ──>    exact

Neither is a codec of pictures: the first has all training images for its model, the second the program that draws
them, and factors that are taken from the set, not found. They say how little is in such a picture. Writes
results/anchors-dsprites.json.
"""

import argparse
import math
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.images import describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from vaecodec.data import ImageSet, load_dataset
from vaecodec.data.dsprites_factors import COUNT, SIDE
from vaecodec.data.dsprites_renderer import render
from vaecodec.evaluation.distortion import psnr_db_from_mse

HEADER_BYTES = 7  # of a stream: what is not payload
CONTEXT_IMAGES = 5000  # training images that say how often a rendered pixel is wrong
CHUNK = 2000  # training images at once
NEAREST_IMAGES = 500

Bits = NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dsprites_anchors", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--nearest", type=int, default=NEAREST_IMAGES, help="test images whose nearest one is looked for"
    )
    options = parser.parse_args(arguments)
    training, test = load_dataset("dsprites", "train"), load_dataset("dsprites", "test")
    result = {
        "data": describe_set(test),
        "copied": copied(training, test, options.nearest),
        "drawn": drawn(training, test),
    }
    print(result, file=sys.stderr)
    write_results(RESULTS / "anchors-dsprites.json", result, seed=0)
    return 0


def copied(training: ImageSet, test: ImageSet, most: int) -> dict[str, float]:
    """The nearest training image in place of a test image, by the number of pixels that differ."""
    wanted = _bits(evenly_spaced(test.images, most)).astype(np.float32)
    least = np.full(len(wanted), np.inf, np.float32)
    for start in range(0, len(training), CHUNK):
        known = _bits(training.images[start : start + CHUNK]).astype(np.float32)
        differing = known.sum(axis=1) + wanted.sum(axis=1)[:, None] - 2 * wanted @ known.T
        least = np.minimum(least, differing.min(axis=1))
    mean_squared_error = float(least.mean()) / SIDE**2 * 255**2
    return {
        "images": len(wanted),
        "training_images": len(training),
        "file_bytes": HEADER_BYTES + math.ceil(math.log2(len(training)) / 8),
        "psnr_db": psnr_db_from_mse(mean_squared_error),
    }


def drawn(training: ImageSet, test: ImageSet) -> dict[str, float]:
    """Factors as one number, then the wrong pixels: each by how often a pixel of its surroundings is wrong.

    index_only_psnr_db: of the drawn images, without the wrong pixels.
    """
    chosen = np.linspace(0, len(training) - 1, CONTEXT_IMAGES).round().astype(np.int64)
    contexts, wrong = _drawn_pixels(training.images[chosen], _labels(training)[chosen])
    seen = np.bincount(contexts.ravel(), minlength=512)
    share = (np.bincount(contexts[wrong], minlength=512) + 0.05) / (seen + 0.1)
    contexts, wrong = _drawn_pixels(test.images, _labels(test))
    costs = np.where(wrong, -np.log2(share[contexts]), -np.log2(1 - share[contexts])).sum(axis=1)
    bits = math.log2(COUNT) + costs
    return {
        "images": len(test),
        "context_images": CONTEXT_IMAGES,
        "index_bits": math.log2(COUNT),
        "residual_bits": float(costs.mean()),
        "file_bytes": float(HEADER_BYTES + np.ceil(bits / 8).mean()),
        "exact_without_residual": float((~wrong.any(axis=1)).mean()),
        "index_only_psnr_db": psnr_db_from_mse(float(wrong.mean()) * 255**2),
    }


def _drawn_pixels(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], Bits]:
    """Of every pixel (n, 4096): the 3×3 drawn ones around it, as a number below 512, and whether it is wrong."""
    drawing = render(labels) != 0
    padded = np.pad(drawing, ((0, 0), (1, 1), (1, 1)))
    contexts = np.zeros(drawing.shape, np.int64)
    for place in range(9):
        y, x = divmod(place, 3)
        contexts |= padded[:, y : y + SIDE, x : x + SIDE].astype(np.int64) << place
    return contexts.reshape(len(images), -1), (drawing != (images != 0)).reshape(len(images), -1)


def _labels(images: ImageSet) -> NDArray[np.int64]:
    assert images.labels is not None
    return images.labels


def _bits(images: NDArray[np.uint8]) -> Bits:
    return np.asarray(images.reshape(len(images), -1) != 0)


if __name__ == "__main__":
    raise SystemExit(main())
