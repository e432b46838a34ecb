"""Bins: every error allowed, every value."""

import numpy as np
import pytest

from vaecodec.bitstream.limits import MAX_ERROR
from vaecodec.entropy.tables import TOTAL, counts_from_probabilities
from vaecodec.pixels.near_lossless import Bins

EVERY_VALUE = np.arange(256, dtype=np.uint8)
ERRORS = range(MAX_ERROR + 1)


@pytest.mark.parametrize("error", ERRORS)
def test_every_value_stays_within_the_error(error: int) -> None:
    rounded = Bins(error).rounded(EVERY_VALUE, 8)
    assert rounded.dtype == np.uint8
    assert np.abs(rounded.astype(int) - EVERY_VALUE).max() <= error


@pytest.mark.parametrize("error", ERRORS)
def test_columns_and_values_are_inverse_and_use_every_bin(error: int) -> None:
    bins = Bins(error)
    rounded = np.unique(bins.rounded(EVERY_VALUE, 8))
    lit = rounded[rounded > 0]
    columns = bins.columns(lit)
    assert columns.tolist() == list(range(bins.count))
    assert bins.values(columns).tolist() == lit.tolist()
    assert 0 in rounded


@pytest.mark.parametrize("error", ERRORS)
def test_rounding_twice_is_rounding_once(error: int) -> None:
    for bit_depth in (1, 8):
        rounded = Bins(error).rounded(EVERY_VALUE, bit_depth)
        assert np.array_equal(Bins(error).rounded(rounded, bit_depth), rounded)


def test_no_error_changes_nothing() -> None:
    assert np.array_equal(Bins(0).rounded(EVERY_VALUE, 8), EVERY_VALUE)
    assert Bins(0).count == 255


@pytest.mark.parametrize("error", ERRORS)
def test_merged_counts_are_sums_with_the_rest_in_the_largest(error: int) -> None:
    bins, rng = Bins(error), np.random.default_rng(error)
    counts = counts_from_probabilities(rng.gamma(0.1, size=(20, 255)) + 1e-30)
    merged = bins.merged(counts.astype(np.float64))
    assert merged.shape == (20, bins.count)
    for row, found in zip(counts.tolist(), merged.tolist(), strict=True):
        expected = [0] * bins.count
        for value in range(error + 1, 256):
            expected[(value - error - 1) // (2 * error + 1)] += row[value - 1]
        expected[expected.index(max(expected))] += sum(row[:error])
        assert found == expected
        assert sum(found) == TOTAL


def test_one_bit_allows_only_black_and_white() -> None:
    assert set(Bins(9).rounded(EVERY_VALUE, 1).tolist()) == {0, 255}
    assert Bins(9).rounded(np.array([9, 10], np.uint8), 1).tolist() == [0, 255]
