"""The factors of dSprites, and how a row of the data set names them.

    row = ((((shape·6 + scale)·40 + orientation)·32) + x)·32 + y        0 ... 737,279

Matthey, Higgins, Hassabis, Lerchner 2017, "dSprites: Disentanglement testing Sprites dataset".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vaecodec.errors import ConfigError

FACTORS = ("shape", "scale", "orientation", "x", "y")
FACTOR_SIZES = (3, 6, 40, 32, 32)
SHAPES = ("square", "ellipse", "heart")
COUNT = 737_280  # the product of FACTOR_SIZES
SIDE = 64
PACKED_BYTES = SIDE * SIDE // 8

Rows = Sequence[int] | NDArray[np.int64]


def classes_of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 (n, 5): the factor classes of rows of the official data set."""
    return np.stack(np.unravel_index(rows, FACTOR_SIZES), axis=1).astype(np.int64)


def default_rows() -> NDArray[np.int64]:
    """int64 (61440,), rising: one row in twelve, evenly spread; what is loaded where nobody says which.

    The rows are those that come first when all are put in the order of (row · 2654435769) mod 2^32, the multiplier of
    Fibonacci hashing: the same rows on every machine. Their images take 252 MB.
    """
    places = (np.arange(COUNT, dtype=np.uint64) * np.uint64(2654435769)) % np.uint64(2**32)
    return np.sort(np.argsort(places, kind="stable")[: COUNT // 12]).astype(np.int64)


def check_rows(rows: Rows) -> NDArray[np.int64]:
    """The rows, rising and without repetition, int64 (n,); ConfigError where one is outside the data set."""
    given = np.asarray(rows)
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "iu":
        raise ConfigError("rows: expected a non-empty sequence of whole numbers")
    checked: NDArray[np.int64] = np.unique(given).astype(np.int64)
    if checked[0] < 0 or checked[-1] >= COUNT:
        raise ConfigError(f"rows: expected numbers from 0 to {COUNT - 1}, found {checked[0]} to {checked[-1]}")
    return checked


def pack(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (n, 64, 64), zero or not, to uint8 (n, 512): 64x64 bits, row-major, 1 = shape."""
    return np.packbits(images.reshape(-1, SIDE * SIDE) != 0, axis=1)


def unpack(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (n, 512) to uint8 (n, 64, 64) with values 0 and 255."""
    images: NDArray[np.uint8] = np.unpackbits(packed, axis=1).reshape(-1, SIDE, SIDE)
    images *= 255
    return images
