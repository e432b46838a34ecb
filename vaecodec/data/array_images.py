"""Arrays as they come, as images with labels: one picture for each index, whatever axis its channel is on.

    (n, h, w)  (n, h, w, 1)  (n, 1, h, w) ──> (h, w) each
    (n, h, w, 3)  (n, 3, h, w) ─────────────> (h, w, 3) each
    labels, any integers (n,) or (n, k) ────> int64

What holds an array need not be in memory: it is read by slices, in order or not. Values keep their type: what is to be
made of those that are not uint8 is said, or refused, where they are coded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from vaecodec.arrays import Pixels
from vaecodec.errors import BadDataset

READ_BYTES = 1 << 24  # of an array, that are read at once
RGB = 3


class Sliced(Protocol):
    """An array of numpy, or one in a file that is read by slices of its first axis."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __getitem__(self, key: slice, /) -> Any: ...


class ArrayImages(Sequence[Pixels]):
    """The images of an array of numbers, (h, w) or (h, w, 3) each. what: names it in errors.

    Raises BadDataset where it holds no images.
    """

    def __init__(self, array: Sliced, what: str) -> None:
        if not looks_like_images(array.shape):
            raise BadDataset(
                f"{what}: expected images (n, h, w), (n, h, w, 1 or 3) or (n, 1 or 3, h, w), found {array.shape}"
            )
        if array.dtype.kind not in "uif":
            raise BadDataset(f"{what}: expected images of numbers, found {array.dtype}")
        self._array, self._axis = array, _channel_axis(array.shape)
        image_bytes = int(np.prod(array.shape[1:], dtype=np.int64))
        self._step = max(1, READ_BYTES // max(1, image_bytes))
        self._first = 0
        self._read: Pixels = np.empty((0, 0, 0), np.uint8)

    def __len__(self) -> int:
        return self._array.shape[0]

    @overload
    def __getitem__(self, number: int) -> Pixels: ...
    @overload
    def __getitem__(self, number: slice) -> list[Pixels]: ...
    def __getitem__(self, number: int | slice) -> Pixels | list[Pixels]:
        """Raises IndexError."""
        if isinstance(number, slice):
            return [self[k] for k in range(*number.indices(len(self)))]
        place = range(len(self))[number]
        if not self._first <= place < self._first + len(self._read):
            self._first = place - place % self._step
            self._read = self._pixels(self._array[self._first : self._first + self._step])
        image: Pixels = self._read[place - self._first]
        return image

    def _pixels(self, values: NDArray[Any]) -> Pixels:
        """Values (n, …) as they stand, with the channels last, or gone where there is one."""
        images = np.asarray(values)
        if self._axis is None:
            return images
        last = np.moveaxis(images, self._axis, -1)
        return last[..., 0] if last.shape[-1] == 1 else np.ascontiguousarray(last)


@dataclass(frozen=True, slots=True, eq=False)
class ImageTable:
    """Images of one table or array of a file. key: what it is called there.

    images: pixels, or the bytes of an image file each. labels: int64 (n,) or (n, k), None without. names: None without.
    """

    key: str
    images: Sequence[Pixels] | Sequence[bytes]
    labels: NDArray[np.int64] | None
    names: Sequence[str | None] | None = None

    def __len__(self) -> int:
        return len(self.images)


def looks_like_images(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape may hold images."""
    return len(shape) == 3 or (len(shape) == 4 and _channel_axis(shape) is not None)


def _channel_axis(shape: tuple[int, ...]) -> int | None:
    """Where the channels are: the last axis, else the second; None where there is none."""
    if len(shape) == 3:
        return None
    return next((axis for axis in (3, 1) if shape[axis] in (1, RGB)), None)


def checked_labels(values: NDArray[Any], count: int, what: str) -> NDArray[np.int64]:
    """Labels int64 (n,) or (n, k) of integers of any type. Raises BadDataset where they are others, or not as many."""
    if values.dtype.kind not in "iub" or values.ndim not in (1, 2):
        raise BadDataset(f"{what}: expected whole numbers (n,) or (n, columns), found {values.dtype} {values.shape}")
    if len(values) != count:
        raise BadDataset(f"{what}: {len(values)} labels for {count} images")
    if values.dtype == np.uint64 and values.max(initial=0) > np.iinfo(np.int64).max:
        raise BadDataset(f"{what}: a label beyond int64: {values.max()}")
    return values.astype(np.int64)
