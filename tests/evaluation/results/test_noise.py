"""Differences are judged by what seeds make of them, at equal bytes by the curve of one objective."""

import math

import numpy as np
import pytest

from tests.evaluation.results.rows import run, write
from vaecodec.evaluation.results.noise import (
    EqualBytes,
    difference,
    different_runs,
    most_seeded,
    rank_correlation,
    seed_noise,
    unfinished,
)
from vaecodec.evaluation.results.stored import read_results

pytest.importorskip("scipy")


def runs_of(folder, *rows):
    return read_results(write(folder, rows)).runs


def loss(one):
    return one.reconstruction_nats


def test_the_noise_is_the_pooled_deviation_of_settings_with_seeds(tmp_path):
    values = {("vae", 1.0): (70.0, 71.0, 73.0), ("beta-vae", 4.0): (90.0, 94.0)}
    rows = [run(f, b, seed=k, loss=v) for (f, b), part in values.items() for k, v in enumerate(part)]
    noise = seed_noise(runs_of(tmp_path, *rows, run("capacity", 1.0, loss=500.0)), loss)
    pooled = (2 * np.var(values["vae", 1.0], ddof=1) + 1 * np.var(values["beta-vae", 4.0], ddof=1)) / 3
    assert noise.deviation == pytest.approx(math.sqrt(pooled))
    assert noise.freedom == 3
    assert noise.reach(3, 1) == pytest.approx(3.182446 * noise.deviation * math.sqrt(1 / 3 + 1), rel=1e-5)


def test_without_seeds_there_is_no_noise_and_no_interval(tmp_path):
    found = runs_of(tmp_path, run("vae", 1.0), run("beta-vae", 4.0, file_bytes=9.0), run("hfvae", 1.0, file_bytes=10.0))
    assert seed_noise(found, loss) is None
    assert EqualBytes(found, lambda one: one.psnr_db).estimate(found[-1:]) is None


def test_a_difference_has_students_interval(tmp_path):
    rows = [run("vae", 1.0, seed=k, loss=v) for k, v in enumerate((70.0, 72.0))]
    rows += [run("beta-vae", 4.0, seed=k, loss=v) for k, v in enumerate((90.0, 92.0))]
    found = runs_of(tmp_path, *rows)
    first, second = most_seeded(found, "beta-vae"), most_seeded(found, "vae")
    gap = difference(first, second, loss, seed_noise(found, loss))
    assert gap.value == 20
    assert gap.interval.high - gap.value == pytest.approx(4.302653 * math.sqrt(2) * 1.0, rel=1e-5)


def curve_rows():
    """A straight line of 2 dB a byte; at 12 bytes three seeds, 0.1 dB apart."""
    rows = [
        run("beta-vae", beta, file_bytes=size, psnr=2 * size) for beta, size in ((8.0, 8.0), (0.5, 14.0), (0.1, 20.0))
    ]
    return rows + [run("vae", 1.0, seed=k, file_bytes=12.0, psnr=24 + 0.1 * (k - 1)) for k in range(3)]


def test_runs_are_compared_at_equal_bytes(tmp_path):
    found = runs_of(
        tmp_path, *curve_rows(), run("nvae", 1.0, file_bytes=10.0, psnr=21.0), run("hfvae", 1.0, file_bytes=7.0)
    )
    curve = EqualBytes(found, lambda one: one.psnr_db)
    assert curve.at(10.0) == pytest.approx(20.0)
    assert math.isnan(curve.at(7.9))
    gap = curve.estimate([one for one in found if one.family == "nvae"])
    assert gap.value == pytest.approx(1.0)
    assert curve.noise.deviation == pytest.approx(0.1)
    assert gap.interval.low > 0
    assert curve.estimate([one for one in found if one.family == "hfvae"]) is None  # outside the curve


def test_one_training_under_two_names_counts_once(tmp_path):
    same = [(80.0, 20.0)] * 4
    found = runs_of(
        tmp_path, run("vae", 1.0, curves=same), run("modified-beta-vae", 1.0, curves=same), run("beta-vae", 4.0)
    )
    assert sorted(one.family for one in different_runs(found)) == ["beta-vae", "vae"]


def test_a_run_that_another_beats_by_its_own_objective_is_unfinished(tmp_path):
    rows = (
        run("modified-beta-vae", 0.01, curves=[(60.0, 100.0)] * 4),  # 61.0 by its objective, where the next has 40.6
        run("modified-beta-vae", 0.1, curves=[(40.0, 60.0)] * 4),
        run("vae", 1.0, curves=[(70.0, 20.0)] * 4),
    )
    assert [one.beta for one in unfinished(runs_of(tmp_path, *rows))] == [0.01]


def test_the_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 6, 12).astype(float), rng.standard_normal(12)
    found = rank_correlation(x.tolist(), y.tolist())
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.interval.low < 0 < found.interval.high  # noise
    assert rank_correlation([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]) is None  # too few
    rising = rank_correlation([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 3.0, 4.0, 5.0, 6.0, 9.0])
    assert rising.value == pytest.approx(1.0)
    assert rising.interval.low > 0.9
