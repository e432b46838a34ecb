"""Integer arithmetic of the exact twin: convolutions as matrix products over a band of rows.

    band of rows, int values in float64 (r, w, c) --taps: slice, matmul, sum--> + bias, / 2^shift, round, clamp

Every value is an integer, and every sum stays below 2^53 (`ExactConvolution` proves it from its weights), so any order
of summation, library and thread count gives the same. A band knows where it lies in its picture: rows outside the
picture are zeros, rows outside the band are unknown and shrink the result. So a picture made in stripes with a halo is
the whole picture bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.errors import NotExact

Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]

EXACT = 1 << 53  # float64 holds every integer below
TRUNK = (1 << 15) - 1  # activations are int16


@dataclass(frozen=True, slots=True)
class Band:
    """values (r, w, c): rows first … first + r - 1 of a map with `height` rows."""

    values: Float64
    first: int
    height: int

    @property
    def last(self) -> int:
        """The row after the last."""
        return self.first + len(self.values)

    def within(self, first: int, last: int) -> Band:
        """Rows first … last - 1 of it."""
        return Band(self.values[first - self.first : last - self.first], first, self.height)

    def plus(self, other: Band, limit: int = TRUNK) -> Band:
        """The sum on the rows that both have, clamped."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        total = self.within(first, last).values + other.within(first, last).values
        return Band(np.clip(total, -limit, limit, out=total), first, self.height)

    def shuffled(self, factor: int) -> Band:
        """Channels (c, i, j) to rows and columns: (r, w, c f²) -> (f r, f w, c)."""
        rows, width, channels = self.values.shape
        cells = self.values.reshape(rows, width, channels // factor**2, factor, factor).transpose(0, 3, 1, 4, 2)
        spread = np.ascontiguousarray(cells).reshape(rows * factor, width * factor, -1)
        return Band(spread, self.first * factor, self.height * factor)


@dataclass(frozen=True, slots=True)
class ExactConvolution:
    """weights int32 (k, k, i, o), bias int64 (o,), shift int64 (o,), low <= high: the results' range.

    result = clamp(floor((sum + bias) / 2^shift + 1/2), low, high). input_limit: |inputs| are at most this.
    Raises NotExact where a sum could reach 2^53.
    """

    weights: Int32
    bias: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    low: int
    high: int
    input_limit: int

    def __post_init__(self) -> None:
        if self.bound() >= EXACT:
            raise NotExact(f"a convolution's sums may reach {self.bound()}, expected less than 2^53")
        if (self.shift < 0).any():
            raise NotExact("a convolution's shifts must not be negative")

    def bound(self) -> int:
        """No partial sum is larger, with the half that rounding adds."""
        sums = np.abs(self.weights.astype(np.int64)).sum((0, 1, 2)) * self.input_limit
        return int((sums + np.abs(self.bias) + (np.int64(1) << self.shift)).max())

    def __call__(self, band: Band) -> Band:
        """(r, w, i) -> (r - 2 (k // 2) or, at the picture's border, more, w, o)."""
        radius = len(self.weights) // 2
        above = radius if band.first == 0 else 0
        below = radius if band.last == band.height else 0
        padded = np.pad(band.values, ((above, below), (radius, radius), (0, 0))) if radius else band.values
        total = _sums(padded, self.weights.astype(np.float64)) + self.bias
        return Band(_rescaled(total, self.shift, self.low, self.high), band.first + radius - above, band.height)


def _sums(padded: Float64, weights: Float64) -> Float64:
    """(r + k - 1, w + k - 1, i), (k, k, i, o) -> (r, w, o): neighbours in a row side by side, a product a row."""
    kernel, _, channels, out = weights.shape
    rows, width = len(padded) - kernel + 1, padded.shape[1] - kernel + 1
    beside = np.concatenate([padded[:, j : j + width] for j in range(kernel)], 2) if kernel > 1 else padded
    total = np.zeros((rows * width, out))
    for i, taps in enumerate(weights.reshape(kernel, kernel * channels, out)):
        total += beside[i : i + rows].reshape(rows * width, -1) @ taps
    return total.reshape(rows, width, out)


def _rescaled(total: Float64, shift: npt.NDArray[np.int64], low: int, high: int) -> Float64:
    """clamp(floor(total / 2^shift + 1/2), low, high), in place. All three steps are exact in float64."""
    total *= np.exp2(-shift.astype(np.float64))
    total += 0.5
    np.floor(total, out=total)
    return np.clip(total, low, high, out=total)


def rescale(values: Float64, factor: Float64, shift: int) -> Float64:
    """floor(values · factor / 2^shift + 1/2) of integers whose products stay below 2^52."""
    return np.asarray(np.floor(values * factor * 2.0**-shift + 0.5))
