"""The benchmark's second engine follows the same list of operations."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from vaecodec.codec.codec import load
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Patches, Rescale, Reshape, Shuffle
from vaecodec.pixels.coder import decode_payloads, encode_payloads
from vaecodec.pixels.near_lossless import Bins

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"


def network(rng):
    """Every operation once or more: 5 symbols -> 4 x 4 x 1 pixels."""

    def dense(source, inputs, outputs):
        weight = rng.integers(-127, 128, (outputs, inputs)).astype(np.float32)
        return Dense((source,), weight, rng.integers(-500, 500, outputs).astype(np.float32))

    table = rng.integers(0, 256, (1, 256, 1)).astype(np.float32)
    by_channel = rng.integers(0, 256, (2, 256, 2)).astype(np.float32)
    ops = (
        dense(0, 5, 8),
        Rescale((1,), rng.integers(3, 6, 8).astype(np.uint8), 0, 255),
        Reshape((2,), 2, 2),  # 2 x 2 x 2
        Lookup((3,), by_channel, 0),  # 2 x 2 x 4
        Patches((4,), 2, 1),  # 3 x 3 x 16
        dense(5, 16, 4),
        Rescale((6,), np.array([7], np.uint8), 0, 120),
        Add((7, 7)),
        Shuffle((8,), 2, 1),  # 4 x 4 x 1
        Lookup((9,), table, 0),
    )
    limit = np.full(5, 20, np.int32)
    return ExactNetwork(-limit, limit, ops)


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_torch_gives_the_pixels_that_numpy_gives(batch):
    pytest.importorskip("torch")
    from benchmarks.measuring.torch_evaluator import synthesise_in_torch

    rng = np.random.default_rng(3)
    exact = network(rng)
    symbols = rng.integers(-30, 31, (70, 5)).astype(np.int32)
    assert np.array_equal(synthesise_in_torch(exact, symbols, batch=batch), exact(symbols)[..., 0])


@pytest.mark.parametrize("batch", [1, 16, 64])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ["exact", "bits"])
def test_lossless_payloads_decode_alike_in_torch(name, precision, batch):
    """50 images of noise and shapes: whatever they are, both engines must find the same probabilities."""
    torch = pytest.importorskip("torch")
    from benchmarks.measuring.torch_evaluator import evaluate_in_torch

    part = load(GOLDEN / f"{name}.vaem").lossless.part
    rng, (height, width) = np.random.default_rng(4), part.geometry
    rows, columns = np.indices((height, width))
    centres = rng.uniform(2, min(height, width) - 2, (50, 2, 1, 1))
    shade = np.hypot(rows - centres[:, 0], columns - centres[:, 1]) * rng.uniform(10, 50, (50, 1, 1))
    images = np.clip(255 - shade + rng.normal(0, 20, shade.shape), 0, 255).astype(np.uint8)
    if part.likelihood.bit_depth == 1:
        images = (images > 100) * np.uint8(255)
    symbols = rng.integers(0, 17, (50, part.tables.n)).astype(np.int32)
    payloads = encode_payloads(part, Bins(0), [1] * 50, symbols, images).payloads
    engine = partial(evaluate_in_torch, batch=batch, dtype=getattr(torch, precision))
    found, decoded = decode_payloads(part, Bins(0), [1] * 50, payloads, engine)
    assert np.array_equal(found, symbols)
    assert np.array_equal(decoded, images)
