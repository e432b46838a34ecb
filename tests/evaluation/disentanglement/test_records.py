"""Records, bootstrap, truth, rotations, verdicts and the registry."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.evaluation.disentanglement import (
    GroundTruth,
    Interval,
    Measurement,
    Null,
    Value,
    Verdict,
    against_null,
    between,
    find_metric,
    rotate,
)
from vaecodec.evaluation.disentanglement.bootstrap import replicate, replicate_split, spread_interval
from vaecodec.evaluation.disentanglement.registry import METRICS
from vaecodec.evaluation.disentanglement.rotation import random_rotation, rotation_null


def test_a_measurement_comes_back_from_json():
    values = (Value("MIG", 0.25, Interval(0.2, 0.3)), Value("code", 19.5, None, "bits"))
    said = Measurement("mig", values, 100, (("bins", 20), ("predictor", "none")))
    assert Measurement.from_dict(json.loads(json.dumps(said.to_dict()))) == said
    assert said["code"].reach == Interval(19.5, 19.5)
    with pytest.raises(KeyError, match="there are MIG, code"):
        said["SAP"]


def test_an_interval_has_its_low_end_first():
    with pytest.raises(ValueError, match="low ≤ high"):
        Interval(0.3, 0.2)


def test_the_bootstrap_of_a_mean_is_as_wide_as_theory_says():
    x = np.random.default_rng(0).standard_normal(400)
    found = replicate(lambda rows: (x[rows].mean(),), 400, 300, np.random.default_rng(1))
    interval = spread_interval(x.mean(), found[:, 0])
    assert (interval.high - interval.low) / 2 == pytest.approx(1.97 / 20, rel=0.15)
    with pytest.raises(ValueError, match="3 or more"):
        spread_interval(0.0, found[:2, 0])


def test_a_split_bootstrap_draws_each_row_equally_often_and_never_on_both_sides():
    seen = np.zeros(30)

    def count(train, test):
        assert train.max() < 20 <= test.min()
        np.add.at(seen, np.concatenate([train, test]), 1)
        return (0.0,)

    replicate_split(count, 20, 30, 400, np.random.default_rng(0))
    assert np.abs(seen - 400).max() < 5 * 20


def test_rows_alike_share_the_value_of_their_factor(truth):
    rng = np.random.default_rng(0)
    rows, factors = truth.any_rows((200,), rng), rng.integers(0, 3, 200)
    chosen = truth.alike(rows, factors, rng)
    assert (truth.factors[chosen, factors] == truth.factors[rows, factors]).all()
    assert (chosen != rows).any()


@pytest.mark.parametrize(
    ("factors", "names", "message"),
    [
        (np.zeros((3, 2)), ("a", "b"), "whole numbers"),
        (np.zeros((3, 2), np.int64), ("a",), "2 columns, 1 names"),
        (-np.ones((3, 1), np.int64), ("a",), "classes from 0"),
        (np.zeros((0, 1), np.int64), ("a",), "whole numbers"),
    ],
)
def test_a_table_of_factors_that_is_none_is_refused(factors, names, message):
    with pytest.raises(ValueError, match=message):
        GroundTruth(factors, names, (True,) * len(names))


def test_a_rotation_keeps_lengths_and_is_not_always_the_same():
    rng = np.random.default_rng(0)
    first, second = random_rotation(5, rng), random_rotation(5, rng)
    assert first @ first.T == pytest.approx(np.eye(5), abs=1e-12)
    assert not np.allclose(first, second)


def test_rotated_floats_are_standardised_codes_turned(mixed_codes):
    turned = rotate(mixed_codes, np.random.default_rng(0))
    assert np.square(turned).sum() == pytest.approx(mixed_codes.size)
    assert turned.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)


def test_rotated_symbols_are_symbols_in_cells_of_the_same_volume(mixed_codes):
    symbols = np.rint(mixed_codes * np.array([1, 3, 2, 4])).astype(np.int32)
    turned = rotate(symbols, np.random.default_rng(0))
    assert turned.dtype == np.int64
    assert turned.std(axis=0).mean() == pytest.approx(np.exp(np.log(symbols.std(axis=0)).mean()), rel=0.3)


def test_the_null_holds_a_number_of_each_rotation(true_codes, truth):
    metric = find_metric("mig")
    rng = np.random.default_rng(0)
    (null,) = metric.null(true_codes, truth, rng=rng, rotations=4)
    assert len(null.numbers) == 4
    assert null.range.low <= null.mean <= null.range.high
    assert against_null(metric.measure(true_codes, truth, rng=rng, replicates=5)["MIG"], null) is Verdict.ABOVE


def test_a_rotated_code_cannot_be_told_from_its_own_rotations(rotated_codes, truth):
    metric = find_metric("mig")
    rng = np.random.default_rng(0)
    said = metric.measure(rotated_codes, truth, rng=rng, replicates=5)
    (null,) = metric.null(rotated_codes, truth, rng=rng)
    assert against_null(said["MIG"], null) is Verdict.NOT_DECIDED


def test_verdicts_need_intervals_that_do_not_meet():
    value = Value("MIG", 0.5, Interval(0.4, 0.6))
    assert against_null(value, Null("MIG", (0.1, 0.39))) is Verdict.ABOVE
    assert against_null(value, Null("MIG", (0.1, 0.4))) is Verdict.NOT_DECIDED
    assert against_null(value, Null("MIG", (0.7, 0.9))) is Verdict.BELOW
    assert between(value, Value("MIG", 0.3, Interval(0.2, 0.35))) is Verdict.ABOVE
    assert between(value, Value("MIG", 0.3, Interval(0.2, 0.45))) is Verdict.NOT_DECIDED
    with pytest.raises(ValueError, match="null of SAP"):
        against_null(value, Null("SAP", (0.1,)))
    with pytest.raises(ValueError, match="SAP"):
        between(value, Value("SAP", 0.3))


def test_importing_the_metrics_loads_neither_scikit_learn_nor_scipy():
    code = "import sys, vaecodec.evaluation.disentanglement; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(vaecodec.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert not {"sklearn", "scipy", "torch", "onnxruntime"} & set(done.stdout.split())


def test_every_metric_has_a_name_of_its_own_and_a_paper():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(metric.paper and metric.title for metric in METRICS)
    with pytest.raises(KeyError, match="there are mig, "):
        find_metric("migg")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_measures_floats_and_symbols_and_knows_its_ceiling(metric, true_codes, truth):
    rng = np.random.default_rng(0)
    ceiling = metric.ceiling(truth, rng=rng)
    symbols = metric.ceiling(truth, rng=rng, as_symbols=True)
    assert ceiling.metric == metric.name
    assert ceiling.n > 0
    assert all(np.isfinite(value.value) and value.interval is None for value in (*ceiling.values, *symbols.values))
    again = metric.measure(true_codes, truth, rng=np.random.default_rng(0), replicates=0)
    assert again == metric.measure(true_codes, truth, rng=np.random.default_rng(0), replicates=0)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_gives_each_value_an_interval(metric, mixed_codes, truth):
    said = metric.measure(mixed_codes[:500], _part(truth, 500), rng=np.random.default_rng(0), replicates=3)
    assert all(value.interval.low <= value.value <= value.interval.high for value in said.values)
    assert "replicates" in str(said.settings)


def _part(truth, n):
    return GroundTruth(truth.factors[:n], truth.names, truth.ordered)


def test_codes_of_other_images_are_refused(true_codes, truth):
    with pytest.raises(ValueError, match="10 codes for"):
        find_metric("mig").measure(true_codes[:10], truth, rng=np.random.default_rng(0))


def test_a_metric_of_two_factors_refuses_one(truth):
    digit = GroundTruth(truth.factors[:, :1], ("digit",), (False,))
    with pytest.raises(ValueError, match="2 factors or more"):
        find_metric("modularity").measure(truth.factors, digit, rng=np.random.default_rng(0))


def test_the_null_of_a_value_is_named_after_it(rotated_codes):
    nulls = rotation_null(
        lambda codes: Measurement("two", (Value("a", codes[0, 0]), Value("b", 1.0)), len(codes)),
        rotated_codes,
        rng=np.random.default_rng(0),
        rotations=3,
    )
    assert [null.name for null in nulls] == ["a", "b"]
    assert nulls[1].to_dict()["range"] == {"low": 1.0, "high": 1.0}
