"""How far a decoded image is from what it was: the mean squared error and the PSNR, defined once."""

import math
from collections.abc import Sequence

import numpy as np

from vaecodec.arrays import Pixels
from vaecodec.entropy.tables import Float64

PEAK = 255  # of 8-bit pixels
CHUNK_VALUES = 1 << 18  # that are compared at once: their differences stay near enough to the cache


def mse(decoded: Pixels, image: Pixels) -> float:
    """Mean squared error of one image, in squared grey levels, over all its pixels and channels."""
    rows, total = max(1, CHUNK_VALUES // max(1, image[:1].size)), 0
    for top in range(0, len(image), rows):  # the differences of a whole photograph would be four times as large as it
        part = slice(top, top + rows)
        total += int(np.square(decoded[part].astype(np.int32) - image[part]).sum(dtype=np.int64))
    return total / image.size


def mse_of_each(decoded: Sequence[Pixels] | Pixels, images: Sequence[Pixels] | Pixels) -> Float64:
    """mse() of each image of two sequences, or arrays, of b images: float64 (b,)."""
    if len({image.shape for image in images}) != 1:
        return np.array([mse(one, other) for one, other in zip(decoded, images, strict=True)], np.float64)
    step = max(1, CHUNK_VALUES // max(1, images[0].size))
    parts = []
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        difference = np.asarray(decoded[part]).astype(np.int32) - np.asarray(images[part])
        parts.append(np.square(difference).reshape(len(difference), -1).mean(axis=1, dtype=np.float64))
    return np.concatenate(parts)


def psnr_db_from_mse(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB; infinite where the error is 0. Raises ValueError for one below 0."""
    if mean_squared_error < 0:
        raise ValueError(f"mean squared error: expected 0 or more, found {mean_squared_error}")
    return math.inf if mean_squared_error == 0 else 10 * math.log10(PEAK**2 / mean_squared_error)
