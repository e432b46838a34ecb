"""Pixel tables against whole numbers of Python."""

import numpy as np
import pytest

from vaecodec.bitstream.limits import MAX_BASES
from vaecodec.entropy.tables import TOTAL, counts_from_probabilities
from vaecodec.errors import LimitExceeded
from vaecodec.modelfile.lossless_part import MAX_WEIGHT_VALUE, ValueMixture
from vaecodec.pixels.tables import counts_of_values

LIMIT = 40


def mixture(rng: np.random.Generator, bases: int, sparse: bool = False) -> ValueMixture:
    """Counts down to the least that is allowed, weights over their whole range."""
    shape = rng.gamma(0.01 if sparse else 1.0, size=(bases, 255)) + 1e-30
    counts = counts_from_probabilities(shape).astype(np.int64)
    counts += 1  # the least allowed is 2
    counts[np.arange(bases), counts.argmax(axis=1)] -= 255
    weights = np.exp(rng.uniform(0, np.log(MAX_WEIGHT_VALUE), 2 * LIMIT + 1))
    weights[:2] = 1, MAX_WEIGHT_VALUE
    return ValueMixture(np.rint(weights).clip(1, MAX_WEIGHT_VALUE).astype(np.int32), counts.astype(np.int32))


def by_the_page(found: ValueMixture, indices: list[int]) -> list[int]:
    """docs/format.md, in whole numbers."""
    e = [int(found.weights[i + LIMIT]) for i in indices]
    w = [(each << 16) // sum(e) for each in e]
    counts = [sum(w[k] * int(row[v]) for k, row in enumerate(found.counts)) >> 16 for v in range(255)]
    counts[counts.index(max(counts))] += TOTAL - sum(counts)
    return counts


@pytest.mark.parametrize("bases", [1, 2, 48, MAX_BASES])
@pytest.mark.parametrize("sparse", [False, True])
def test_counts_are_those_of_the_page(bases: int, sparse: bool) -> None:
    rng = np.random.default_rng(bases)
    found = mixture(rng, bases, sparse)
    indices = rng.integers(-LIMIT, LIMIT + 1, (6, 1 + bases)).astype(np.int16)
    indices[0] = -LIMIT
    counts = counts_of_values(found, indices)
    for row, expected in zip(counts.tolist(), indices[:, 1:].tolist(), strict=True):
        assert row == by_the_page(found, expected)
    assert counts.min() >= 1
    assert (counts.sum(axis=1) == TOTAL).all()


@pytest.mark.parametrize("bases", [1, 48, MAX_BASES])
@pytest.mark.parametrize("sparse", [False, True])
def test_no_mixture_gives_a_value_fewer_bits_than_the_least(bases: int, sparse: bool) -> None:
    rng = np.random.default_rng(bases)
    found = mixture(rng, bases, sparse)
    indices = rng.integers(-LIMIT, LIMIT + 1, (50, 1 + bases)).astype(np.int16)
    bits = np.log2(TOTAL) - np.log2(counts_of_values(found, indices))
    assert (bits >= found.least_bits[1:]).all()
    assert found.least_bits[0] == 0
    assert (found.least_bits >= 0).all()


def test_the_least_counts_stay_above_zero_where_the_weights_round_down() -> None:
    bases = MAX_BASES - 1
    counts = np.full((bases, 255), 2, np.int32)
    counts[:, 7] = TOTAL - 2 * 254
    found = ValueMixture(np.full(2 * LIMIT + 1, 3, np.int32), counts)
    assert counts_of_values(found, np.zeros((1, 1 + bases), np.int16)).min() == 1


def test_more_bases_than_the_limit_are_refused() -> None:
    counts = np.full((MAX_BASES + 1, 255), 2, np.int32)
    counts[:, 0] = TOTAL - 2 * 254
    with pytest.raises(LimitExceeded, match="257 basis distributions"):
        ValueMixture(np.ones(3, np.int32), counts)
