"""MIG, MED, modularity, InfoM and InfoC: against the slow reference, and known answers."""

import numpy as np
import pytest

from tests.evaluation.disentanglement import reference
from vaecodec.data.dsprites_factors import COUNT, classes_of
from vaecodec.evaluation.disentanglement.infomec import infomec
from vaecodec.evaluation.disentanglement.information import classes, entropy_bits, information_table
from vaecodec.evaluation.disentanglement.med import med
from vaecodec.evaluation.disentanglement.mig import gap, mig
from vaecodec.evaluation.disentanglement.modularity import modularity
from vaecodec.evaluation.disentanglement.rotation import rotate

COUNTED = [
    (mig, "MIG", reference.mig),
    (med, "MED", reference.med),
    (modularity, "modularity", reference.modularity),
]


@pytest.mark.parametrize(("metric", "name", "slow"), COUNTED)
def test_a_counted_metric_equals_its_slow_version(metric, name, slow, mixed_codes, truth):
    found = metric(mixed_codes, truth.factors, rng=np.random.default_rng(0), replicates=0)
    assert found[name].value == pytest.approx(slow(reference.binned(mixed_codes), truth.factors), abs=1e-6)


@pytest.mark.parametrize(("metric", "name", "slow"), COUNTED)
def test_symbols_are_counted_as_they_are(metric, name, slow, mixed_codes, truth):
    symbols = np.rint(2 * mixed_codes).astype(np.int32)
    found = metric(symbols, truth.factors, rng=np.random.default_rng(0), replicates=0)
    columns = [[int(v) for v in column] for column in symbols.T]
    assert found[name].value == pytest.approx(slow(columns, truth.factors), abs=1e-6)
    assert ("bins", "symbols") in found.settings


def test_modularity_and_compactness_equal_their_slow_versions(mixed_codes, truth):
    found = infomec(mixed_codes, truth.factors, rng=np.random.default_rng(0), replicates=0)
    columns = reference.binned(mixed_codes)
    assert found["InfoM"].value == pytest.approx(reference.info_m(columns, truth.factors), abs=1e-6)
    assert found["InfoC"].value == pytest.approx(reference.info_c(columns, truth.factors), abs=1e-6)


@pytest.mark.parametrize(("metric", "name", "_"), COUNTED)
def test_true_factors_rotated_factors_and_noise_come_in_this_order(
    metric, name, _, true_codes, rotated_codes, noise, truth
):
    true, rotated, nothing = (
        metric(codes, truth.factors, rng=np.random.default_rng(0), replicates=0)[name].value
        for codes in (true_codes, rotated_codes, noise)
    )
    assert true == pytest.approx(1, abs=1e-9)
    assert nothing < 0.1 or name == "modularity"  # of noise it says nothing: each latent's best is by chance
    assert rotated < 0.97 * true


def test_true_factors_of_dsprites_have_a_mig_of_090_and_their_rotations_of_013_on_average():
    """A hundred rotations: the mean of ten lies between .10 and .16, and one rotation in three has more than .15."""
    rng = np.random.default_rng(0)
    factors = classes_of(rng.permutation(COUNT)[:10_000])
    codes = factors.astype(np.float64)
    true = gap(information_table(classes(codes), factors))[0]
    rotated = [gap(information_table(classes(rotate(codes, rng)), factors))[0] for _ in range(100)]
    assert true == pytest.approx(0.896, abs=0.003)
    assert np.mean(rotated) <= 0.15


def test_bins_are_equal_in_width_and_the_largest_value_is_in_the_last(mixed_codes):
    found = classes(mixed_codes, 20)
    assert found.tolist() == np.transpose(reference.binned(mixed_codes)).tolist()
    assert found.max() == 19


def test_information_of_a_column_with_itself_is_its_entropy(truth):
    table = information_table(truth.factors, truth.factors)
    assert np.diagonal(table.mutual) == pytest.approx(np.log2([3, 4, 8]))
    assert table.mutual.sum() == pytest.approx(np.log2(96), abs=1e-9)  # nothing off the diagonal
    assert entropy_bits(np.array([1, 1, 0, 2])) == pytest.approx(1.5)


def test_a_latent_that_is_constant_is_left_out(true_codes, truth):
    with_constant = np.column_stack([true_codes, np.full(len(truth), 3.0)])
    for metric, name, _ in COUNTED:
        one = metric(true_codes, truth.factors, rng=np.random.default_rng(0), replicates=0)
        two = metric(with_constant, truth.factors, rng=np.random.default_rng(0), replicates=0)
        assert one[name].value == two[name].value


def test_a_bootstrap_interval_holds_the_value_and_shrinks_with_more_images(mixed_codes, truth):
    rng = np.random.default_rng(1)
    few = mig(mixed_codes[:300], truth.factors[:300], rng=rng, replicates=40)["MIG"]
    many = mig(mixed_codes, truth.factors, rng=rng, replicates=40)["MIG"]
    assert few.interval.low < few.value < few.interval.high
    assert many.interval.high - many.interval.low < few.interval.high - few.interval.low


def test_codes_that_are_no_numbers_are_refused(truth):
    with pytest.raises(ValueError, match="finite"):
        mig(np.full((len(truth), 2), np.nan), truth.factors, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"\(n, d\)"):
        mig(np.zeros(len(truth)), truth.factors, rng=np.random.default_rng(0))
