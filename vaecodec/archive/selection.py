"""An index in numpy's way, of an archive's images and of their pixels, taken apart.

archive[3]  archive[2:9]  archive[[4, 1]]                     images: Archive does these itself
archive[2:9, :, 5]  archive[[4, 1], :14, :14]  archive[...]   Selection: which images, and what of each
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.archive.names import number_within, whole_number


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """numbers: of images. one: whether a single image was asked for. pixels: what of an array (h, w, …) is taken."""

    numbers: npt.NDArray[np.int64]
    one: bool
    pixels: tuple[int | slice, ...]


def select(key: tuple[Any, ...], shape: tuple[int, ...]) -> Selection:
    """What an index (images, rows, columns, …) takes of an array of this shape; missing ones take all.

    Of the pixels only whole numbers and slices are taken. Raises IndexError, WrongType.
    """
    first, *rest = _filled(key, len(shape))
    if not isinstance(first, slice | list | range | np.ndarray) or (isinstance(first, np.ndarray) and not first.ndim):
        return Selection(np.array([number_within(shape[0], first)]), True, _pixels(rest))
    return Selection(numbers_of(first, shape[0]), False, _pixels(rest))


def numbers_of(key: slice | list[Any] | range | npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """The numbers that a slice, several numbers, or truth values for each of `count` images, mean.

    Raises IndexError, WrongType.
    """
    if isinstance(key, slice):
        return np.arange(count)[key]
    if isinstance(key, np.ndarray) and key.dtype == np.bool_ and key.shape == (count,):
        return np.flatnonzero(key)
    return np.array([number_within(count, number) for number in key], np.int64)


def _filled(key: tuple[Any, ...], axes: int) -> list[Any]:
    """An index for each axis: an Ellipsis, or the end, stands for those that are missing."""
    dots = [k for k, one in enumerate(key) if one is Ellipsis]
    if len(dots) > 1 or len(key) - len(dots) > axes:
        raise IndexError(f"index: expected at most {axes}, and one Ellipsis, found {len(key)}")
    place = dots[0] if dots else len(key)
    missing = [slice(None)] * (axes - len(key) + len(dots))
    return [*key[:place], *missing, *key[place + len(dots) :]]


def _pixels(keys: list[Any]) -> tuple[int | slice, ...]:
    return tuple(key if isinstance(key, slice) else whole_number(key, "index of pixels") for key in keys)
