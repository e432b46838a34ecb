"""The Bjøntegaard rate."""

import pytest

pytest.importorskip("bjontegaard")

from vaecodec.evaluation.bd import bd_rate, bd_rate_ms_ssim, bd_rate_of_points
from vaecodec.evaluation.rd import RateCurve, RatePoint

PAIRS = [(20.0, 20.0), (40.0, 25.0), (80.0, 29.0), (160.0, 33.0)]


def point(file_bytes, quality_db):
    """The same number of dB by PSNR and by MS-SSIM; None: exact."""
    exact = quality_db is None
    return RatePoint(
        codec="test",
        setting=f"{file_bytes}",
        images=10,
        file_bytes=file_bytes,
        file_bpp=8 * file_bytes / 784,
        payload_bytes=file_bytes - 7,
        information_bytes=None,
        mse=0.0 if exact else 255**2 / 10 ** (quality_db / 10),
        psnr_db=quality_db,
        mean_image_psnr_db=quality_db,
        ms_ssim=1.0 if exact else 1 - 10 ** (-quality_db / 10),
        ms_ssim_scales=2,
    )


def curve(pairs):
    return RateCurve("test", "mnist", tuple(point(*pair) for pair in pairs))


@pytest.mark.parametrize("rate", [bd_rate, bd_rate_ms_ssim])
@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.25])
def test_files_that_are_larger_by_a_factor_have_that_factor_as_their_rate(rate, factor):
    scaled = [(factor * size, quality_db) for size, quality_db in PAIRS]
    assert rate(curve(PAIRS), curve(scaled)) == pytest.approx(100 * (factor - 1), abs=1e-6)


@pytest.mark.parametrize("rate", [bd_rate, bd_rate_ms_ssim])
def test_lossless_points_and_points_that_a_cheaper_one_beats_are_left_out(rate):
    more = [*PAIRS, (300.0, None), (100.0, 26.0)]
    assert rate(curve(more), curve(PAIRS)) == pytest.approx(0, abs=1e-9)


def test_curves_that_share_no_psnr_are_refused():
    with pytest.raises(ValueError, match="share no range"):
        bd_rate(curve(PAIRS), curve([(10.0, 40.0), (20.0, 50.0)]))


def test_a_curve_of_one_point_is_refused():
    with pytest.raises(ValueError, match="1 lossy points"):
        bd_rate(curve(PAIRS), curve(PAIRS[:1]))


def test_a_range_that_both_cover_is_the_whole_or_a_part_of_it():
    halved_below = [(10.0, 20.0), (20.0, 25.0), *PAIRS[2:]]  # the same curve from 29 dB on
    whole = bd_rate(curve(PAIRS), curve(halved_below))
    assert bd_rate(curve(PAIRS), curve(halved_below), between_db=(20, 33)) == pytest.approx(whole, abs=1e-3)
    below = bd_rate(curve(PAIRS), curve(halved_below), between_db=(20, 25))
    above = bd_rate(curve(PAIRS), curve(halved_below), between_db=(29, 33))
    assert below < whole < above


@pytest.mark.parametrize("between_db", [(19, 30), (22, 34), (30, 30)])
def test_a_range_that_a_curve_does_not_cover_is_refused(between_db):
    with pytest.raises(ValueError, match=r"covers 20\.00 to 33\.00 dB"):
        bd_rate(curve(PAIRS), curve(PAIRS), between_db=between_db)


def test_points_of_any_rate_and_quality_compare_as_curves_do():
    pairs = [(8 * size / 784, quality_db) for size, quality_db in PAIRS]
    doubled = [(2 * rate, quality_db) for rate, quality_db in pairs]
    assert bd_rate_of_points(pairs, doubled) == pytest.approx(100)
    assert bd_rate_of_points(reversed(pairs), doubled, between_db=(21, 30)) == pytest.approx(100)
    with pytest.raises(ValueError, match="covers"):
        bd_rate_of_points(pairs, doubled, between_db=(10, 30))
