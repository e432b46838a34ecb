"""Near-lossless: pixels within E of what they were. Zero takes up 0..E, bins of 2E + 1 values take up the rest.

    E = 2:   0 1 2 │ 3 4 5 6 7 │ 8 9 10 11 12 │ …  253 254 255
    becomes    0   │     5     │      10      │        255          a bin's middle, or 255 where that lies beyond
    column         │     0     │       1      │ …

E = 0 is lossless: every value has a bin of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaecodec.arrays import Pixels
from vaecodec.entropy.tables import Float64
from vaecodec.modelfile.lossless_part import VALUES, Int32


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins for a largest error, 0..127 grey levels."""

    max_error: int

    @property
    def count(self) -> int:
        """Bins of the values beyond max_error; at least 1."""
        return -(-(VALUES - self.max_error) // self._width)

    @property
    def _width(self) -> int:
        return 2 * self.max_error + 1

    def rounded(self, pixels: Pixels, bit_depth: int) -> Pixels:
        """What pixels become: each within max_error, but that 1 bit allows 0 and 255 alone."""
        if bit_depth == 1:
            return np.where(pixels > self.max_error, np.uint8(VALUES), np.uint8(0))
        if self.max_error == 0:
            return pixels
        table = np.zeros(VALUES + 1, np.uint8)
        lit = np.arange(self.max_error + 1, VALUES + 1)
        table[lit] = self.values(((lit - self.max_error - 1) // self._width).astype(np.int32))
        return table[pixels]

    def columns(self, values: Pixels) -> Int32:
        """The bin of each value (r,) that `rounded` gave and that is not zero."""
        return (values.astype(np.int32) - self.max_error - 1) // self._width

    def values(self, columns: Int32) -> Pixels:
        """The value of each bin (r,)."""
        return np.minimum(VALUES, columns * self._width + 2 * self.max_error + 1).astype(np.uint8)

    def merged(self, counts: Float64) -> Float64:
        """The counts (r, bins) of counts (r, 255) of the values: sums; what 1..max_error had goes to the largest."""
        if self.max_error == 0:
            return counts
        merged: Float64 = np.add.reduceat(counts, np.arange(self.max_error, VALUES, self._width), axis=1)
        below = counts[:, : self.max_error].sum(axis=1)
        merged[np.arange(len(merged)), merged.argmax(axis=1)] += below
        return merged
