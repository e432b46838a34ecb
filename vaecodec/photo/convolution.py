"""Integer convolutions as matrix products over a band of rows, the same on every machine.

    band of rows, whole numbers (r, w, i) --clamp--> taps side by side --matrix product--> + bias, / 2^shift, round

Every value is an integer, and no partial sum reaches 2^53: ExactConvolution proves it from its weights and the clamp
of its inputs. The products of a row of taps are formed in float32, twice as fast, where they are proven to stay below
2^24. So any order of summation, library, block and thread count gives the same. A band knows where it lies in its
picture: rows outside the picture are zeros, rows outside the band are unknown and shrink the result. So a picture made
in stripes with a halo is the whole picture bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from vaecodec.cores import map_on_cores
from vaecodec.errors import LimitExceeded, NotExact

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Floats = npt.NDArray[Any]  # of either width, as a proven bound allows
Int32 = npt.NDArray[np.int32]

EXACT, EXACT_IN_FLOAT32 = 1 << 53, 1 << 24
TRUNK = (1 << 15) - 1  # activations are int16
MAX_INPUT = (1 << 20) - 1  # of a clamp: beyond it nothing is meant
MAX_FAN_IN = 1 << 16  # products of one sum: with weights of 16 bits a bound is computed without overflow
MAX_SHIFT = 40
MAX_INPUT_SHIFT = 8
BLOCK_BYTES = 1 << 21  # of the taps that are multiplied at once: what a core's own cache holds


@dataclass(frozen=True, slots=True)
class Band:
    """values (r, w, c), whole numbers: rows first … first + r - 1 of a map with `height` rows."""

    values: npt.NDArray[Any]
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


@dataclass(frozen=True, eq=False)
class ExactConvolution:
    """weights int16 (k, k, i, o), bias int64 (o,), shift int64 (o,); limit int32 (i,), relu, input_shift: of inputs.

    An input x becomes clamp(floor(x / 2^input_shift + 1/2), low, limit), where low is 0 with relu and -limit without;
    a result is floor((sum + bias) / 2^shift + 1/2). Raises NotExact where a sum could reach 2^53, LimitExceeded.
    """

    weights: npt.NDArray[np.int16]
    bias: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    limit: Int32
    relu: bool = False
    input_shift: int = 0

    def __post_init__(self) -> None:
        kernel, across, channels, out = self.weights.shape
        if kernel != across or kernel % 2 == 0 or kernel * kernel * channels > MAX_FAN_IN:
            raise LimitExceeded(f"a convolution's weights have the shape {self.weights.shape}")
        if self.bias.shape != (out,) or self.shift.shape != (out,) or self.limit.shape != (channels,):
            raise NotExact("a convolution's bias, shifts and limits do not fit its weights")
        if not (self.shift.min(initial=0) >= 0 and self.shift.max(initial=0) <= MAX_SHIFT):
            raise NotExact(f"a convolution's shifts must lie in 0 … {MAX_SHIFT}")
        if not (self.limit.min(initial=0) >= 0 and self.limit.max(initial=0) <= MAX_INPUT):
            raise NotExact(f"a convolution's input limits must lie in 0 … {MAX_INPUT}")
        if not 0 <= self.input_shift <= MAX_INPUT_SHIFT:
            raise NotExact(f"a convolution's input shift must lie in 0 … {MAX_INPUT_SHIFT}")
        # What float32 does not hold, 2^24 and more, then lies beyond the clamp.
        if int(self.limit.max(initial=0)) << self.input_shift > EXACT_IN_FLOAT32 // 2:
            raise NotExact("a convolution's input limits and shift leave more than 2^23")
        if not (self.bias.min(initial=0) > -EXACT and self.bias.max(initial=0) < EXACT) or self.bound >= EXACT:
            raise NotExact("a convolution's sums may reach 2^53")

    @cached_property
    def bound(self) -> int:
        """No partial sum is larger, in any order, with the half that rounding adds."""
        return int((self._sums_of_rows.sum(0) + np.abs(self.bias) + (np.int64(1) << self.shift)).max(initial=0))

    @cached_property
    def _sums_of_rows(self) -> npt.NDArray[np.int64]:
        """The same of each row of taps alone, without the bias: (k, o)."""
        limit = self.limit.astype(np.int64)
        up, down = (
            np.einsum("xyio,i->xo", np.maximum(sign * self.weights, 0), limit, dtype=np.int64) for sign in (1, -1)
        )
        return np.asarray(np.maximum(up, down) if self.relu else up + down)

    @cached_property
    def _factors(self) -> tuple[Floats, Floats, Floats]:
        """Weights (k, k i, o) as they are multiplied; what is added to the sums, and what they are multiplied by."""
        kernel, _, channels, out = self.weights.shape
        narrow = self._sums_of_rows.max(initial=0) < EXACT_IN_FLOAT32
        taps = self.weights.astype(np.float32 if narrow else np.float64).reshape(kernel, kernel * channels, out)
        sums = np.float32 if self.bound < EXACT_IN_FLOAT32 else np.float64
        return taps, (self.bias + np.exp2(self.shift - 1.0)).astype(sums), np.exp2(-1.0 * self.shift).astype(sums)

    def __call__(self, band: Band) -> Band:
        """(r, w, i) -> (r - 2 (k // 2) or, at the picture's border, more, w, o)."""
        radius = len(self.weights) // 2
        first = band.first + radius if band.first else 0
        last = band.last - radius if band.last < band.height else band.height
        width = band.values.shape[1]
        out = np.empty((max(0, last - first), width, self.weights.shape[3]), np.float32)
        rows = max(1, self._positions_at_once // width)

        def block(begin: int) -> None:
            end = min(last, begin + rows)
            self._row_block(band, begin, end, out[begin - first : end - first])

        map_on_cores(block, range(first, last, rows))
        return Band(out, first, band.height)

    def _row_block(self, band: Band, begin: int, end: int, out: Float32) -> None:
        """Rows begin … end - 1 of the result."""
        taps, _, _ = self._factors
        kernel = len(taps)
        padded = self._padded(band, begin - kernel // 2, end + kernel // 2)
        width = padded.shape[1] - kernel + 1
        # Neighbours of a row lie side by side, so that each is copied as a whole.
        beside = as_strided(padded, (len(padded), width, taps.shape[1]), padded.strides)
        flat = beside.reshape(-1, taps.shape[1])
        size = (end - begin) * width
        self._rounded((flat[i * width : i * width + size] @ taps[i] for i in range(kernel)), out.reshape(size, -1))

    def of_rows(self, rows: npt.NDArray[np.generic]) -> Float32:
        """Of a kernel of 1: rows (n, i) -> (n, o)."""
        taps, _, _ = self._factors
        out = np.empty((len(rows), taps.shape[2]), np.float32)

        def block(begin: int) -> None:
            end = begin + self._positions_at_once
            inputs = np.empty(rows[begin:end].shape, taps.dtype)
            self._clamped(rows[begin:end], inputs)
            self._rounded(iter((inputs @ taps[0],)), out[begin:end])

        map_on_cores(block, range(0, len(rows), self._positions_at_once))
        return out

    def whole(self, values: npt.NDArray[np.generic]) -> Floats:
        """A whole map (h, w, i) as it is multiplied, with the zeros around it."""
        radius = len(self.weights) // 2
        return self._padded(Band(values, 0, len(values)), -radius, len(values) + radius)

    def of_windows(self, windows: Floats) -> Float32:
        """Windows (n, k, k i) of what `whole` gives -> (n, o)."""
        taps, _, _ = self._factors
        out = np.empty((len(windows), taps.shape[2]), np.float32)
        self._rounded((windows[:, i] @ taps[i] for i in range(len(taps))), out)
        return out

    def of_first_inputs(self, count: int) -> ExactConvolution:
        """The same, where inputs from `count` on are zeros."""
        return replace(self, weights=self.weights[:, :, :count], limit=self.limit[:count])

    @property
    def _positions_at_once(self) -> int:
        taps, _, _ = self._factors
        return max(1, BLOCK_BYTES // (taps.shape[1] * taps.itemsize))

    def _rounded(self, products: Iterator[Floats], out: Float32) -> None:
        """The products of each row of taps (n, o), which are overwritten, to results."""
        _, added, factor = self._factors
        total = next(products).astype(added.dtype, copy=False)
        for product in products:
            total += product
        total += added
        total *= factor
        np.floor(total, out=out, casting="same_kind")

    def _padded(self, band: Band, begin: int, end: int) -> Floats:
        """Rows begin … end - 1 as they are multiplied, zeros outside the picture."""
        radius = len(self.weights) // 2
        inside = band.values[max(begin, 0) - band.first : min(end, band.height) - band.first]
        padded = np.zeros((end - begin, inside.shape[1] + 2 * radius, inside.shape[2]), self._factors[0].dtype)
        first = max(0, -begin)
        self._clamped(inside, padded[first : first + len(inside), radius : radius + inside.shape[1]])
        return padded

    def _clamped(self, values: npt.NDArray[Any], out: Floats) -> None:
        if self.input_shift:
            values = np.floor(values * np.float32(2.0**-self.input_shift) + np.float32(0.5))
        high = self._shared_limit if self._shared_limit is not None else self.limit.astype(np.float32)
        np.clip(values, 0 if self.relu else -high, high, out=out, casting="unsafe")

    @cached_property
    def _shared_limit(self) -> np.float32 | None:
        """The limit of every input, where there is one: numbers are compared faster with one than with many."""
        return np.float32(self.limit[0]) if (self.limit == self.limit[0]).all() else None


def rescale(values: Float64, factor: Float64, shift: int) -> Float64:
    """floor(values · factor / 2^shift + 1/2) of integers whose products stay below 2^52."""
    return np.asarray(np.floor(values * factor * 2.0**-shift + 0.5))
