"""ExactNetwork: a network of integers whose result is the same on every machine, engine, batch size and thread count.

    input (b, n) integers ──> op 1 ──> op 2 ──> … ──> last op: the result (b, …) integers

Values are integers held in float32. Every product and every partial sum, in whatever order a library forms it, stays
below 2^24, where float32 is exact; `bounds` proves it from the weights when a network is made or read, so that a file
cannot break the promise. There is no convolution operator: libraries may run one by Winograd or FFT, which is not
exact. A convolution is `Patches` and `Dense`. docs/format.md, "Integer-exact networks", is the specification.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_LIVE_ELEMENTS, MAX_MACS, MAX_OPS, MAX_RESULT_ELEMENTS, MAX_VALUE_ELEMENTS
from vaecodec.errors import LimitExceeded, NotExact
from vaecodec.exact.operations import Array, Dense, Op
from vaecodec.exact.ranges import Range, prove

MOST_BATCH_ELEMENTS = 1 << 24  # of a batch's values at once: 64 MB; 64 images of the released models need less


@dataclass(frozen=True, slots=True)
class Work:
    """What networks cost for one image: products, and the elements of all results."""

    macs: int = 0
    elements: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.macs + other.macs, self.elements + other.elements)

    def check(self, what: str) -> Work:
        """Itself. Raises LimitExceeded."""
        if self.macs > MAX_MACS:
            raise LimitExceeded(f"{what}: {self.macs} products or more for one image, at most {MAX_MACS} allowed")
        if self.elements > MAX_RESULT_ELEMENTS:
            raise LimitExceeded(
                f"{what}: results of {self.elements} elements for one image, at most {MAX_RESULT_ELEMENTS} allowed"
            )
        return self


@dataclass(frozen=True)
class ExactNetwork:
    """A list of operations; value 0 is the input, value k the result of operation k (counted from 1).

    input_low, input_high: int32 (n,), the range that each input is clamped to. Raises NotExact where a sum could reach
    2^24, an operation does not fit its source, a source lies ahead or a result is never used; LimitExceeded where a
    value, all values that are needed at once, all results together, or the number of products is too large.
    """

    input_low: npt.NDArray[np.int32]
    input_high: npt.NDArray[np.int32]
    ops: tuple[Op, ...]

    def __post_init__(self) -> None:
        _ = self.result

    @cached_property
    def work(self) -> Work:
        """What it costs; proving it has counted that, unless there is nothing to do."""
        return Work()

    @cached_property
    def live_elements(self) -> int:
        """Of all values of one image that are needed at once; proving it has counted them, unless nothing is done."""
        return len(self.input_low)

    @cached_property
    def result(self) -> Range:
        """What is proven of the last value."""
        return deque(self.ranges(), maxlen=1)[0]

    def ranges(self) -> Iterator[Range]:
        """What is proven of every value, the input's first. As in an evaluation, what is needed no more is dropped."""
        found = self._input_range()
        self._check_sources()
        yield found
        alive, macs, elements = {0: found}, 0, 0
        for position, (op, done) in enumerate(zip(self.ops, last_uses(self.ops), strict=True)):
            found = alive[position + 1] = op.bounds(*(alive[source] for source in op.sources))
            live = sum(math.prod(value.shape) for value in alive.values())
            if live > MAX_LIVE_ELEMENTS:
                raise LimitExceeded(
                    f"operation {position + 1}: {live} values of one image at once, at most {MAX_LIVE_ELEMENTS} allowed"
                )
            vars(self)["live_elements"] = max(live, vars(self).get("live_elements", 0))
            elements += math.prod(found.shape)
            macs += math.prod(found.shape) * op.weight.shape[1] if isinstance(op, Dense) else 0
            work = vars(self)["work"] = Work(macs, elements)
            work.check("network")
            for source in done:
                del alive[source]
            yield found

    def _input_range(self) -> Range:
        low, high = self.input_low.astype(np.int64), self.input_high.astype(np.int64)
        if low.ndim != 1 or low.shape != high.shape or np.any(low > high):
            raise NotExact("input range is empty")
        if low.size > MAX_VALUE_ELEMENTS:
            raise LimitExceeded(f"input: {low.size} values, at most {MAX_VALUE_ELEMENTS} allowed")
        prove(np.maximum(np.abs(low), np.abs(high)), "input")
        return Range(low.shape, low, high)

    def _check_sources(self) -> None:
        """Every operation takes values that stand before it, and every value but the last is taken."""
        if len(self.ops) > MAX_OPS:
            raise LimitExceeded(f"network: {len(self.ops)} operations, at most {MAX_OPS} allowed")
        for position, op in enumerate(self.ops):
            if any(not 0 <= source <= position for source in op.sources):
                raise NotExact(f"operation {position + 1} takes values {op.sources} that do not stand before it")
        unused = set(range(len(self.ops))) - {source for op in self.ops for source in op.sources}
        if unused:
            raise NotExact(f"value {min(unused)} is never used")

    def __call__(self, x: npt.NDArray[np.int32]) -> Array:
        """(b, n) integers → the last operation's value, integers in float32.

        A batch whose values would need more than MOST_BATCH_ELEMENTS is done in pieces: a large network of a hostile
        file must not make the memory grow with the images.
        """
        rows = max(1, MOST_BATCH_ELEMENTS // max(1, self.live_elements))
        if len(x) <= rows:
            return self._evaluated(x)
        return np.concatenate([self._evaluated(x[first : first + rows]) for first in range(0, len(x), rows)])

    def _evaluated(self, x: npt.NDArray[np.int32]) -> Array:
        return evaluate(self.ops, np.clip(x, self.input_low, self.input_high).astype(np.float32))


Engine = Callable[[ExactNetwork, npt.NDArray[np.int32]], Array]  # how networks are evaluated: numpy, or torch in tests


def by_numpy(network: ExactNetwork, x: npt.NDArray[np.int32]) -> Array:
    """The engine that comes with the runtime."""
    return network(x)


def evaluate(ops: Sequence[Op], x: Array) -> Array:
    """Run the operations one after the other; a value is dropped once nothing later needs it."""
    values: dict[int, Array] = {0: x}
    for position, (op, done) in enumerate(zip(ops, last_uses(ops), strict=True)):
        values[position + 1] = op.run(*(values[source] for source in op.sources))
        for source in done:
            del values[source]
    return values[len(ops)]


def last_uses(ops: Sequence[Op]) -> list[list[int]]:
    """For each operation the values that it is the last to take."""
    last_use = {source: position for position, op in enumerate(ops) for source in op.sources}
    done: list[list[int]] = [[] for _ in ops]
    for source, position in last_use.items():
        done[position].append(source)
    return done
