"""Which image belongs to which split, decided by the pixels, so that no picture is on both sides.

    first byte of SHA-256(pixels):  0 ... 12 | 13 ... 25  | 26 ... 255
                                    test     | validation | train

Two files, or two rows of factors, that give the same pixels always fall into the same split, and
adding images to a set moves none that was there.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.errors import ConfigError

SPLITS = ("train", "validation", "test")
TEST_BELOW = 13  # of 256: 5.1 % of the images
VALIDATION_BELOW = 26  # the next 5.1 %


def check_split(split: str) -> str:
    """The split's name itself; ConfigError, which lists the names there are, for an unknown one."""
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")
    return split


def in_split(rows: NDArray[np.uint8], split: str) -> NDArray[np.bool_]:
    """bool (n,): which of the n images belong to the split.

    rows: uint8 (n, ...), the bytes that stand for each image: packed bits for dSprites, raw pixels for a folder.
    """
    check_split(split)
    flat: Any = np.ascontiguousarray(rows).reshape(len(rows), int(np.prod(rows.shape[1:])))
    first = np.fromiter((hashlib.sha256(row).digest()[0] for row in flat), dtype=np.uint8, count=len(rows))
    if split == "test":
        return first < TEST_BELOW
    if split == "validation":
        return (first >= TEST_BELOW) & (first < VALIDATION_BELOW)
    return first >= VALIDATION_BELOW


def tail_validation(count: int) -> int:
    """How many images at the end of MNIST's training file are for validation: one in twelve, 5,000 of 60,000."""
    return count // 12
