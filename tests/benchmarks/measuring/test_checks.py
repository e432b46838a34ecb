"""What the benchmarks conclude from their points."""

import pytest

from benchmarks.measuring.checks import BetaPoint, amortised_bytes, check_pairs
from vaecodec.evaluation.rd import bytes_at_psnr


def beta_point(beta, file_bytes, distortion_nats, mse=None, coded_latents=8):
    return BetaPoint(beta, file_bytes, distortion_nats, distortion_nats if mse is None else mse, coded_latents)


def test_larger_betas_with_fewer_bytes_and_more_distortion_hold_in_any_order():
    points = [beta_point(4.0, 10, 90), beta_point(0.1, 30, 70), beta_point(1.0, 20, 80)]
    checks = check_pairs(points)
    assert [check.betas for check in checks] == [(0.1, 1.0), (1.0, 4.0)]
    assert all(check.holds and not check.tie for check in checks)


@pytest.mark.parametrize(
    ("larger", "broken"),
    [
        (beta_point(4.0, 20, 90), "fewer_bytes"),
        (beta_point(4.0, 21, 90), "fewer_bytes"),
        (beta_point(4.0, 10, 80), "larger_distortion"),
        (beta_point(4.0, 10, 70, mse=90), "larger_distortion"),
        (beta_point(4.0, 10, 90, mse=70), "larger_mse"),
    ],
)
def test_a_pair_that_gains_nothing_or_less_is_broken(larger, broken):
    (check,) = check_pairs([beta_point(1.0, 20, 80), larger])
    assert not check.holds
    assert check.to_dict()["holds"] is False
    assert not getattr(check, broken)


def test_a_tie_is_allowed_only_where_neither_codes_a_latent():
    (both,) = check_pairs([beta_point(4.0, 7, 200, coded_latents=0), beta_point(16.0, 7, 200, coded_latents=0)])
    assert both.tie
    assert both.holds
    (one,) = check_pairs([beta_point(4.0, 7, 200, coded_latents=1), beta_point(16.0, 7, 200, coded_latents=0)])
    assert not one.tie
    assert not one.holds


def test_one_point_has_no_pair():
    assert check_pairs([beta_point(1.0, 20, 80)]) == []


def test_the_models_bytes_are_shared_out():
    assert amortised_bytes(20.0, 2_000_000) == {"1000": 2020.0, "10000": 220.0, "100000": 40.0}


CURVE = [(30.0, 140.0), (22.0, 100.0), (40.0, 200.0)]


@pytest.mark.parametrize(("psnr_db", "expected"), [(22.0, 100.0), (26.0, 120.0), (30.0, 140.0), (35.0, 170.0)])
def test_bytes_at_a_psnr_lie_between_the_neighbouring_points(psnr_db, expected):
    assert bytes_at_psnr(psnr_db, CURVE) == (pytest.approx(expected), False)


def test_below_its_lowest_point_a_codecs_smallest_file_counts():
    assert bytes_at_psnr(15.0, CURVE) == (100.0, True)


@pytest.mark.parametrize("curve", [CURVE, []])
def test_bytes_above_the_highest_point_are_not_known(curve):
    with pytest.raises(ValueError, match="no point"):
        bytes_at_psnr(41.0, curve)
