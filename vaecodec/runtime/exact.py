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
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vaecodec.errors import LimitExceeded, NotExact
from vaecodec.runtime.exact_ops import Array, Op, Range, prove

MAX_OPS = 256  # a hostile model must not keep us busy for hours


@dataclass(frozen=True)
class ExactNetwork:
    """A list of operations; value 0 is the input, value k the result of operation k (counted from 1).

    input_low, input_high: int32 (n,), the range that each input is clamped to. Raises NotExact where a sum could reach
    2^24, an operation does not fit its source, or a source lies ahead; LimitExceeded where a value is too large.
    """

    input_low: npt.NDArray[np.int32]
    input_high: npt.NDArray[np.int32]
    ops: tuple[Op, ...]

    def __post_init__(self) -> None:
        _ = self.bounds

    @cached_property
    def bounds(self) -> list[Range]:
        """What is proven of every value: the input's first."""
        low, high = self.input_low.astype(np.int64), self.input_high.astype(np.int64)
        if low.ndim != 1 or low.shape != high.shape or np.any(low > high):
            raise NotExact("input range is empty")
        if len(self.ops) > MAX_OPS:
            raise LimitExceeded(f"network: {len(self.ops)} operations, at most {MAX_OPS} allowed")
        prove(np.maximum(np.abs(low), np.abs(high)), "input")
        found = [Range(low.shape, low, high)]
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
