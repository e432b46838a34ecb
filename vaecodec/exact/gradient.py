"""Gradients of an exact network: what its result would do if its inputs moved, rounding taken as if it were not there.

    inputs ──every value is kept──> result          gradient of the inputs <──back, by operations── of the result

A clamp lets a gradient pass where it does not bind; a table has its slope. Before each Dense a row's gradient becomes
integers, of as many bits as the weights leave room for, so that its products too are exact: a row's gradient is the
same whatever stands beside it, on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import (
    Add,
    Array,
    Dense,
    Lookup,
    Multiply,
    Op,
    Patches,
    Rescale,
    Reshape,
    Shuffle,
    Slice,
)
from vaecodec.exact.ranges import EXACT_LIMIT


class ExactGradient:
    """Of one network, with respect to its first `inputs` inputs."""

    def __init__(self, network: ExactNetwork, inputs: int) -> None:
        self._network = network
        self._inputs = inputs
        self._depends = [True]  # which values depend on those inputs
        for op in network.ops:
            beyond = isinstance(op, Slice) and op.sources == (0,) and op.start >= inputs
            self._depends.append(not beyond and any(self._depends[source] for source in op.sources))
        self._room = {id(op): _room(op) for op in network.ops if isinstance(op, Dense)}
        self._slopes = {id(op): _slope(op) for op in network.ops if isinstance(op, Lookup)}

    def values(self, x: npt.NDArray[np.int32]) -> list[Array]:
        """Every value of the network for inputs (b, m): the clamped inputs first, the result last."""
        network = self._network
        found = [np.clip(x, network.input_low, network.input_high).astype(np.float32)]
        for op in network.ops:
            found.append(op.run(*(found[source] for source in op.sources)))
        return found

    def __call__(self, values: Sequence[Array], result: Array) -> Array:
        """The inputs' gradient (b, inputs), given that of the result; float32."""
        gradients: dict[int, Array] = {len(self._network.ops): result}
        for position in range(len(self._network.ops) - 1, -1, -1):
            op = self._network.ops[position]
            if not self._depends[position + 1]:
                continue
            g = gradients.pop(position + 1)
            for source, part in zip(op.sources, self._back(op, g, [values[k] for k in op.sources]), strict=True):
                if self._depends[source]:
                    gradients[source] = gradients[source] + part if source in gradients else part
        return gradients[0][:, : self._inputs]

    def _back(self, op: Op, g: Array, x: list[Array]) -> tuple[Array, ...]:
        """The gradient of each source, given that of an operation's value and the sources' values."""
        match op:
            case Dense():
                return (_exact_product(g, op.weight, self._room[id(op)]),)
            case Rescale():
                scale = np.ldexp(np.float32(1), -op.shift.astype(np.int32))
                y = x[0] * scale
                return (np.where((y > op.low) & (y < op.high), g * scale, np.float32(0)),)
            case Add():
                return g, g
            case Multiply():
                return g * x[1], g * x[0]
            case Slice():
                whole = np.zeros_like(x[0])
                whole[..., op.start : op.stop] = g
                return (whole,)
            case Lookup():
                return (_through_table(op, self._slopes[id(op)], g, x[0]),)
            case Patches():
                return (_from_patches(op, g, x[0]),)
            case Shuffle():
                return (_from_shuffle(op, g, x[0]),)
            case Reshape():
                return (g.reshape(x[0].shape),)


def _room(op: Dense) -> int:
    """Bits that integers may have in front of the transposed weights."""
    largest = max(1.0, float(np.abs(op.weight).astype(np.float64).sum(axis=0).max(initial=0)))
    return int(np.floor(np.log2((EXACT_LIMIT - 1) / largest)))


def _slope(op: Lookup) -> Array:
    """Of each entry of the table, (channels or 1, entries, f)."""
    if op.table.shape[1] == 1:
        return np.zeros_like(op.table)
    return np.asarray(np.gradient(op.table, axis=1), np.float32)


def _exact_product(g: Array, weight: Array, room: int) -> Array:
    """g (b, …, out) times weight (out, in); each row of the batch has a power of two as its unit."""
    flat = g.reshape(len(g), -1)
    exponent = np.frexp(np.abs(flat).max(axis=1, initial=0))[1]
    shift = np.clip(room - exponent, -100, 100)
    shape = (-1, *(1,) * (g.ndim - 1))
    whole = np.rint(g * np.ldexp(np.float32(1), shift).reshape(shape))
    product = whole.reshape(-1, whole.shape[-1]) @ weight
    result: Array = product.reshape(*g.shape[:-1], weight.shape[1]) * np.ldexp(np.float32(1), -shift).reshape(shape)
    return result


def _through_table(op: Lookup, slope: Array, g: Array, x: Array) -> Array:
    index = x.astype(np.intp) - op.low
    channel = np.arange(len(slope)) if len(slope) > 1 else 0
    found = slope[channel, index]  # (b, …, channels, f)
    result: Array = (found * g.reshape(found.shape)).sum(axis=-1)
    return result


def _from_patches(op: Patches, g: Array, x: Array) -> Array:
    pad, size, channels = op.pad, op.size, x.shape[-1]
    padded = np.zeros((len(x), x.shape[1] + 2 * pad, x.shape[2] + 2 * pad, channels), np.float32)
    height, width = g.shape[1:3]
    for k in range(size * size):
        row, column = divmod(k, size)
        padded[:, row : row + height, column : column + width] += g[..., k * channels : (k + 1) * channels]
    return padded[:, pad : padded.shape[1] - pad, pad : padded.shape[2] - pad]


def _from_shuffle(op: Shuffle, g: Array, x: Array) -> Array:
    r, crop = op.factor, op.crop
    b, h, w, channels = x.shape
    grown = np.pad(g, ((0, 0), (crop, crop), (crop, crop), (0, 0)))
    split = grown.reshape(b, h, r, w, r, channels // (r * r))
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(b, h, w, channels)
