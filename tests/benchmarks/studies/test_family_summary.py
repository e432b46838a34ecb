"""What is concluded from the rows of the families' sweep: seeds, curves, the tuned β."""

import math

import numpy as np
import pytest

from benchmarks.studies.family_runs import TUNED_BETAS, family_runs
from benchmarks.studies.family_summary import at_bytes, at_rate, beta_curve, settings, tuned_beta
from tests.benchmarks.studies.family_rows import row, rows_of


def test_seeds_are_averaged_with_their_deviation():
    found = settings(rows_of())
    vae = found[0]
    assert (vae.family, vae.seeds) == ("vae", 3)
    assert vae.file_bytes.mean == pytest.approx(20.1)
    assert vae.file_bytes.deviation == pytest.approx(0.1)
    assert [one.setting for one in found if one.family == "beta-vae"] == ["beta-0.1", "beta-0.5", "beta-4"]


def test_values_at_equal_bytes_lie_between_the_points_and_never_outside():
    curve = [(20.0, 23.0), (10.0, 18.0), (14.0, 20.0)]
    assert at_bytes(curve, 12.0) == pytest.approx(19.0)
    assert at_bytes(curve, 20.0) == pytest.approx(23.0)
    assert at_bytes(curve, 9.9) is None
    assert at_bytes(curve, 20.1) is None
    assert at_bytes([], 5.0) is None
    assert at_bytes([(10.0, 18.0)], 10.0) == 18.0
    assert at_bytes([(10.0, 18.0), (10.0, 19.0), (12.0, 20.0)], 10.0) == pytest.approx(18.5)


def test_a_bent_curve_is_met_between_its_points():
    rate = np.array([9.0, 10.0, 12.0, 16.0, 20.0])
    curve = list(zip(rate, 10 * np.log2(rate - 7), strict=True))
    assert at_bytes(curve, 14.0) == pytest.approx(10 * math.log2(7), abs=0.1)  # a straight line: 0.6 too low


def test_the_curve_is_of_all_beta_families_and_a_familys_own_is_of_its_sweep():
    found = settings(rows_of())
    curve = beta_curve(found, lambda one: one.psnr_db.mean)
    assert len(curve) == len({1.0, 0.1, 0.5, 4.0, *TUNED_BETAS})
    for family in ("vae", "beta-vae", "modified-beta-vae"):
        assert at_rate(found, family, 18.0, lambda one: one.psnr_db.mean) == at_bytes(curve, 18.0)
    inside = at_rate(found, "capacity", 16.5, lambda one: one.knob)
    assert 10 < inside < 30
    assert at_rate(found, "capacity", 30.0, lambda one: one.knob) is None


def test_the_tuned_beta_has_the_best_bound_on_validation_images():
    runs = [run for run in family_runs("mnist") if run.config.family == "modified-beta-vae" and run.config.seed == 0]
    found = settings([row(run, file_bytes=12.0, bound=100 + abs(math.log(run.knob / 0.3))) for run in runs])
    assert tuned_beta(found).beta == 0.3
    assert tuned_beta(found[1:]) is None  # not before all are there
    assert tuned_beta([]) is None
