"""The two colours of a checkerboard: rows (n, c) of one colour, in reading order, and maps (h, w, c).

Positions of a colour lie on two lattices, even rows and odd rows, each with every other column. A convolution that is
wanted at one colour only is computed on these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from vaecodec.arrays import Size
from vaecodec.cores import map_on_cores
from vaecodec.photo.convolution import BLOCK_BYTES, ExactConvolution, Float32

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Colour:
    """The positions (row, column) of a map with (row + column) % 2 == parity.

    places: their numbers in the map, row by row. starts: the first of them in each row, and their number at the end.
    """

    shape: Size
    parity: int
    places: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]

    def pick(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        """(h, w, c) -> rows (n, c)."""
        return values.reshape(-1, values.shape[2])[self.places]

    def place(self, rows: npt.NDArray[T]) -> npt.NDArray[T]:
        """Rows (n, c) -> (h, w, c), zeros on the other colour."""
        whole = np.zeros((self.shape[0] * self.shape[1], rows.shape[1]), rows.dtype)
        whole[self.places] = rows
        return whole.reshape(*self.shape, -1)

    def convolved(self, convolution: ExactConvolution, values: npt.NDArray[np.generic]) -> Float32:
        """The convolution of a whole map (h, w, i) at these positions: rows (n, o)."""
        padded = convolution.whole(values)
        kernel, _, channels, out = convolution.weights.shape
        found = np.empty((len(self.places), out), np.float32)
        row, column, one = padded.strides
        rows_at_once = max(1, 2 * BLOCK_BYTES // (self.shape[1] * kernel * kernel * channels * padded.itemsize))

        def block(first: int) -> None:
            rows = range(first, min(self.shape[0], first + 2 * rows_at_once - 1), 2)
            left = (first + self.parity) % 2
            columns = (self.shape[1] - left + 1) // 2
            if not columns:
                return
            # Neighbours of a row lie side by side, so that each is copied as a whole.
            windows = as_strided(
                padded[first:, left:],
                (len(rows), columns, kernel, kernel * channels),
                (2 * row, 2 * column, row, one),
            )
            places = self.starts[rows.start : rows.stop : 2, None] + np.arange(columns)
            found[places.ravel()] = convolution.of_windows(windows.reshape(len(rows) * columns, kernel, -1))

        steps = range(0, self.shape[0], 2 * rows_at_once)
        map_on_cores(block, [first for step in steps for first in (step, step + 1) if first < self.shape[0]])
        return found


@lru_cache(maxsize=8)
def colours(shape: Size) -> tuple[Colour, Colour]:
    """The even and the odd positions of a map of this shape."""
    rows, columns = np.indices(shape)
    made = []
    for parity in (0, 1):
        chosen = (rows + columns) % 2 == parity
        starts = np.concatenate(([0], np.cumsum(chosen.sum(1))))
        made.append(Colour(shape, parity, np.flatnonzero(chosen), starts))
    return made[0], made[1]
