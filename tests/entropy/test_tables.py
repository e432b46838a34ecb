import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.entropy import tables as module
from vaecodec.entropy.tables import TOTAL, CodingTables, counts_from_probabilities, tables_from_histogram
from vaecodec.errors import BadField, LimitExceeded, ModelError


def some_tables(n: int = 3, a: int = 5, seed: int = 0) -> CodingTables:
    rng = np.random.default_rng(seed)
    counts = counts_from_probabilities(rng.dirichlet(np.ones(a), n))
    return CodingTables(np.arange(n, dtype=np.int32) - 2, counts, np.arange(n) % 3 != 1)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 400), st.floats(0.005, 10))
def test_counts_are_at_least_one_and_sum_to_the_total(seed: int, a: int, concentration: float) -> None:
    p = np.random.default_rng(seed).gamma(concentration, size=a) + 1e-300
    counts = counts_from_probabilities(p)
    assert counts.dtype == np.uint32
    assert counts.min() >= 1
    assert int(counts.sum(dtype=np.uint64)) == TOTAL


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 300), st.floats(0.02, 10))
def test_table_conversion_loses_less_than_one_percent(seed: int, a: int, concentration: float) -> None:
    p = np.random.default_rng(seed).gamma(concentration, size=a) + 1e-30
    p /= p.sum()
    counts = counts_from_probabilities(p)
    entropy_bits = -(p * np.log2(p)).sum()
    loss_bits = (p * np.log2(p * TOTAL / counts)).sum()
    assert -1e-9 <= loss_bits <= 0.01 * entropy_bits + 1e-4


def test_no_move_of_one_count_makes_the_counts_better() -> None:
    p = np.random.default_rng(1).dirichlet(np.full(40, 0.3))
    counts = counts_from_probabilities(p).astype(np.float64)
    gain = p * np.log2((counts + 1) / counts)
    with np.errstate(divide="ignore"):
        loss = np.where(counts > 1, -p * np.log2((counts - 1) / counts), np.inf)
    assert gain.max() <= loss.min() + 1e-6 * gain.max()


def test_equal_probabilities_share_the_rest_from_the_lowest_column() -> None:
    assert counts_from_probabilities(np.ones(3)).tolist() == [5592406, 5592405, 5592405]
    assert counts_from_probabilities(np.array([0.0, 1.0])).tolist() == [1, TOTAL - 1]


@pytest.mark.parametrize("p", [[np.nan, 1], [-0.1, 1], [0, 0], [np.inf, 1], []])
def test_probabilities_that_are_none_are_refused(p: list[float]) -> None:
    with pytest.raises(ModelError):
        counts_from_probabilities(np.array(p))


def test_arrays_give_the_tables_back() -> None:
    tables = some_tables()
    again = CodingTables.from_arrays(tables.to_arrays())
    for name, array in tables.to_arrays().items():
        assert np.array_equal(again.to_arrays()[name], array)
        assert again.to_arrays()[name].dtype == array.dtype


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        some_tables().counts[0, 0] = 1


@pytest.mark.parametrize("name", ["offsets", "counts", "coded"])
def test_tables_of_another_dtype_or_shape_are_a_bad_field(name: str) -> None:
    arrays = some_tables().to_arrays()
    with pytest.raises(BadField):
        CodingTables.from_arrays(arrays | {name: arrays[name].astype(np.float32)})
    with pytest.raises(BadField):
        CodingTables.from_arrays(arrays | {name: arrays[name][:-1]})
    with pytest.raises(BadField):
        CodingTables.from_arrays({key: value for key, value in arrays.items() if key != name})


def test_counts_that_do_not_sum_or_are_zero_are_a_bad_field() -> None:
    tables = some_tables()
    for change in (1, -int(tables.counts[0, 0])):
        counts = tables.counts.astype(np.int64)
        counts[0, 0] += change
        counts[0, 1] -= change if change < 0 else 0
        with pytest.raises(BadField, match="every count"):
            CodingTables(tables.offsets, counts.astype(np.uint32), tables.coded)


def test_flags_other_than_zero_and_one_are_a_bad_field() -> None:
    arrays = some_tables().to_arrays()
    with pytest.raises(BadField, match="0 and 1"):
        CodingTables.from_arrays(arrays | {"coded": arrays["coded"] + np.uint8(2)})


def test_a_column_beyond_int32_is_a_bad_field() -> None:
    counts = counts_from_probabilities(np.ones((1, 4)))
    top = 2**31 - 1
    CodingTables(np.array([top - 2], np.int32), counts, np.ones(1, bool))
    with pytest.raises(BadField, match="beyond int32"):
        CodingTables(np.array([top - 1], np.int32), counts, np.ones(1, bool))


def test_an_alphabet_of_the_escape_alone_is_a_bad_field() -> None:
    with pytest.raises(BadField, match="alphabet"):
        CodingTables(np.zeros(1, np.int32), np.full((1, 1), TOTAL, np.uint32), np.ones(1, bool))


def test_too_many_entries_exceed_the_limit() -> None:
    n = module.MAX_LATENTS + 1
    with pytest.raises(LimitExceeded):
        CodingTables(np.zeros(n, np.int32), np.ones((n, 2), np.uint32), np.ones(n, bool))


def test_information_of_an_escape_is_its_column_and_its_bits() -> None:
    counts = counts_from_probabilities(np.ones((1, 4)))
    tables = CodingTables(np.zeros(1, np.int32), counts, np.ones(1, bool))
    symbols = np.array([[3], [-1], [4], [-2], [2**31 - 1], [-(2**31)]], np.int32)
    # Escape values 0, 1, 2, 3, ...: a gamma code of 2 * floor(log2(value + 1)) + 1 bits.
    assert (tables.information_bits(symbols) - 2).tolist() == [1, 3, 3, 5, 63, 65]


def test_information_of_a_batch_is_that_of_each_image() -> None:
    tables = some_tables(6, 9)
    symbols = np.random.default_rng(0).integers(-6, 12, (50, 6)).astype(np.int32)
    filled = tables.fill_collapsed(symbols)
    batch = tables.information_bits(filled)
    assert batch.shape == (50,)
    assert batch.tolist() == [tables.information_bits(row[None])[0] for row in filled]


def test_a_collapsed_latent_costs_nothing_and_can_be_nothing_else() -> None:
    counts = counts_from_probabilities(np.ones((2, 4)))
    tables = CodingTables(np.array([5, 0], np.int32), counts, np.array([False, True]))
    assert tables.information_bits(np.array([[5, 0], [6, 0]], np.int32)).tolist() == [2, np.inf]
    assert tables.fill_collapsed(np.array([[6, 1]], np.int32)).tolist() == [[5, 1]]


def test_information_refuses_another_shape() -> None:
    with pytest.raises(ModelError):
        some_tables().information_bits(np.zeros((2, 4), np.int32))


def test_a_histogram_of_many_symbols_costs_its_entropy() -> None:
    rng = np.random.default_rng(0)
    symbols = np.rint(rng.normal([0, 40, -3], [0.4, 2, 9], (20000, 3))).astype(np.int32)
    tables = tables_from_histogram(symbols)
    for i in range(3):
        frequencies = np.unique(symbols[:, i], return_counts=True)[1] / len(symbols)
        entropy_bits = -(frequencies * np.log2(frequencies)).sum()
        rate_bits = -np.log2(tables.counts[i] / TOTAL)[
            np.clip(symbols[:, i] - tables.offsets[i], 0, tables.alphabet - 1)
        ]
        assert rate_bits.mean() < entropy_bits * 1.01 + 0.003


def test_a_histogram_serves_symbols_that_it_never_saw() -> None:
    symbols = np.zeros((500, 2), np.int32)
    symbols[:, 1] = np.arange(500) % 2
    symbols[3, 0] = 100_000
    tables = tables_from_histogram(symbols, tail=0.01)
    assert tables.alphabet < 10
    bits = tables.information_bits(np.array([[0, 0], [7, -5]], np.int32))
    assert bits[0] < 1.2
    assert bits[1] < 60


def test_a_histogram_of_constants_costs_next_to_nothing() -> None:
    symbols = np.full((1000, 4), 7, np.int32)
    assert tables_from_histogram(symbols).information_bits(symbols[:1])[0] < 0.06
    collapsed = tables_from_histogram(symbols, collapsed=np.ones(4, bool))
    assert collapsed.offsets.tolist() == [7] * 4
    assert collapsed.information_bits(symbols[:1])[0] == 0


@pytest.mark.parametrize("symbol", [2**31 - 1, -(2**31)])
def test_a_histogram_at_the_ends_of_int32_makes_tables(symbol: int) -> None:
    symbols = np.full((20, 1), symbol, np.int32)
    assert np.isfinite(tables_from_histogram(symbols).information_bits(symbols)).all()


def test_a_histogram_of_nothing_is_refused() -> None:
    with pytest.raises(ModelError):
        tables_from_histogram(np.zeros((0, 3), np.int32))
    with pytest.raises(ModelError):
        tables_from_histogram(np.zeros((1, 3), np.int32), max_alphabet=1)


def test_bits_of_symbols_are_those_of_a_table_of_their_own_and_add_up() -> None:
    symbols = np.random.default_rng(0).integers(-30, 31, (500, 4)).astype(np.int32)
    tables = tables_from_histogram(symbols[:, :], max_alphabet=16)
    bits = tables.symbol_bits(symbols)
    for i in range(4):
        own = CodingTables(tables.offsets[[i]], tables.counts[[i]], tables.coded[[i]])
        np.testing.assert_array_equal(bits[:, i], own.information_bits(symbols[:, [i]]))
    np.testing.assert_allclose(bits.sum(axis=1), tables.information_bits(symbols))


def test_a_histogram_is_smoothed_by_a_logistic_of_its_own_mean_and_variance() -> None:
    """Hardly any observations against much weight: what stands in the table is the distribution that was added."""
    symbols = np.array([[-2], [-1], [1], [2]] * 3, np.int32)
    weight = 1e6
    tables = tables_from_histogram(symbols, tail=0.0, prior_weight=weight)
    spread = np.sqrt(3 * (2.5 + 1 / 12)) / np.pi  # a logistic of scale s has the variance (π s)² / 3
    edges = np.arange(-3, 5) - 0.5  # one column of margin on either side
    cdf = 1 / (1 + np.exp(-edges / spread))
    found = tables.counts[0] / 2**24
    assert tables.offsets[0] == -3
    np.testing.assert_allclose(found[:7], np.diff(cdf), rtol=1e-4)
    np.testing.assert_allclose(found[7], 1 - cdf[-1] + cdf[0], rtol=1e-3)
