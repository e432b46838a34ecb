"""The operations of integer-exact networks: each says what it computes, and what is proven of its result.

    run(values) -> value              float32 arrays that hold integers, (b, …, channels)
    bounds(ranges) -> Range           what is proven of it (ranges.py), or NotExact

docs/format.md, "Integer-exact networks", is the specification.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from vaecodec.errors import NotExact
from vaecodec.exact.ranges import EXACT_LIMIT, Range, fitting, merged, prove, sides_of, whole

Array = npt.NDArray[np.float32]

MAX_WEIGHT = 32767  # weights and table entries fit in int16
BLOCK_WEIGHTS = 1 << 20  # that are looked at together, as float64: 8 MB of a network that may have gigabytes
MAX_SHIFT = 24  # beyond it every value below 2^24 rescales to zero


@dataclass(frozen=True, slots=True)
class Dense:
    """y = x Wᵀ + b over the last axis; weight (out, in) and bias (out,) integers, |weight| ≤ 32767."""

    kind: ClassVar[str] = "dense"
    sources: tuple[int, ...]
    weight: Array
    bias: Array

    def run(self, x: Array) -> Array:
        y: Array = x.reshape(math.prod(x.shape[:-1]), x.shape[-1]) @ self.weight.T
        y += self.bias
        return y.reshape(*x.shape[:-1], len(self.bias))

    def bounds(self, x: Range) -> Range:
        if self.weight.ndim != 2 or self.weight.shape[1] != len(x.low) or self.bias.shape != self.weight.shape[:1]:
            raise NotExact(f"dense: weight {self.weight.shape}, bias {self.bias.shape} do not fit {len(x.low)} inputs")
        bias = whole(self.bias, EXACT_LIMIT, "dense bias")
        shape = fitting((*x.shape[:-1], len(bias)), "dense")
        reach, low, high = np.empty(len(bias)), np.empty(len(bias), np.int64), np.empty(len(bias), np.int64)
        rows = max(1, BLOCK_WEIGHTS // max(1, len(x.low)))
        for first in range(0, len(bias), rows):
            part = slice(first, first + rows)
            weight = whole(self.weight[part], MAX_WEIGHT, "dense weight")
            magnitude = np.abs(weight)
            # float64 is exact here: whatever passes stays below 2^24, and what rounds lies beyond 2^53
            reach[part] = magnitude @ np.maximum(np.abs(x.low), np.abs(x.high)) + np.abs(bias[part])
            middle, spread = weight @ ((x.low + x.high) / 2) + bias[part], magnitude @ ((x.high - x.low) / 2)
            low[part], high[part] = middle - spread, middle + spread
        prove(reach, "dense")
        return Range(shape, low, high)


@dataclass(frozen=True, slots=True)
class Rescale:
    """y = clamp(round_half_even(x · 2^-shift), low, high); shift (channels,) or (1,), each 0..24."""

    kind: ClassVar[str] = "rescale"
    sources: tuple[int, ...]
    shift: npt.NDArray[np.uint8]
    low: int
    high: int

    def run(self, x: Array) -> Array:
        y: Array = x * np.ldexp(np.float32(1), -self.shift.astype(np.int32))
        np.rint(y, out=y)
        return np.clip(y, np.float32(self.low), np.float32(self.high), out=y)

    def bounds(self, x: Range) -> Range:
        if self.shift.shape not in ((1,), x.low.shape) or self.low > self.high:
            raise NotExact(f"rescale: shift {self.shift.shape} or range {self.low}..{self.high} is not valid")
        if self.shift.min(initial=0) < 0 or self.shift.max(initial=0) > MAX_SHIFT:
            raise NotExact(f"rescale: every shift must be in 0..{MAX_SHIFT}")
        if max(abs(self.low), abs(self.high)) >= EXACT_LIMIT:
            raise NotExact(f"rescale: range {self.low}..{self.high} reaches 2^24")
        scale = np.ldexp(1.0, -self.shift.astype(np.int32))
        low, high = (np.clip(np.rint(v * scale), self.low, self.high).astype(np.int64) for v in (x.low, x.high))
        return Range(x.shape, low, high)


@dataclass(frozen=True, slots=True)
class Add:
    """y = a + b, element by element; equal shapes."""

    kind: ClassVar[str] = "add"
    sources: tuple[int, ...]

    def run(self, a: Array, b: Array) -> Array:
        return a + b

    def bounds(self, a: Range, b: Range) -> Range:
        if a.shape != b.shape:
            raise NotExact(f"add: shapes {a.shape} and {b.shape}")
        low, high = a.low + b.low, a.high + b.high
        prove(np.maximum(np.abs(low), np.abs(high)), "add")
        return Range(a.shape, low, high)


@dataclass(frozen=True, slots=True)
class Multiply:
    """y = a · b, element by element; equal shapes. A gate, or a scale that depends on the level."""

    kind: ClassVar[str] = "multiply"
    sources: tuple[int, ...]

    def run(self, a: Array, b: Array) -> Array:
        return a * b

    def bounds(self, a: Range, b: Range) -> Range:
        if a.shape != b.shape:
            raise NotExact(f"multiply: shapes {a.shape} and {b.shape}")
        corners = np.stack([a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high])
        low, high = corners.min(axis=0), corners.max(axis=0)
        prove(np.maximum(np.abs(low), np.abs(high)), "multiply")
        return Range(a.shape, low, high)


@dataclass(frozen=True, slots=True)
class Slice:
    """y = x[…, start:stop]: some of the channels."""

    kind: ClassVar[str] = "slice"
    sources: tuple[int, ...]
    start: int
    stop: int

    def run(self, x: Array) -> Array:
        return x[..., self.start : self.stop]

    def bounds(self, x: Range) -> Range:
        if not 0 <= self.start < self.stop <= len(x.low):
            raise NotExact(f"slice: {self.start}:{self.stop} of {len(x.low)} channels")
        shape = (*x.shape[:-1], self.stop - self.start)
        return Range(shape, x.low[self.start : self.stop], x.high[self.start : self.stop])


@dataclass(frozen=True, slots=True)
class Lookup:
    """y[…, c·f + j] = table[c, x[…, c] - low, j]; table (channels or 1, entries, f) integers, |entry| ≤ 32767."""

    kind: ClassVar[str] = "lookup"
    sources: tuple[int, ...]
    table: Array
    low: int

    def run(self, x: Array) -> Array:
        index = x.astype(np.int32) - self.low
        if self.table.size == self.table.shape[1]:
            shared: Array = self.table.ravel()[index]
            return shared
        channel = np.arange(len(self.table)) if len(self.table) > 1 else 0
        found: Array = self.table[channel, index]
        return found.reshape(*x.shape[:-1], x.shape[-1] * self.table.shape[2])

    def bounds(self, x: Range) -> Range:
        channels = len(x.low)
        if self.table.ndim != 3 or not self.table.size or len(self.table) not in (1, channels):
            raise NotExact(f"lookup: table {self.table.shape} does not fit {channels} channels")
        table = whole(self.table, MAX_WEIGHT, "lookup table")
        if x.low.min(initial=self.low) < self.low or x.high.max(initial=self.low) >= self.low + table.shape[1]:
            raise NotExact(f"lookup: values {x.low.min()}..{x.high.max()} leave the table")
        shape = fitting((*x.shape[:-1], channels * table.shape[2]), "lookup")
        copies = channels if len(table) == 1 else 1
        low, high = (
            np.tile(extreme.ravel(), copies).astype(np.int64) for extreme in (table.min(axis=1), table.max(axis=1))
        )
        return Range(shape, low, high)


@dataclass(frozen=True, slots=True)
class Patches:
    """(h, w, c) → (h+2·pad-size+1, w+2·pad-size+1, size·size·c): each window, row by row, zeros outside the image."""

    kind: ClassVar[str] = "patches"
    sources: tuple[int, ...]
    size: int
    pad: int

    def run(self, x: Array) -> Array:
        (b, h, w, c), pad, size = x.shape, self.pad, self.size
        padded = np.zeros((b, h + 2 * pad, w + 2 * pad, c), np.float32)
        padded[:, pad : pad + h, pad : pad + w] = x
        height, width = h + 2 * pad - size + 1, w + 2 * pad - size + 1
        image, row, pixel, one = padded.strides
        # A window's row of pixels is contiguous, so that it is copied as a whole.
        windows = as_strided(padded, (b, height, width, size, size * c), (image, row, pixel, row, one))
        return windows.reshape(b, height, width, size * size * c)

    def bounds(self, x: Range) -> Range:
        height, width, channels = sides_of(x, "patches")
        if not 0 <= self.pad < self.size:
            raise NotExact(f"patches: pad {self.pad} and size {self.size}, expected 0 ≤ pad < size")
        grow, area = 2 * self.pad - self.size + 1, self.size**2
        shape = fitting((height + grow, width + grow, area * channels), "patches")
        low, high = (np.minimum(x.low, 0), np.maximum(x.high, 0)) if self.pad else (x.low, x.high)
        return Range(shape, np.tile(low, area), np.tile(high, area))


@dataclass(frozen=True, slots=True)
class Shuffle:
    """(h, w, r·r·c) → (h·r, w·r, c), then `crop` pixels cut from each side: depth to space."""

    kind: ClassVar[str] = "shuffle"
    sources: tuple[int, ...]
    factor: int
    crop: int

    def run(self, x: Array) -> Array:
        b, h, w, c = x.shape
        r = self.factor
        image = (
            x.reshape(b, h, w, r, r, c // (r * r)).transpose(0, 1, 3, 2, 4, 5).reshape(b, h * r, w * r, c // (r * r))
        )
        return image[:, self.crop : h * r - self.crop, self.crop : w * r - self.crop]

    def bounds(self, x: Range) -> Range:
        height, width, channels = sides_of(x, "shuffle")
        if self.factor < 1 or self.crop < 0 or channels % self.factor**2:
            raise NotExact(f"shuffle: factor {self.factor}, crop {self.crop} do not fit {channels} channels")
        grown = (side * self.factor - 2 * self.crop for side in (height, width))
        return merged(x, fitting((*grown, channels // self.factor**2), "shuffle"))


@dataclass(frozen=True, slots=True)
class Reshape:
    """(h·w·c,) → (h, w, c)."""

    kind: ClassVar[str] = "reshape"
    sources: tuple[int, ...]
    height: int
    width: int

    def run(self, x: Array) -> Array:
        return x.reshape(len(x), self.height, self.width, x.shape[-1] // (self.height * self.width))

    def bounds(self, x: Range) -> Range:
        if len(x.shape) != 1 or min(self.height, self.width) < 1 or x.shape[0] % (self.height * self.width):
            raise NotExact(f"reshape: {x.shape} values are not {self.height} × {self.width} × channels")
        channels = x.shape[0] // (self.height * self.width)
        return merged(x, fitting((self.height, self.width, channels), "reshape"))


Op = Dense | Rescale | Add | Multiply | Slice | Lookup | Patches | Shuffle | Reshape
OPS: dict[str, type[Op]] = {
    op.kind: op for op in (Dense, Rescale, Add, Multiply, Slice, Lookup, Patches, Shuffle, Reshape)
}
