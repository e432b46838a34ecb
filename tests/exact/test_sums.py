"""Sums of two products become one product in a plan, and the integers stay the network's."""

import numpy as np
import pytest

from tests.exact.test_plan import assert_plan_is_the_network, integers
from vaecodec.exact import steps as exact_steps
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Op, Rescale, Slice
from vaecodec.exact.plan import KnownInputs, PlanMaker


def network(*ops: Op) -> ExactNetwork:
    return ExactNetwork(np.int32([-30] * 6), np.int32([30] * 6), ops)


def dense(rng: np.random.Generator, source: int, outputs: int, inputs: int, *, bias: bool = True) -> Dense:
    return Dense((source,), integers(rng, outputs, inputs), integers(rng, outputs) * bias)


def of_two_slices(rng: np.random.Generator) -> ExactNetwork:
    """The last layers of a conditioned synthesis."""
    return network(
        Slice((0,), 0, 4),
        Slice((0,), 4, 6),
        dense(rng, 1, 5, 4),
        dense(rng, 2, 5, 2, bias=False),
        Add((3, 4)),
        Rescale((5,), np.array([0, 1, 2, 3, 4], np.uint8), -90, 90),
    )


def of_one_source(rng: np.random.Generator) -> ExactNetwork:
    return network(dense(rng, 0, 5, 6), dense(rng, 0, 5, 6), Add((2, 1)))


def of_a_product_taken_twice(rng: np.random.Generator) -> ExactNetwork:
    return network(dense(rng, 0, 6, 6), Rescale((1,), np.array([6], np.uint8), -9, 9), dense(rng, 2, 6, 6), Add((1, 3)))


def of_a_source_written_over(rng: np.random.Generator) -> ExactNetwork:
    """The first product's source is scaled in place before the sum."""
    return network(
        Rescale((0,), np.array([1], np.uint8), -12, 12),
        dense(rng, 1, 6, 6),
        Rescale((1,), np.array([2], np.uint8), -3, 3),
        dense(rng, 3, 6, 6),
        Add((2, 4)),
    )


def of_a_source_let_go(rng: np.random.Generator) -> ExactNetwork:
    """The first product's source is taken for the last time before the sum, by a step of neither product."""
    return network(
        Rescale((0,), np.array([1], np.uint8), -12, 12),
        Rescale((0,), np.array([2], np.uint8), -9, 9),
        dense(rng, 1, 6, 6),
        Lookup((1,), integers(rng, 1, 25, 1), -12),
        dense(rng, 2, 6, 6),
        Add((3, 5)),
        Add((6, 4)),
    )


JOINED = (of_two_slices, of_one_source)
APART = (of_a_product_taken_twice, of_a_source_written_over, of_a_source_let_go)


@pytest.mark.parametrize("make", [*JOINED, *APART])
@pytest.mark.parametrize("known_share", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(6))
def test_a_plan_with_sums_is_the_network(make, known_share: float, seed: int) -> None:
    assert_plan_is_the_network(make(np.random.default_rng(seed)), seed, known_share)


@pytest.mark.parametrize("make", [*JOINED, *APART])
def test_only_products_that_nothing_else_takes_are_joined(make) -> None:
    nothing = KnownInputs(np.zeros(6, np.bool_), np.zeros(6, np.int32))
    steps = PlanMaker(make(np.random.default_rng(0))).plan(nothing).steps
    joined = [step for step in steps if step.compute.func is exact_steps.dense_of_two]
    assert len(joined) == (make in JOINED)


def test_the_scale_after_a_sum_moves_into_its_weights() -> None:
    nothing = KnownInputs(np.zeros(6, np.bool_), np.zeros(6, np.int32))
    last = PlanMaker(of_two_slices(np.random.default_rng(0))).plan(nothing).steps[-1].compute
    assert last.func is exact_steps.rescaled
    assert last.args[0] is None
