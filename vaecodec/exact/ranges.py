"""What is proven of the values of integer-exact networks, before a network is used.

Range ──op.bounds──> Range ──op.bounds──> …          NotExact where a channel may reach 2^24
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_VALUE_ELEMENTS
from vaecodec.errors import LimitExceeded, NotExact

EXACT_LIMIT = 1 << 24  # integers below this are exact in float32, and so are their sums


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """What is proven of a value: its shape without the batch, and each channel's (last axis) lowest and highest."""

    shape: tuple[int, ...]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]


def prove(reach: npt.NDArray[np.int64] | npt.NDArray[np.float64], what: str) -> None:
    """Refuse values (channels,) that could reach 2^24."""
    if reach.size and reach.max() >= EXACT_LIMIT:
        raise NotExact(f"{what}: channel {int(reach.argmax())} may reach {int(reach.max())}, 2^24 or more")


def whole(array: npt.NDArray[Any], limit: int, what: str) -> npt.NDArray[np.float64]:
    """The array as float64, before anything is multiplied; what is no integer within the limit is refused."""
    if not ((np.abs(array) <= limit) & (np.rint(array) == array)).all():
        raise NotExact(f"{what}: expected integers of at most {limit}")
    return array.astype(np.float64)


def fitting(shape: tuple[int, ...], what: str) -> tuple[int, ...]:
    """The shape of a result, once it is refused where it is empty or too large."""
    if min(shape) < 1:
        raise NotExact(f"{what}: the result would have shape {shape}")
    if math.prod(shape) > MAX_VALUE_ELEMENTS:
        raise LimitExceeded(f"{what}: {math.prod(shape)} values for one image, at most {MAX_VALUE_ELEMENTS} allowed")
    return shape


def sides_of(x: Range, what: str) -> tuple[int, int, int]:
    """Height, width and channels of what must be an image."""
    if len(x.shape) != 3:
        raise NotExact(f"{what}: expected a value of shape (h, w, c), found {x.shape}")
    height, width, channels = x.shape
    return height, width, channels


def merged(x: Range, shape: tuple[int, ...]) -> Range:
    """Channels that fall together share their range."""
    return Range(shape, x.low.reshape(-1, shape[-1]).min(axis=0), x.high.reshape(-1, shape[-1]).max(axis=0))
