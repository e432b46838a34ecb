"""Plans give the network's integers, whatever is known beforehand and however many rows there are."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaecodec
from tests.exact.test_network import random_network
from vaecodec.codec.codec import Codec
from vaecodec.errors import KnownAnswerMismatch
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Multiply, Rescale, Reshape, Slice
from vaecodec.exact.plan import KnownInputs, PlanMaker

TESTS = Path(__file__).parents[1]
CODEC = vaecodec.load(TESTS / "golden" / "v1" / "levels.vaem")
MINI = vaecodec.load(TESTS / "golden" / "v1" / "mini.vaem")


def assert_plan_is_the_network(network: ExactNetwork, seed: int, known_share: float) -> None:
    rng = np.random.default_rng(seed)
    maker, inputs = PlanMaker(network), len(network.input_low)
    for _ in range(3):
        chosen = rng.random(inputs) < known_share
        chosen[rng.integers(inputs)] = False
        x = rng.integers(-80, 80, (7, inputs)).astype(np.int32)
        x[:, chosen] = x[0, chosen]
        before, plan = x.copy(), maker.plan(KnownInputs(chosen, x[0]))
        for _ in range(2):  # a plan that spoils its constants, or its input, gives something else the second time
            np.testing.assert_array_equal(plan(x), network(x))
        np.testing.assert_array_equal(x, before)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 0.9]))
def test_a_plan_is_the_network_where_some_inputs_are_known(seed: int, known_share: float) -> None:
    network = random_network(seed)
    if network.ops:
        assert_plan_is_the_network(network, seed, known_share)


def test_a_shuffle_that_moves_nothing_keeps_what_it_is_of() -> None:
    assert_plan_is_the_network(random_network(34687909), 34687909, 0.0)


def integers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-60, 60, shape).astype(np.float32)


def conditioned(rng: np.random.Generator) -> ExactNetwork:
    """As a conditioned synthesis: two gated paths, values that are sliced and taken several times, clamps that bind."""
    ops = (
        Slice((0,), 0, 6),
        Slice((0,), 6, 7),
        Lookup((2,), integers(rng, 1, 4, 6), 0),
        Multiply((1, 3)),
        Rescale((4,), np.arange(6, dtype=np.uint8), -40, 40),
        Slice((5,), 0, 4),
        Dense((6,), integers(rng, 8, 4), integers(rng, 8)),
        Rescale((7,), np.array([4], np.uint8), -100, 100),
        Lookup((2,), integers(rng, 1, 4, 8), 0),
        Add((9, 8)),
        Rescale((10,), np.array([0], np.uint8), 0, 90),
        Dense((11,), integers(rng, 8, 8), integers(rng, 8)),
        Rescale((12,), np.full(8, 6, np.uint8), -50, 50),
        Add((8, 13)),
        Dense((5,), integers(rng, 8, 6), integers(rng, 8)),
        Add((14, 15)),
        Rescale((16,), np.array([2], np.uint8), -20, 20),
        Reshape((17,), 2, 4),
        Lookup((18,), rng.integers(0, 256, (1, 41, 1)).astype(np.float32), -20),
    )
    return ExactNetwork(np.int32([-30] * 6 + [0]), np.int32([30] * 6 + [3]), ops)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("known_share", [0.0, 0.4, 0.8])
def test_a_plan_of_a_conditioned_network_is_the_network(seed: int, known_share: float) -> None:
    network = conditioned(np.random.default_rng(seed))
    assert_plan_is_the_network(network, seed, known_share)
    rng = np.random.default_rng(seed)
    x = rng.integers(-40, 40, (9, 7)).astype(np.int32)
    x[:, 6] = 2
    level = KnownInputs(np.arange(7) == 6, x[0])
    np.testing.assert_array_equal(PlanMaker(network).plan(level)(x), network(x))


@pytest.mark.parametrize("codec", [CODEC, MINI], ids=["levels", "mini"])
def test_many_images_are_synthesised_as_few(codec: Codec) -> None:
    rng = np.random.default_rng(0)
    for level in range(len(codec.model.levels)):
        symbols = rng.integers(-9, 10, (300, codec.model.latents)).astype(np.int32)
        together = codec.lossy.synthesise(symbols, level)
        few = [codec.lossy.synthesise(symbols[k : k + 50], level) for k in range(0, 300, 50)]
        np.testing.assert_array_equal(together, np.concatenate(few))


def test_a_plan_that_differs_from_the_network_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Codec(CODEC.model)
    add = np.add
    monkeypatch.setattr(
        np, "rint", lambda x, out=None: add(np.floor(x), np.float32(1), out=out) if out is not None else x
    )
    with pytest.raises(KnownAnswerMismatch):
        codec.lossy.synthesise(np.zeros((65, codec.model.latents), np.int32))
