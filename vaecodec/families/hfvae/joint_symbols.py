"""Cells: several symbols coded as one, the number of their cell.

symbols (b, d), each in low .. low + width - 1 ──number──> cell (b,) in 0 .. cells - 1 ──symbols──> (b, d)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Cells:
    """low, width: of each symbol, (d,). The last symbol runs fastest."""

    low: tuple[int, ...]
    width: tuple[int, ...]

    @property
    def cells(self) -> int:
        """How many there are."""
        return math.prod(self.width)

    @property
    def strides(self) -> tuple[int, ...]:
        """What a symbol's step of one adds to the number."""
        return tuple(math.prod(self.width[d + 1 :]) for d in range(len(self.width)))

    def number(self, symbols: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Cell of each row; symbols outside the window count as its nearest."""
        inside = np.clip(symbols - np.array(self.low), 0, np.array(self.width) - 1)
        return np.asarray(inside @ np.array(self.strides), dtype=np.int32)

    def symbols(self, cell: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """The symbols of each cell, (b, d)."""
        places = (cell[:, None] // np.array(self.strides)) % np.array(self.width)
        return np.asarray(np.array(self.low) + places, dtype=np.int32)


def window(columns: npt.NDArray[np.int32], most: int) -> Cells:
    """The cells around observed symbols (N, d), `most` of them at most.

    A latent keeps the window of at most the d-th root of `most` values that holds the most of its observations.
    """
    widest = _root(most, columns.shape[1])
    lows, widths = [], []
    for column in columns.T:
        low = int(column.min())
        counted = np.bincount(column - low)
        width = min(len(counted), widest)
        lows.append(low + int(np.convolve(counted, np.ones(width), "valid").argmax()))
        widths.append(width)
    return Cells(tuple(lows), tuple(widths))


def _root(number: int, degree: int) -> int:
    """The largest whole number whose power is at most `number`."""
    root = round(math.exp(math.log(number) / degree))
    return root if root**degree <= number else root - 1
