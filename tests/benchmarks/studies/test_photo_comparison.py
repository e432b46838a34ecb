"""Rates, margins and bars of curves of photographs."""

import numpy as np
import pytest

pytest.importorskip("bjontegaard")

from benchmarks.measuring.photo_codecs import OURS
from benchmarks.measuring.photo_points import PhotoPoint
from benchmarks.pages.photograph_tables import bar_lines
from benchmarks.photographs import bars
from benchmarks.studies.photo_comparison import MARGIN_BPP, MEAN_IMAGE_PSNR, QUALITIES, all_comparisons, compare, margin

RATES = np.geomspace(0.1, 2.0, 9)
ANCHOR = [(float(rate), 34 + 6 * float(np.log2(rate))) for rate in RATES]
LOW = [(rate, db) for rate, db in ANCHOR if rate < 0.5]


def scaled(factor: float) -> list[tuple[float, float]]:
    return [(factor * rate, db) for rate, db in ANCHOR]


def points(pairs: list[tuple[float, float]], *, less_db: float = 0) -> list[PhotoPoint]:
    """By PSNR of the mean MSE `less_db` lower than by the mean of the PSNRs."""
    return [
        PhotoPoint("test", "", 24, rate * 49152, rate, 1.0, db - less_db, db, 1 - 10 ** (-db / 10), 5)
        for rate, db in pairs
    ]


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3])
def test_a_factor_is_its_rate_over_the_whole_and_over_every_part(factor: float) -> None:
    found = compare(ANCHOR, scaled(factor))
    rates = [found["rate_per_cent"], *(part["rate_per_cent"] for part in found["parts"])]
    assert rates == pytest.approx([100 * (factor - 1)] * len(rates), abs=0.2)
    assert [part["from_db"] for part in found["parts"]] == [27, 30, 33, 36]


def test_parts_are_those_that_both_curves_cover() -> None:
    found = compare(ANCHOR, LOW)
    assert found["to_db"] == max(LOW)[1] < 30
    assert found["parts"] == []
    assert compare(ANCHOR, [(rate, db + 100) for rate, db in ANCHOR]) is None


def test_the_margin_is_where_the_test_is_least_ahead() -> None:
    ahead = [(rate, db + (0.5 if rate < 0.6 else -0.25)) for rate, db in ANCHOR]
    found = margin(ANCHOR, ahead)
    assert found["least_db"] == pytest.approx(-0.25, abs=0.1)
    assert found["at_bpp"] > 0.6
    assert found["covers_all"]
    assert (found["from_bpp"], found["to_bpp"]) == MARGIN_BPP
    assert not margin(ANCHOR, LOW)["covers_all"]


def test_each_quality_is_compared_with_itself_and_papers_by_the_mean_of_images() -> None:
    curves = {"webp": points(ANCHOR), "other": points(ANCHOR, less_db=0.4)}
    published = [{"id": "paper", "points": [list(pair) for pair in scaled(0.5)]}]
    found = all_comparisons(curves, published, "webp")
    rates = {quality: found["measured"]["other"][quality]["rate_per_cent"] for quality in QUALITIES}
    assert rates[MEAN_IMAGE_PSNR] == pytest.approx(0, abs=1e-6)
    assert rates["psnr_of_mean_mse"] > 4
    assert rates["ms_ssim"] == pytest.approx(0, abs=1e-6)
    assert found["published"]["paper"][MEAN_IMAGE_PSNR]["rate_per_cent"] == pytest.approx(-50, abs=0.2)
    assert "webp" not in found["measured"]


@pytest.mark.parametrize(("factor", "holds"), [(0.7, True), (0.79, True), (0.85, False), (1.1, False)])
def test_the_bar_of_the_rate_can_be_missed(factor: float, holds: bool) -> None:
    found = bars({"WebP m6": points(ANCHOR), OURS: points(scaled(factor))})
    assert found["rate"]["holds"] == holds
    assert found["never_above"]["holds"] == (factor < 1)


def test_a_curve_that_ends_early_holds_no_bar() -> None:
    cheap = [(0.5 * rate, db) for rate, db in LOW]
    found = bars({"WebP m6": points(ANCHOR), OURS: points(cheap)})
    assert found["rate"]["rate_per_cent"] < -40
    assert not found["rate"]["holds"]
    assert not found["never_above"]["holds"]


def test_curves_with_nothing_in_common_hold_no_bar() -> None:
    beyond = [(rate + 10, db + 100) for rate, db in ANCHOR]
    assert margin(ANCHOR, beyond) is None
    found = bars({"WebP m6": points(ANCHOR), OURS: points(beyond)})
    assert not found["rate"]["holds"]
    assert not found["never_above"]["holds"]
    assert "does NOT hold" in bar_lines(found)[0]
