"""The steps of an ExactPlan, and what they compute: `out` is x itself where its memory may be used."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.exact.operations import Array, Op

# Of the sources' arrays and of `out`, where the result may go: the first source's memory.
Compute = Callable[..., Array]


@dataclass(frozen=True, slots=True)
class Step:
    """target, sources: numbers of values; done: those that nothing later needs; reuse: `out` is the first source."""

    target: int
    sources: tuple[int, ...]
    compute: Compute
    done: tuple[int, ...]
    reuse: bool


def run(op: Op, x: Array, *, out: Array | None) -> Array:
    """The operation as it is."""
    return op.run(x)  # type: ignore[call-arg]


def sliced(begin: int, end: int, x: Array, *, out: Array | None) -> Array:
    """Some of the channels that x holds."""
    return x[..., begin:end]


def widened(constant: Array, live: npt.NDArray[np.intp], x: Array, *, out: Array | None) -> Array:
    """Every channel: those of x at `live`, the others constant."""
    wide = np.repeat(constant[None], len(x), axis=0)
    wide[..., live] = x
    return wide


def dense(weight: Array, bias: Array | None, x: Array, *, out: Array | None) -> Array:
    """As Dense, with weights that may be scaled; no bias is one of zeros."""
    y: Array = x.reshape(math.prod(x.shape[:-1]), x.shape[-1]) @ weight.T
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], len(weight))


def dense_of_two(weight: Array, bias: Array | None, x: Array, y: Array, *, out: Array | None) -> Array:
    """dense of [x, y]."""
    return dense(weight, bias, np.concatenate([x, y], axis=-1), out=None)


def of_two(function: np.ufunc, x: Array, y: Array, *, out: Array | None) -> Array:
    """Two values that are both unknown."""
    return function(x, y, out=out)  # type: ignore[no-any-return]


def by_row(function: np.ufunc, row: Array, x: Array, *, out: Array | None) -> Array:
    """An unknown value and a known one."""
    return function(x, row, out=out)  # type: ignore[no-any-return]


def rescaled(
    factor: Array | None, rounds: bool, low: Array | None, high: Array | None, x: Array, *, out: Array | None
) -> Array:
    """As Rescale, without what was done before or cannot change anything. low, high: rows, of the last axis.

    numpy compares with a row twice as fast as with a number.
    """
    y = x.copy() if out is None else out
    if factor is not None:
        y *= factor
    if rounds:
        np.rint(y, out=y)
    if low is not None:
        np.maximum(y, low, out=y)
    if high is not None:
        np.minimum(y, high, out=y)
    return y


def looked_up(table: Array, above: np.float32, x: Array, *, out: Array | None) -> Array:
    """As Lookup in a table for all channels; what lies beyond its ends was not clamped before."""
    index = np.empty(x.shape, np.intp)
    np.add(x, above, out=index, casting="unsafe")
    return np.take(table, index, mode="clip")
