"""ExactGraph: the list of an integer-exact network's operations, as it grows.

graph = ExactGraph(inputs)
h = graph.dense(graph.slice(graph.input, 0, 8), weight, bias)      every call adds operations, gives a value's number
graph.network()
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Multiply, Op, Patches, Rescale, Reshape, Shuffle, Slice
from vaecodec.layers.exact.dense import ExactDense


class ExactGraph:
    """Values are known by their numbers; `input` is 0. low, high: int32 (m,), the range of each input."""

    input = 0

    def __init__(self, low: npt.NDArray[np.int32], high: npt.NDArray[np.int32]) -> None:
        self._low, self._high = low, high
        self._ops: list[Op] = []

    def append(self, op: Op) -> int:
        """Add an operation; the number of its result."""
        self._ops.append(op)
        return len(self._ops)

    def dense(self, x: int, weight: Tensor, bias: Tensor) -> int:
        """weight (out, in) and bias (out,): tensors of integers."""
        return self.append(Dense((x,), _array(weight), _array(bias)))

    def rescale(self, x: int, shift: Tensor | int, low: int, high: int) -> int:
        """shift: one number, or one for each channel."""
        shifts = np.array([shift]) if isinstance(shift, int) else shift.detach().numpy()
        return self.append(Rescale((x,), shifts.astype(np.uint8), low, high))

    def exact_dense(self, layer: ExactDense, x: int) -> int:
        """The two operations of a layer."""
        weight, bias = layer.integers()
        return self.rescale(self.dense(x, weight, bias), layer.shift, layer.low, layer.high)

    def add(self, a: int, b: int) -> int:
        """a + b."""
        return self.append(Add((a, b)))

    def multiply(self, a: int, b: int) -> int:
        """a · b."""
        return self.append(Multiply((a, b)))

    def slice(self, x: int, start: int, stop: int) -> int:
        """Channels start … stop - 1."""
        return self.append(Slice((x,), start, stop))

    def lookup(self, x: int, table: Tensor | npt.NDArray[np.float32], low: int = 0) -> int:
        """table (entries, f), shared by all channels."""
        entries = table if isinstance(table, np.ndarray) else _array(table)
        return self.append(Lookup((x,), entries[None], low))

    def reshape(self, x: int, height: int, width: int) -> int:
        """To (height, width, channels)."""
        return self.append(Reshape((x,), height, width))

    def patches(self, x: int, size: int, pad: int) -> int:
        """Each position's window of size × size positions, as vaecodec.layers.exact.dense.patches."""
        return self.append(Patches((x,), size, pad))

    def shuffle(self, x: int, factor: int, crop: int = 0) -> int:
        """Depth to space, as vaecodec.layers.exact.dense.shuffle."""
        return self.append(Shuffle((x,), factor, crop))

    def network(self) -> ExactNetwork:
        """The network whose result is the last value. Raises NotExact."""
        return ExactNetwork(self._low, self._high, tuple(self._ops))


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32)
