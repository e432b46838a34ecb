"""One table of shapes for many symbols: what it refuses, and where the tables of a mean and a scale lie."""

import numpy as np
import pytest

from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.entropy.tables import MAX_ALPHABET, MAX_ENTRIES, TOTAL, CodingTables
from vaecodec.errors import BadField, LimitExceeded

SCALES, FRACTIONS, COLUMNS = 3, 4, 8


def counts_of(scales: int = SCALES, fractions: int = FRACTIONS, columns: int = COLUMNS) -> np.ndarray:
    """Every row another: its number stands in the first column."""
    counts = np.ones((scales, fractions, columns), np.uint32)
    counts[..., 0] = 1 + np.arange(scales * fractions).reshape(scales, fractions)
    counts[..., -1] += (TOTAL - counts.sum(axis=2)).astype(np.uint32)
    return counts


def own(coded: list[bool], offsets: list[int]) -> CodingTables:
    rows = np.ones((len(coded), COLUMNS), np.uint32)
    rows[:, 0] = TOTAL - COLUMNS + 1
    return CodingTables(np.array(offsets, np.int32), rows, np.array(coded))


def test_a_mean_moves_the_window_and_its_fraction_chooses_the_row() -> None:
    shapes = ShapeTable(counts_of())
    means = np.array([0, 1, 4, 7, -1, -4], np.int32)  # in quarters: 0, ¼, 1, 1¾, −¼, −1
    found = shapes.tables(means, np.array([0, 1, 2, 0, 1, 2], np.int32), own([True] * 6, [0] * 6))
    middle = (COLUMNS - 2) // 2  # of the columns before the escape
    assert (found.offsets + middle).tolist() == [0, 0, 1, 1, -1, -1]
    rows = [(0, 0), (1, 1), (2, 0), (0, 3), (1, 3), (2, 0)]
    np.testing.assert_array_equal(found.counts, [counts_of()[row] for row in rows])


def test_scales_beyond_the_table_count_as_the_nearest() -> None:
    shapes = ShapeTable(counts_of())
    assert shapes.scales == SCALES
    found = shapes.tables(np.zeros(4, np.int32), np.array([-9, 0, SCALES - 1, 99], np.int32), own([True] * 4, [0] * 4))
    np.testing.assert_array_equal(found.counts[0], found.counts[1])
    np.testing.assert_array_equal(found.counts[2], found.counts[3])
    assert found.counts[0, 0] != found.counts[2, 0]


def test_a_collapsed_latent_keeps_its_own_symbol() -> None:
    found = ShapeTable(counts_of()).tables(
        np.array([4, 4], np.int32), np.zeros(2, np.int32), own([True, False], [7, 7])
    )
    assert found.offsets.tolist() == [1 - (COLUMNS - 2) // 2, 7]
    assert found.coded.tolist() == [True, False]


@pytest.mark.parametrize(
    "counts",
    [
        counts_of().astype(np.int64),
        counts_of()[0],
        counts_of().tolist(),
        np.empty((0, FRACTIONS, COLUMNS), np.uint32),
        np.full((1, 1, 1), TOTAL, np.uint32),
        counts_of() + np.uint32(1),
        counts_of() * np.uint32(0),
    ],
)
def test_counts_that_are_no_table_of_shapes_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(BadField, match="shape table"):
        ShapeTable(counts)


def test_a_row_with_a_zero_is_refused() -> None:
    counts = counts_of()
    counts[0, 0, 1] = 0
    counts[0, 0, -1] += 1
    with pytest.raises(BadField, match="every count must be >= 1"):
        ShapeTable(counts)


def test_the_widest_alphabet_is_allowed_and_no_wider() -> None:
    assert ShapeTable(counts_of(1, 1, MAX_ALPHABET)).scales == 1
    assert ShapeTable(counts_of(1, 1, 2)).counts.shape == (1, 1, 2)
    with pytest.raises(LimitExceeded):
        ShapeTable(counts_of(1, 1, MAX_ALPHABET + 1))
    with pytest.raises(LimitExceeded):
        ShapeTable(counts_of(1, MAX_ENTRIES // 4 + 1, 4))


def test_numbers_that_python_counts_are_no_array() -> None:
    with pytest.raises(BadField):
        ShapeTable(None)  # type: ignore[arg-type]
