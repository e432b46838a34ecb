"""Gradients of exact networks: against finite differences without the rounding, and the same in any batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exact.test_network import random_network
from vaecodec.exact.gradient import ExactGradient
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Multiply, Op, Patches, Rescale, Reshape, Shuffle, Slice


def smooth(op: Op, x: np.ndarray, *more: np.ndarray) -> np.ndarray:
    """An operation in float64, rounding left out; a table is a straight line between its entries' slopes."""
    match op:
        case Dense():
            return x @ op.weight.astype(np.float64).T + op.bias
        case Rescale():
            return np.clip(x * 2.0 ** -op.shift.astype(np.float64), op.low, op.high)
        case Add():
            return x + more[0]
        case Multiply():
            return x * more[0]
        case _:
            return op.run(x)  # moves values about, in whatever type


def network_of(rng: np.random.Generator) -> ExactNetwork:
    """Smooth but for its clamps: every operation except tables."""

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-40, 41, shape).astype(np.float32)

    ops = (
        Slice((0,), 0, 5),
        Slice((0,), 5, 6),
        Lookup((2,), weights(1, 3, 5), 0),
        Multiply((1, 3)),
        Rescale((4,), np.array([2], np.uint8), -300, 300),
        Dense((5,), weights(8, 5), weights(8)),
        Rescale((6,), np.full(8, 5, np.uint8), 0, 200),
        Dense((7,), weights(8, 8), weights(8)),
        Rescale((8,), np.full(8, 6, np.uint8), -500, 500),
        Add((7, 9)),
        Reshape((10,), 1, 4),
        Patches((11,), 2, 1),
        Dense((12,), weights(4, 8), weights(4)),
        Rescale((13,), np.array([4], np.uint8), -2000, 2000),
        Shuffle((14,), 2, 1),
    )
    limit = np.full(6, 60, np.int32)
    limit[5] = 2
    low = -limit
    low[5] = 0
    return ExactNetwork(low, limit, ops)


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient_is_that_of_the_network_without_rounding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = network_of(rng)
    gradient = ExactGradient(network, 5)
    x = np.column_stack([rng.integers(-40, 41, (20, 5)), rng.integers(0, 3, 20)]).astype(np.int32)
    values = gradient.values(x)
    np.testing.assert_array_equal(values[-1], network(x))
    wanted = rng.normal(size=values[-1].shape).astype(np.float32)
    found = gradient(values, wanted)

    def objective(inputs: np.ndarray) -> np.ndarray:
        now = [inputs]
        for op in network.ops:
            sources = [now[source] for source in op.sources]
            now.append(op.run(sources[0]) if isinstance(op, Lookup) else smooth(op, *sources))
        return (now[-1] * wanted).sum(axis=(1, 2, 3))

    step = 1e-4
    for k in range(5):
        moved = np.eye(6)[k] * step
        slope = (objective(x + moved) - objective(x - moved)) / (2 * step)
        # Rounding may put a value on the other side of a clamp; that concerns few of the rows.
        close = np.abs(found[:, k] - slope) <= 0.02 * np.abs(slope).max() + 1e-3
        assert close.mean() > 0.8


def test_a_table_has_the_slope_of_its_neighbours() -> None:
    table = np.array([[[0], [1], [4], [9], [16]]], np.float32)
    network = ExactNetwork(np.int32([-2]), np.int32([2]), (Lookup((0,), table, -2),))
    gradient = ExactGradient(network, 1)
    x = np.arange(-2, 3, dtype=np.int32)[:, None]
    assert gradient(gradient.values(x), np.ones((5, 1), np.float32)).ravel().tolist() == [1, 2, 4, 6, 7]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_a_rows_gradient_does_not_depend_on_its_batch(seed: int) -> None:
    network = random_network(seed)
    rng = np.random.default_rng(seed)
    gradient = ExactGradient(network, len(network.input_low))
    x = rng.integers(-60, 60, (9, len(network.input_low))).astype(np.int32)
    values = gradient.values(x)
    wanted = (rng.normal(size=values[-1].shape) * 1e-3).astype(np.float32)
    together = gradient(values, wanted)
    assert together.shape == x.shape
    for k in range(9):
        alone = gradient(gradient.values(x[k : k + 1]), wanted[k : k + 1])
        np.testing.assert_array_equal(alone[0], together[k])
