"""ExactPlan: an ExactNetwork some of whose inputs are known, arranged for many rows: the same integers, sooner.

    network ─┬─ what follows from known inputs alone ──once──> constants: a lookup becomes a row, a Dense loses columns
             └─ the rest ──> steps, in place where nothing needs the old value

Of a conditioned model at one level, the level and every collapsed latent are known. The power of two of a Rescale moves
into the Dense or the Multiply before it: integers below 2^24, their products and sums stay exact when all of them are
multiplied by a power of two, and the rounding comes after that, as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from vaecodec.exact import steps as exact_steps
from vaecodec.exact.network import ExactNetwork, last_uses
from vaecodec.exact.operations import Add, Array, Dense, Lookup, Multiply, Op, Rescale, Reshape, Shuffle, Slice
from vaecodec.exact.ranges import Range
from vaecodec.exact.steps import Compute, Step
from vaecodec.exact.sums import join_sums

Channels = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class KnownInputs:
    """chosen: bool (m,), which inputs are known; values: int32 (m,), what they are."""

    chosen: npt.NDArray[np.bool_]
    values: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class ExactPlan:
    """Made by PlanMaker. live: the inputs that are not known. constant: the result, where none of them reaches it."""

    low: npt.NDArray[np.int32]
    high: npt.NDArray[np.int32]
    live: Channels
    steps: tuple[Step, ...]
    constant: Array | None

    def __call__(self, x: npt.NDArray[np.int32]) -> Array:
        """(b, m) integers → the last value, as the network's; known inputs are not taken from x."""
        if self.constant is not None:
            return np.repeat(self.constant[None], len(x), axis=0)
        values = {0: np.clip(x[:, self.live], self.low, self.high).astype(np.float32)}
        for step in self.steps:
            arrays = [values[source] for source in step.sources]
            for source in step.done:
                del values[source]
            values[step.target] = step.compute(*arrays, out=arrays[0] if step.reuse else None)
        return values[self.steps[-1].target]


def _scale(op: Rescale) -> Array:
    return np.ldexp(np.float32(1), -op.shift.astype(np.int32))


def _or_none(bias: Array) -> Array | None:
    return bias if bias.any() else None


class PlanMaker:
    """Makes plans of one network; what no known input changes is prepared once for all of them."""

    def __init__(self, network: ExactNetwork) -> None:
        self._network = network
        self._ranges = list(network.ranges())
        self._weights: dict[int, Array] = {}
        self._takers: dict[int, list[Op]] = {}
        for op in network.ops:
            for source in op.sources:
                self._takers.setdefault(source, []).append(op)

    def plan(self, known: KnownInputs) -> ExactPlan:
        """The plan for these known inputs, clamped as the network clamps them."""
        network, live = self._network, np.flatnonzero(~known.chosen)
        folding = _Folding(network, self._ranges, self._takers, self._weights)
        steps = join_sums(list(folding.steps(known)))
        return ExactPlan(network.input_low[live], network.input_high[live], live, tuple(steps), folding.constant)


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """What is known of a value. live: the channels (last axis) that rows hold; constant: the value, where not live."""

    live: Channels
    constant: Array

    @property
    def whole(self) -> bool:
        """Whether rows hold every channel."""
        return len(self.live) == self.constant.shape[-1]


class _Folding:
    """Goes through the operations once. scaled: values that already have the scale of the Rescale that takes them."""

    def __init__(
        self, network: ExactNetwork, ranges: list[Range], takers: dict[int, list[Op]], weights: dict[int, Array]
    ) -> None:
        self._network, self._ranges, self._takers, self._weights = network, ranges, takers, weights
        self._values: list[_Value] = []  # what is known of those so far
        self._scaled: set[int] = set()
        self._shared: set[int] = {0}  # values whose memory others see: views and what they are of

    def steps(self, known: KnownInputs) -> Iterator[Step]:
        """The steps that are left."""
        network = self._network
        clamped = np.clip(known.values, network.input_low, network.input_high).astype(np.float32)
        self._values = [_Value(np.flatnonzero(~known.chosen), clamped)]
        for op, done in zip(network.ops, last_uses(network.ops), strict=True):
            yield from self._steps_of(op, done)
        last = len(network.ops)
        if len(self._values[last].live) and not self._values[last].whole:
            yield from self._widen((last,))

    @property
    def constant(self) -> Array | None:
        """The result, where no input that is unknown reaches it."""
        last = self._values[-1]
        return None if len(last.live) else last.constant

    def _steps_of(self, op: Op, done: list[int]) -> Iterator[Step]:
        rows = tuple(source for source in op.sources if len(self._values[source].live))
        target = len(self._values)
        if not rows:
            constants = (self._values[source].constant[None] for source in op.sources)
            self._values.append(_Value(np.empty(0, np.intp), op.run(*constants)[0]))
            return
        if not self._fits(op, rows):
            yield from self._widen(rows)
        sources = [self._values[source] for source in op.sources]
        known = self._known_of(op, target, sources)
        self._values.append(known)
        if not len(known.live):  # a slice of what is known
            return
        gone = tuple(source for source in done if source in rows)
        reuse = rows[0] in gone and not self._shared & set(rows) and isinstance(op, Multiply | Add | Rescale)
        if isinstance(op, Slice | Reshape | Shuffle):  # a shuffle of one row, or by 1, moves nothing
            self._shared |= {rows[0], target}
        yield Step(target, rows, self._compute(op, target, sources), gone, reuse)

    def _fits(self, op: Op, rows: tuple[int, ...]) -> bool:
        """Whether the operation can be done on just the channels that the rows hold."""
        first = self._values[rows[0]]
        if isinstance(op, Multiply | Add):
            return all(np.array_equal(self._values[row].live, first.live) for row in rows)
        return first.whole or isinstance(op, Dense | Rescale | Slice)

    def _widen(self, rows: tuple[int, ...]) -> Iterator[Step]:
        """Give these values rows of every channel."""
        for row in set(rows):
            value = self._values[row]
            yield Step(row, (row,), partial(exact_steps.widened, value.constant, value.live), (), False)
            self._values[row] = _Value(np.arange(value.constant.shape[-1]), value.constant)
            self._shared.discard(row)

    def _known_of(self, op: Op, target: int, sources: list[_Value]) -> _Value:
        if isinstance(op, Rescale | Multiply | Add):
            live = max((source.live for source in sources), key=len)
            return _Value(live, op.run(*(source.constant[None] for source in sources))[0])
        if isinstance(op, Slice):
            live = sources[0].live
            inside = live[(live >= op.start) & (live < op.stop)] - op.start
            return _Value(inside, sources[0].constant[..., op.start : op.stop])
        shape = self._ranges[target].shape
        return _Value(np.arange(shape[-1]), np.zeros(shape, np.float32))

    def _compute(self, op: Op, target: int, sources: list[_Value]) -> Compute:
        match op:
            case Dense():
                return self._dense(op, target, sources[0])
            case Multiply() | Add():
                return self._pairwise(op, target, sources)
            case Rescale():
                return self._rescale(op, target, sources[0])
            case Slice():
                begin, end = np.searchsorted(sources[0].live, (op.start, op.stop)).tolist()
                return partial(exact_steps.sliced, begin, end)
            case Lookup() if op.table.size == op.table.shape[1]:
                return partial(exact_steps.looked_up, op.table.ravel(), np.float32(-op.low))
            case _:
                return partial(exact_steps.run, op)

    def _coming_scale(self, target: int) -> Array | None:
        """The scale of the Rescale that alone takes this value: it is to be applied now."""
        takers = self._takers.get(target, [])
        if len(takers) != 1 or not isinstance(takers[0], Rescale):
            return None
        self._scaled.add(target)
        return _scale(takers[0])

    def _dense(self, op: Dense, target: int, x: _Value) -> Compute:
        scale = self._coming_scale(target)
        factor = np.ones(1, np.float32) if scale is None else scale
        if x.whole:
            if target not in self._weights:
                self._weights[target] = op.weight * factor[:, None]
            return partial(exact_steps.dense, self._weights[target], _or_none(op.bias * factor))
        fixed = x.constant.astype(np.float64)
        fixed[x.live] = 0
        bias = (op.weight @ fixed + op.bias).astype(np.float32)  # in float64: exact, as the whole sum is
        return partial(exact_steps.dense, op.weight[:, x.live] * factor[:, None], _or_none(bias * factor))

    def _pairwise(self, op: Multiply | Add, target: int, sources: list[_Value]) -> Compute:
        function = np.multiply if isinstance(op, Multiply) else np.add
        a, b = sources
        if len(a.live) and len(b.live):
            return partial(exact_steps.of_two, function)
        live, row = (a.live, b.constant[..., a.live]) if len(a.live) else (b.live, a.constant[..., b.live])
        scale = self._coming_scale(target) if isinstance(op, Multiply) else None
        if scale is not None:
            row = row * (scale if len(scale) == 1 else scale[live])
        return partial(exact_steps.by_row, function, row)

    def _rescale(self, op: Rescale, target: int, x: _Value) -> Compute:
        scale, before = _scale(op), self._ranges[op.sources[0]]
        low, high = np.rint(before.low * scale).min(), np.rint(before.high * scale).max()
        rounds = bool(op.shift.any())
        factor = None
        if rounds and op.sources[0] not in self._scaled:
            factor = scale if len(scale) == 1 else scale[x.live]
        clamps, channels = not self._lookup_clamps(op, target), len(x.live)
        lowest = np.full(channels, op.low, np.float32) if clamps and low < op.low else None
        highest = np.full(channels, op.high, np.float32) if clamps and high > op.high else None
        return partial(exact_steps.rescaled, factor, rounds, lowest, highest)

    def _lookup_clamps(self, op: Rescale, target: int) -> bool:
        """Whether only a table takes this value, whose ends are where the value is to be clamped."""
        takers = self._takers.get(target, [])
        if len(takers) == 1 and isinstance(takers[0], Reshape):
            takers = self._takers.get(target + 1, []) if self._network.ops[target] is takers[0] else []
        if len(takers) != 1 or not isinstance(takers[0], Lookup):
            return False
        table = takers[0].table
        return table.size == table.shape[1] and (op.low, op.high) == (takers[0].low, takers[0].low + table.size - 1)
