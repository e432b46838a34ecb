"""Integer-exact networks against a naive evaluator over Python's and numpy's 64-bit integers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.errors import NotExact
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import OPS, Add, Dense, Lookup, Multiply, Op, Patches, Rescale, Reshape, Shuffle, Slice
from vaecodec.modelfile.model import read_model

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "v1"


def half_even(x: int, shift: int) -> int:
    """x / 2^shift to the nearest integer, halves to the even one, without a float."""
    whole, rest = divmod(x, 1 << shift)
    double = 2 * rest
    return whole + (double > 1 << shift or (double == 1 << shift and whole % 2 == 1))


def naive(op: Op, x: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """One operation on int64 values without the batch, by the formula of docs/format.md."""
    if isinstance(op, Dense):
        return x @ op.weight.astype(np.int64).T + op.bias.astype(np.int64)
    if isinstance(op, Rescale):
        shift = np.broadcast_to(op.shift, x.shape).ravel().tolist()
        rounded = [half_even(value, s) for value, s in zip(x.ravel().tolist(), shift, strict=True)]
        return np.array([min(max(v, op.low), op.high) for v in rounded], np.int64).reshape(x.shape)
    if isinstance(op, Add):
        return x + other
    if isinstance(op, Multiply):
        return x * other
    if isinstance(op, Slice):
        return x[..., range(op.start, op.stop)]
    channels = x.shape[-1]
    if isinstance(op, Lookup):
        flat = x.reshape(-1, channels)
        rows = [[op.table[c % len(op.table), row[c] - op.low] for c in range(channels)] for row in flat]
        return np.array(rows, np.int64).reshape(*x.shape[:-1], channels * op.table.shape[2])
    if isinstance(op, Reshape):
        return x.reshape(op.height, op.width, -1)
    if isinstance(op, Patches):
        shape = tuple(side + 2 * op.pad - op.size + 1 for side in x.shape[:2])
        y = np.zeros((*shape, op.size**2 * channels), np.int64)
        for i, j, u, v in np.ndindex(*shape, op.size, op.size):
            row, column = i + u - op.pad, j + v - op.pad
            if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
                at = (u * op.size + v) * channels
                y[i, j, at : at + channels] = x[row, column]
        return y
    r, c = op.factor, channels // op.factor**2
    y = np.zeros((x.shape[0] * r - 2 * op.crop, x.shape[1] * r - 2 * op.crop, c), np.int64)
    for i, j in np.ndindex(*y.shape[:2]):
        row, column = i + op.crop, j + op.crop
        at = (row % r * r + column % r) * c
        y[i, j] = x[row // r, column // r, at : at + c]
    return y


def every_value(network: ExactNetwork, symbols: np.ndarray) -> list[np.ndarray]:
    values = [np.clip(symbols.astype(np.int64), network.input_low, network.input_high)]
    for op in network.ops:
        values.append(naive(op, *(values[source] for source in op.sources)))
    return values


def candidate(rng: np.random.Generator, last: int, other: int, shape: tuple[int, ...]) -> Op:
    """A random operation, which may not fit."""
    channels = shape[-1]
    kind = rng.choice(["dense", "rescale", "add", "multiply", "slice", "lookup", "patches", "shuffle", "reshape"])
    if kind == "dense":
        out, reach = int(rng.choice([1, 4, 8])), int(rng.choice([3, 127, 32767]))
        weight = rng.integers(-reach, reach + 1, (out, channels)).astype(np.float32)
        return Dense((last,), weight, rng.integers(-(2**20), 2**20, out).astype(np.float32))
    if kind == "rescale":
        shift = rng.integers(0, 25, rng.choice([1, channels])).astype(np.uint8)
        low, high = sorted(rng.integers(-300, 300, 2).tolist())
        return Rescale((last,), shift, low, high)
    if kind == "add":
        return Add((last, other))
    if kind == "multiply":
        return Multiply((other, last))
    if kind == "slice":
        start = int(rng.integers(0, channels))
        return Slice((last,), start, int(rng.integers(start, channels + 1)))
    if kind == "lookup":
        table = rng.integers(-32767, 32768, (int(rng.choice([1, channels])), 700, int(rng.integers(1, 3))))
        return Lookup((last,), table.astype(np.float32), -350)
    if kind == "patches":
        size = int(rng.integers(1, 4))
        return Patches((last,), size, int(rng.integers(0, size)))
    if kind == "shuffle":
        return Shuffle((last,), int(rng.integers(1, 3)), int(rng.integers(0, 2)))
    return Reshape((last,), 2, 2)


def random_network(seed: int) -> ExactNetwork:
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 4, 8]))
    high = rng.integers(0, 50, n).astype(np.int32)
    network = ExactNetwork(-high, high, ())
    for _ in range(25):
        ranges = list(network.ranges())
        alike = [k for k, value in enumerate(ranges) if value.shape == ranges[-1].shape]
        op = candidate(rng, len(ranges) - 1, int(rng.choice(alike)), ranges[-1].shape)
        try:
            grown = ExactNetwork(network.input_low, network.input_high, (*network.ops, op))
        except NotExact:
            continue
        if grown.result.low.size * 40 < 4000:
            network = grown
    return network


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_network_equals_the_naive_one_and_keeps_its_proven_ranges(seed: int) -> None:
    network = random_network(seed)
    symbols = np.random.default_rng(seed + 1).integers(-60, 60, (3, len(network.input_low))).astype(np.int32)
    found = network(symbols)
    assert found.dtype == np.float32
    for row, result in zip(symbols, found, strict=True):
        values = every_value(network, row)
        np.testing.assert_array_equal(result, values[-1])
        for value, proven in zip(values, network.ranges(), strict=True):
            assert value.shape == proven.shape
            assert (value >= proven.low).all()
            assert (value <= proven.high).all()
            assert np.abs(value).max() < 2**24


def test_random_networks_use_every_operation() -> None:
    used = {op.kind for seed in range(30) for op in random_network(seed).ops}
    assert used == set(OPS)


@pytest.mark.parametrize("name", ["mini", "tiny"])
def test_a_stored_synthesis_equals_the_naive_one(name: str) -> None:
    model = read_model(GOLDEN / f"{name}.vaem")
    symbols = model.known_answer.symbols[:2]
    expected = [every_value(model.synthesis, row)[-1] for row in symbols]
    np.testing.assert_array_equal(model.synthesis(symbols), expected)


def test_rescale_rounds_halves_to_the_even_number() -> None:
    x = np.arange(-9, 10, dtype=np.int32).reshape(-1, 1)
    network = ExactNetwork(np.array([-9], np.int32), np.array([9], np.int32), (Rescale((0,), np.uint8([1]), -99, 99),))
    assert network(x).ravel().tolist() == [-4, -4, -4, -3, -2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2, 3, 4, 4, 4]


def test_inputs_beyond_the_range_are_clamped() -> None:
    network = ExactNetwork(np.int32([-3]), np.int32([5]), ())
    extremes = np.array([[-(2**31)], [2**31 - 1]], np.int32)
    assert network(extremes).ravel().tolist() == [-3, 5]


def test_a_dense_layer_may_reach_one_below_the_limit_and_no_more() -> None:
    one = np.ones((1, 1), np.float32)
    top = np.int32([2**24 - 11])
    network = ExactNetwork(-top, top, (Dense((0,), one, np.float32([10])),))
    assert network(top[None]).item() == 2**24 - 1
    with pytest.raises(NotExact, match="channel 0 may reach 16777216"):
        ExactNetwork(-top, top, (Dense((0,), one, np.float32([11])),))


WIDE = """
import hashlib, sys
import numpy as np
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Rescale
from vaecodec.modelfile.model import read_model
rng = np.random.default_rng(0)
number = lambda reach, *shape: rng.integers(-reach, reach, shape).astype("f4")
layer = lambda n, k: Dense((k,), number(30, 512, n), number(9999, 512))
high = np.full(512, 255, np.int32)
wide = ExactNetwork(-high, high, (layer(512, 0), Rescale((1,), np.uint8([12]), 0, 255), layer(512, 2)))
for network in (wide, read_model(sys.argv[1]).synthesis):
    symbols = rng.integers(-300, 300, (64, len(network.input_low))).astype(np.int32)
    batches = [np.concatenate([network(symbols[k : k + b]) for k in range(0, 64, b)]) for b in (1, 16, 64)]
    for batch in batches:
        print(hashlib.sha256(batch.astype("<i4").tobytes()).hexdigest())
"""


def test_batches_of_1_16_and_64_and_1_and_2_threads_give_the_same_integers() -> None:
    outputs = []
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
        env = {**os.environ, **dict.fromkeys(names, threads), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", WIDE, str(GOLDEN / "tiny.vaem")]
        outputs.append(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split())
    assert outputs[0] == outputs[1]
    assert len(set(outputs[0][:3])) == len(set(outputs[0][3:])) == 1


def test_an_empty_batch_and_no_latents_work() -> None:
    network = ExactNetwork(
        np.empty(0, np.int32),
        np.empty(0, np.int32),
        (Dense((0,), np.ones((4, 0), np.float32), np.ones(4, np.float32)),),
    )
    assert network(np.empty((2, 0), np.int32)).tolist() == [[1] * 4] * 2
    model = read_model(GOLDEN / "mini.vaem")
    assert model.synthesis(np.empty((0, 4), np.int32)).shape == (0, 4, 6, 1)
