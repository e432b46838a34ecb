"""ExactNetwork: a network of integers whose result is the same on every machine, engine, batch size and thread count.

    input (b, n) integers ──> op 1 ──> op 2 ──> … ──> last op: the result (b, …) integers

Values are integers held in float32. Every product and every partial sum, in whatever order a library forms it, stays
below 2^24, where float32 is exact; `bounds` proves it from the weights when a network is made or read, so that a file
cannot break the promise. There is no convolution operator: libraries may run one by Winograd or FFT, which is not
exact. A convolution is `Patches` and `Dense`. docs/format.md, "Integer-exact networks", is the specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vaecodec.errors import NotExact

Array = npt.NDArray[np.float32]
Bounds = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]  # lowest and highest value of each last-axis channel

EXACT_LIMIT = 1 << 24  # integers below this are exact in float32, and so are their sums


@dataclass(frozen=True, slots=True)
class Dense:
    """y = x Wᵀ + b over the last axis; weight (out, in) of int16 values, bias (out,) of int32 values."""

    kind: ClassVar[str] = "dense"
    sources: tuple[int, ...]
    weight: Array
    bias: Array

    def run(self, x: Array) -> Array:
        y: Array = x.reshape(-1, x.shape[-1]) @ self.weight.T
        y += self.bias
        return y.reshape(*x.shape[:-1], -1)

    def bounds(self, x: Bounds) -> Bounds:
        low, high = x
        weight, bias = self.weight.astype(np.int64), self.bias.astype(np.int64)
        if weight.ndim != 2 or weight.shape[1] != len(low) or bias.shape != weight.shape[:1]:
            raise NotExact(f"dense: weight {weight.shape} and bias {bias.shape} do not fit {len(low)} inputs")
        reach = np.abs(weight) @ np.maximum(np.abs(low), np.abs(high)) + np.abs(bias)
        _prove(reach, "dense")
        positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
        return positive @ low + negative @ high + bias, positive @ high + negative @ low + bias


@dataclass(frozen=True, slots=True)
class Rescale:
    """y = clamp(round_half_even(x · 2^-shift), low, high); shift uint8 (channels,) or (1,), at most 24."""

    kind: ClassVar[str] = "rescale"
    sources: tuple[int, ...]
    shift: npt.NDArray[np.uint8]
    low: int
    high: int

    def run(self, x: Array) -> Array:
        y: Array = x * np.ldexp(np.float32(1), -self.shift.astype(np.int32))
        np.rint(y, out=y)
        return np.clip(y, np.float32(self.low), np.float32(self.high), out=y)

    def bounds(self, x: Bounds) -> Bounds:
        if self.shift.shape not in ((1,), x[0].shape) or self.shift.max(initial=0) > 24 or self.low > self.high:
            raise NotExact(f"rescale: shift {self.shift.shape} or range {self.low}..{self.high} is not valid")
        _prove(np.array([abs(self.low), abs(self.high)]), "rescale")
        scale = np.ldexp(1.0, -self.shift.astype(np.int32))
        low, high = (np.clip(np.rint(v * scale), self.low, self.high).astype(np.int64) for v in x)
        return low, high


@dataclass(frozen=True, slots=True)
class Add:
    """y = a + b, element by element."""

    kind: ClassVar[str] = "add"
    sources: tuple[int, ...]

    def run(self, a: Array, b: Array) -> Array:
        return a + b

    def bounds(self, a: Bounds, b: Bounds) -> Bounds:
        if len(a[0]) != len(b[0]):
            raise NotExact(f"add: {len(a[0])} and {len(b[0])} channels")
        low, high = a[0] + b[0], a[1] + b[1]
        _prove(np.maximum(np.abs(low), np.abs(high)), "add")
        return low, high


@dataclass(frozen=True, slots=True)
class Lookup:
    """y[…, c·f + j] = table[c, x[…, c] - low, j]; table (channels or 1, entries, f) of int16 values."""

    kind: ClassVar[str] = "lookup"
    sources: tuple[int, ...]
    table: Array
    low: int

    def run(self, x: Array) -> Array:
        index = x.astype(np.int32) - self.low
        if self.table.size == self.table.shape[1]:
            return self.table.ravel()[index]
        channel = np.arange(len(self.table)) if len(self.table) > 1 else 0
        return self.table[channel, index].reshape(*x.shape[:-1], -1)

    def bounds(self, x: Bounds) -> Bounds:
        low, high = x
        if self.table.ndim != 3 or not self.table.size or len(self.table) not in (1, len(low)):
            raise NotExact(f"lookup: table {self.table.shape} does not fit {len(low)} channels")
        if low.min() < self.low or high.max() >= self.low + self.table.shape[1]:
            raise NotExact(f"lookup: values {low.min()}..{high.max()} leave the table")
        copies = len(low) if len(self.table) == 1 else 1
        smallest, largest = (np.tile(f(self.table, axis=1).ravel(), copies) for f in (np.min, np.max))
        return smallest.astype(np.int64), largest.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Patches:
    """(b, h, w, c) → (b, h+2·pad-size+1, …, size·size·c): each window, row by row, zeros outside the image."""

    kind: ClassVar[str] = "patches"
    sources: tuple[int, ...]
    size: int
    pad: int

    def run(self, x: Array) -> Array:
        pad, size = self.pad, self.size
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        height, width = padded.shape[1] - size + 1, padded.shape[2] - size + 1
        windows = [padded[:, i : i + height, j : j + width] for i in range(size) for j in range(size)]
        return np.concatenate(windows, axis=-1)

    def bounds(self, x: Bounds) -> Bounds:
        low, high = (np.minimum(x[0], 0), np.maximum(x[1], 0)) if self.pad else x
        return np.tile(low, self.size**2), np.tile(high, self.size**2)


@dataclass(frozen=True, slots=True)
class Shuffle:
    """(b, h, w, r·r·c) → (b, h·r, w·r, c), then `crop` pixels cut from each side: depth to space."""

    kind: ClassVar[str] = "shuffle"
    sources: tuple[int, ...]
    factor: int
    crop: int

    def run(self, x: Array) -> Array:
        b, h, w, c = x.shape
        r = self.factor
        image = x.reshape(b, h, w, r, r, c // (r * r)).transpose(0, 1, 3, 2, 4, 5).reshape(b, h * r, w * r, -1)
        return image[:, self.crop : h * r - self.crop, self.crop : w * r - self.crop]

    def bounds(self, x: Bounds) -> Bounds:
        channels, rest = divmod(len(x[0]), self.factor**2)
        if rest or not channels:
            raise NotExact(f"shuffle: {len(x[0])} channels are not a multiple of {self.factor}²")
        return x[0].reshape(-1, channels).min(axis=0), x[1].reshape(-1, channels).max(axis=0)


@dataclass(frozen=True, slots=True)
class Reshape:
    """(b, h·w·c) → (b, h, w, c)."""

    kind: ClassVar[str] = "reshape"
    sources: tuple[int, ...]
    height: int
    width: int

    def run(self, x: Array) -> Array:
        return x.reshape(len(x), self.height, self.width, -1)

    def bounds(self, x: Bounds) -> Bounds:
        channels, rest = divmod(len(x[0]), self.height * self.width)
        if rest or not channels:
            raise NotExact(f"reshape: {len(x[0])} values are not {self.height} × {self.width} × channels")
        return x[0].reshape(-1, channels).min(axis=0), x[1].reshape(-1, channels).max(axis=0)


Op = Dense | Rescale | Add | Lookup | Patches | Shuffle | Reshape
OPS: dict[str, type[Op]] = {op.kind: op for op in (Dense, Rescale, Add, Lookup, Patches, Shuffle, Reshape)}


@dataclass(frozen=True, slots=True)
class ExactNetwork:
    """A list of operations; value 0 is the input, value k the result of operation k (counted from 1).

    input_low, input_high: int32 (n,), the range that each input is clamped to. Raises NotExact where a sum could reach
    2^24, an operation does not fit its source, or a source lies ahead.
    """

    input_low: npt.NDArray[np.int32]
    input_high: npt.NDArray[np.int32]
    ops: tuple[Op, ...]

    def __post_init__(self) -> None:
        self.bounds()

    def bounds(self) -> list[Bounds]:
        """The proven range of every value, channel by channel: the input's first."""
        if self.input_low.shape != self.input_high.shape or np.any(self.input_low > self.input_high):
            raise NotExact("input range is empty")
        found: list[Bounds] = [(self.input_low.astype(np.int64), self.input_high.astype(np.int64))]
        for position, op in enumerate(self.ops):
            if any(not 0 <= source <= position for source in op.sources):
                raise NotExact(f"operation {position + 1} takes values {op.sources} that do not stand before it")
            found.append(op.bounds(*(found[source] for source in op.sources)))
        return found

    def __call__(self, x: npt.NDArray[np.int32]) -> Array:
        """(b, n) integers → the last operation's value, integers in float32."""
        low, high = self.input_low, self.input_high
        return evaluate(self.ops, np.clip(x, low, high).astype(np.float32))


def evaluate(ops: Sequence[Op], x: Array) -> Array:
    """Run the operations one after the other; a value is dropped once nothing later needs it."""
    last_use = {source: position for position, op in enumerate(ops) for source in op.sources}
    values: dict[int, Array] = {0: x}
    for position, op in enumerate(ops):
        values[position + 1] = op.run(*(values[source] for source in op.sources))
        for source in set(op.sources):
            if last_use[source] == position:
                del values[source]
    return values[len(ops)]


def _prove(reach: npt.NDArray[np.int64], what: str) -> None:
    if reach.size and reach.max() >= EXACT_LIMIT:
        raise NotExact(f"{what}: channel {int(reach.argmax())} may reach {int(reach.max())}, 2^24 or more")

