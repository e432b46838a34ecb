"""The nine operations of integer-exact networks, each with its shapes, its proof and its arithmetic (section 11).

Every bound is proven to be below 2^24 before a number is computed, so float64 holds every sum of a matrix product.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tests.independent.refusal import require

EXACT_LIMIT = 16777216
MAX_WEIGHT = 32767
MAX_SHIFT = 24
MAX_ELEMENTS = 1048576

Ints = NDArray[np.int64]


def needs(holds: bool, what: str) -> None:
    """Refuses a network that breaks a rule of shapes or ranges."""
    require(holds, "NotExact", what)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What is known of a value without an input: its shape without the batch, and lo and hi of each channel."""

    shape: tuple[int, ...]
    lo: Ints
    hi: Ints

    def __post_init__(self) -> None:
        require(self.elements <= MAX_ELEMENTS, "LimitExceeded", f"a value of shape {self.shape}")

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        """The last axis."""
        return self.shape[-1]


def bounded(*limits: Ints) -> None:
    """Refuses bounds that are not below 2^24."""
    needs(all(bool((np.abs(limit) < EXACT_LIMIT).all()) for limit in limits), "a value reaches 2^24")


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One step of a network; fields after `sources` are its whole numbers and its arrays."""

    arity: ClassVar[int] = 1
    arrays: ClassVar[tuple[str, ...]] = ()
    numbers: ClassVar[tuple[str, ...]] = ()
    sources: tuple[int, ...]

    def products(self, _source: Value) -> int:
        """Those of a matrix product."""
        return 0

    def prove(self, values: Sequence[Value]) -> Value:
        """Shape and ranges of the result, all rules checked."""
        raise NotImplementedError

    def run(self, values: Sequence[Ints]) -> Ints:
        """The result for a batch."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Dense(Operation):
    """y[…, o] = bias[o] + Σ weight[o, c] · x[…, c]"""

    arrays: ClassVar[tuple[str, ...]] = ("weight", "bias")
    weight: Ints
    bias: Ints

    def products(self, source: Value) -> int:
        return source.elements * len(self.bias)

    def prove(self, values: Sequence[Value]) -> Value:
        (x,) = values
        needs(self.weight.ndim == 2 and self.weight.shape[1] == x.channels, "dense: weight's shape")
        needs(self.bias.shape == self.weight.shape[:1] and len(self.bias) >= 1, "dense: bias' shape")
        needs(bool((np.abs(self.weight) <= MAX_WEIGHT).all()), "dense: a weight beyond 32767")
        needs(bool((np.abs(self.bias) <= EXACT_LIMIT).all()), "dense: a bias beyond 2^24")
        weight = self.weight.astype(np.float64)  # sums above 2^53 may be inexact, but are above 2^24
        largest = np.maximum(np.abs(x.lo), np.abs(x.hi)).astype(np.float64)
        bounded(np.abs(self.bias) + np.abs(weight) @ largest)
        positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
        lo = self.bias + positive @ x.lo + negative @ x.hi
        hi = self.bias + positive @ x.hi + negative @ x.lo
        return Value((*x.shape[:-1], len(self.bias)), lo.astype(np.int64), hi.astype(np.int64))

    def run(self, values: Sequence[Ints]) -> Ints:
        product = values[0].astype(np.float64) @ self.weight.T.astype(np.float64)
        return (product + self.bias).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Rescale(Operation):
    """y[…, c] = min(max(round(x[…, c] · 2^−shift[c]), low), high)"""

    arrays: ClassVar[tuple[str, ...]] = ("shift",)
    numbers: ClassVar[tuple[str, ...]] = ("low", "high")
    low: int
    high: int
    shift: Ints

    def prove(self, values: Sequence[Value]) -> Value:
        (x,) = values
        needs(self.shift.shape in {(x.channels,), (1,)}, "rescale: shift's shape")
        needs(bool(((self.shift >= 0) & (self.shift <= MAX_SHIFT)).all()), "rescale: shift")
        needs(self.low <= self.high, "rescale: low is above high")
        bounded(np.array([self.low, self.high]))
        return Value(x.shape, self.run([x.lo]), self.run([x.hi]))

    def run(self, values: Sequence[Ints]) -> Ints:
        rounded = np.rint(values[0] * 2.0**-self.shift).astype(np.int64)
        return np.clip(rounded, self.low, self.high)


@dataclass(frozen=True, slots=True, eq=False)
class Add(Operation):
    """y = x + x′"""

    arity: ClassVar[int] = 2

    def prove(self, values: Sequence[Value]) -> Value:
        x, other = values
        needs(x.shape == other.shape, "add: shapes differ")
        lo, hi = x.lo + other.lo, x.hi + other.hi
        bounded(lo, hi)
        return Value(x.shape, lo, hi)

    def run(self, values: Sequence[Ints]) -> Ints:
        return values[0] + values[1]


@dataclass(frozen=True, slots=True, eq=False)
class Multiply(Operation):
    """y = x · x′"""

    arity: ClassVar[int] = 2

    def prove(self, values: Sequence[Value]) -> Value:
        x, other = values
        needs(x.shape == other.shape, "multiply: shapes differ")
        corners = np.stack([x.lo * other.lo, x.lo * other.hi, x.hi * other.lo, x.hi * other.hi])
        bounded(corners)
        return Value(x.shape, corners.min(0), corners.max(0))

    def run(self, values: Sequence[Ints]) -> Ints:
        return values[0] * values[1]


@dataclass(frozen=True, slots=True, eq=False)
class Slice(Operation):
    """y[…, c] = x[…, start + c]"""

    numbers: ClassVar[tuple[str, ...]] = ("start", "stop")
    start: int
    stop: int

    def prove(self, values: Sequence[Value]) -> Value:
        (x,) = values
        needs(0 <= self.start < self.stop <= x.channels, "slice: start and stop")
        return Value((*x.shape[:-1], self.stop - self.start), *self._of(x.lo, x.hi))

    def _of(self, *arrays: Ints) -> list[Ints]:
        return [array[..., self.start : self.stop] for array in arrays]

    def run(self, values: Sequence[Ints]) -> Ints:
        return self._of(values[0])[0]


@dataclass(frozen=True, slots=True, eq=False)
class Lookup(Operation):
    """y[…, c · f + j] = table[c, x[…, c] − low, j]"""

    arrays: ClassVar[tuple[str, ...]] = ("table",)
    numbers: ClassVar[tuple[str, ...]] = ("low",)
    low: int
    table: Ints

    def prove(self, values: Sequence[Value]) -> Value:
        (x,) = values
        needs(self.table.ndim == 3 and self.table.size > 0, "lookup: table's shape")
        rows, entries, f = self.table.shape
        needs(rows in {x.channels, 1}, "lookup: table's channels")
        needs(bool((np.abs(self.table) <= MAX_WEIGHT).all()), "lookup: an entry beyond 32767")
        inside = (x.lo >= self.low).all() and (x.hi <= self.low + entries - 1).all()
        needs(bool(inside), "lookup: the source leaves the table")
        require(x.elements * f <= MAX_ELEMENTS, "LimitExceeded", "lookup: too many elements")
        lo = np.broadcast_to(self.table.min(1), (x.channels, f)).ravel()
        hi = np.broadcast_to(self.table.max(1), (x.channels, f)).ravel()
        return Value((*x.shape[:-1], x.channels * f), lo, hi)

    def run(self, values: Sequence[Ints]) -> Ints:
        x = values[0]
        row = np.arange(x.shape[-1]) if self.table.shape[0] > 1 else 0
        found = self.table[row, x - self.low]
        return found.reshape(*x.shape[:-1], -1)


@dataclass(frozen=True, slots=True, eq=False)
class Patches(Operation):
    """y[i, j, (u · size + v) · channels + c] = x[i + u − pad, j + v − pad, c], 0 outside of x"""

    numbers: ClassVar[tuple[str, ...]] = ("size", "pad")
    size: int
    pad: int

    def prove(self, values: Sequence[Value]) -> Value:
        (x,) = values
        needs(len(x.shape) == 3, "patches: the source has no rows and columns")
        needs(0 <= self.pad < self.size, "patches: pad and size")
        height, width = (side + 2 * self.pad - self.size + 1 for side in x.shape[:2])
        needs(height >= 1 and width >= 1, "patches: a side is below 1")
        channels = self.size**2 * x.channels
        require(height * width * channels <= MAX_ELEMENTS, "LimitExceeded", "patches: too many elements")
        lo, hi = (np.minimum(x.lo, 0), np.maximum(x.hi, 0)) if self.pad else (x.lo, x.hi)
        return Value((height, width, channels), np.tile(lo, self.size**2), np.tile(hi, self.size**2))

    def run(self, values: Sequence[Ints]) -> Ints:
        padding = ((0, 0), (self.pad, self.pad), (self.pad, self.pad), (0, 0))
        x = np.pad(values[0], padding)
        height, width = (side - self.size + 1 for side in x.shape[1:3])
        places = [(u, v) for u in range(self.size) for v in range(self.size)]
        return np.concatenate([x[:, u : u + height, v : v + width] for u, v in places], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Shuffle(Operation):
    """y[i, j, c] = x[i′ // r, j′ // r, ((i′ mod r) · r + j′ mod r) · C + c], i′ = i + crop, j′ = j + crop"""

    numbers: ClassVar[tuple[str, ...]] = ("factor", "crop")
    factor: int
    crop: int

    def prove(self, values: Sequence[Value]) -> Value:
        (x,) = values
        needs(len(x.shape) == 3, "shuffle: the source has no rows and columns")
        needs(self.factor >= 1 and self.crop >= 0, "shuffle: factor and crop")
        needs(x.channels % self.factor**2 == 0, "shuffle: the channels are no multiple of factor squared")
        height, width = (side * self.factor - 2 * self.crop for side in x.shape[:2])
        needs(height >= 1 and width >= 1, "shuffle: a side is below 1")
        channels = x.channels // self.factor**2
        lo, hi = x.lo.reshape(-1, channels).min(0), x.hi.reshape(-1, channels).max(0)
        return Value((height, width, channels), lo, hi)

    def run(self, values: Sequence[Ints]) -> Ints:
        batch, h, w, channels = values[0].shape
        r = self.factor
        spread = values[0].reshape(batch, h, w, r, r, channels // r**2).transpose(0, 1, 3, 2, 4, 5)
        whole = spread.reshape(batch, h * r, w * r, channels // r**2)
        return whole[:, self.crop : h * r - self.crop, self.crop : w * r - self.crop]


@dataclass(frozen=True, slots=True, eq=False)
class Reshape(Operation):
    """y[i, j, c] = x[(i · width + j) · C + c]"""

    numbers: ClassVar[tuple[str, ...]] = ("height", "width")
    height: int
    width: int

    def prove(self, values: Sequence[Value]) -> Value:
        (x,) = values
        needs(len(x.shape) == 1, "reshape: the source has rows and columns already")
        needs(self.height >= 1 and self.width >= 1, "reshape: height and width")
        needs(x.channels % (self.height * self.width) == 0, "reshape: the channels do not fill the places")
        channels = x.channels // (self.height * self.width)
        lo, hi = x.lo.reshape(-1, channels).min(0), x.hi.reshape(-1, channels).max(0)
        return Value((self.height, self.width, channels), lo, hi)

    def run(self, values: Sequence[Ints]) -> Ints:
        return values[0].reshape(len(values[0]), self.height, self.width, -1)


KINDS: dict[str, type[Operation]] = {
    kind.__name__.lower(): kind for kind in (Dense, Rescale, Add, Multiply, Slice, Lookup, Patches, Shuffle, Reshape)
}
