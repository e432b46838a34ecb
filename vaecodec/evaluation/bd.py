"""The Bjøntegaard rate: how many per cent more or fewer bytes one curve takes than another at equal quality.

    anchor ─┐  rising points only   (quality, log bytes) ─pchip─┐
    test ───┴─ lossless left out  ──────────────────────────────┴─ mean difference over what both cover ──> per cent

Bjøntegaard 2001 (VCEG-M33) with piecewise cubic Hermite interpolation; negative where `test` is smaller. Quality is
PSNR from the mean MSE, or MS-SSIM spread out as -10 log10(1 - MS-SSIM). Needs the `bench` extra.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaecodec.evaluation.rd import RateCurve

MIN_BD_POINTS = 2  # a curve through one point has no slope to integrate along
SAMPLES = 2001  # of a curve that is cut to an interval: the package itself knows no interval but the shared one

Float64 = NDArray[np.float64]
Point = tuple[float, float]  # (rate, quality in dB)


@dataclass(frozen=True, slots=True)
class _Rising:
    """Bytes and quality (n,), both rising."""

    codec: str
    file_bytes: Float64
    quality_db: Float64

    def between(self, low_db: float, high_db: float) -> "_Rising":
        """The interpolated curve between two qualities that it covers, in many points."""
        if not self.quality_db[0] <= low_db < high_db <= self.quality_db[-1]:
            raise ValueError(
                f"bd-rate: {self.codec} covers {self.quality_db[0]:.2f} to {self.quality_db[-1]:.2f} dB, "
                f"expected {low_db:g} to {high_db:g}"
            )
        import bjontegaard

        pair = (self.file_bytes, self.quality_db)
        _, curve, _ = bjontegaard.bd_rate(*pair, *pair, method="pchip", interpolators=True)
        quality_db = np.linspace(low_db, high_db, SAMPLES)
        return _Rising(self.codec, 10 ** np.asarray(curve(quality_db), np.float64), quality_db)


def bd_rate(anchor: RateCurve, test: RateCurve, *, between_db: tuple[float, float] | None = None) -> float:
    """Mean difference in file bytes at equal PSNR, in per cent of the anchor's, over the PSNR range that both cover.

    between_db: over this range alone, which both must cover. Lossless points have no finite PSNR and are left out.
    Raises ValueError where fewer than two lossy points remain, or the curves do not cover the range or share none.
    """
    before, after = (_rising(curve, [point.psnr_db for point in curve.points]) for curve in (anchor, test))
    return _per_cent(before, after, between_db)


def bd_rate_of_points(
    anchor: Iterable[Point], test: Iterable[Point], *, between_db: tuple[float, float] | None = None
) -> float:
    """As bd_rate, of points (rate, quality in dB): whatever rate and quality both are of, published ones say."""
    return _per_cent(_best("the anchor", anchor), _best("the test", test), between_db)


def bd_rate_ms_ssim(anchor: RateCurve, test: RateCurve) -> float:
    """As bd_rate, at equal MS-SSIM. Both curves must have been measured with the same number of scales."""
    before, after = (_rising(curve, [point.ms_ssim_db for point in curve.points]) for curve in (anchor, test))
    return _per_cent(before, after)


def _rising(curve: RateCurve, quality_db: list[float | None]) -> _Rising:
    """Only what is better than everything cheaper: the interpolation needs a quality that rises strictly with rate."""
    points = zip((point.file_bytes for point in curve.points), quality_db, strict=True)
    return _best(curve.codec, [(rate, quality) for rate, quality in points if quality is not None])


def _best(name: str, points: Iterable[Point]) -> _Rising:
    best: list[Point] = []
    for rate, quality in sorted(points):
        if math.isfinite(quality) and (not best or quality > best[-1][1]):
            best.append((rate, quality))
    if len(best) < MIN_BD_POINTS:
        raise ValueError(f"bd-rate: {name} has {len(best)} lossy points that rise, expected {MIN_BD_POINTS}")
    rates, qualities = zip(*best, strict=True)
    return _Rising(name, np.array(rates, np.float64), np.array(qualities, np.float64))


def _per_cent(anchor: _Rising, test: _Rising, between_db: tuple[float, float] | None = None) -> float:
    if between_db is not None:
        anchor, test = anchor.between(*between_db), test.between(*between_db)
    low, high = (pick(anchor.quality_db[k], test.quality_db[k]) for pick, k in ((max, 0), (min, -1)))
    if low >= high:
        raise ValueError(f"bd-rate: {anchor.codec} and {test.codec} share no range of quality")
    import bjontegaard

    curves = (anchor.file_bytes, anchor.quality_db, test.file_bytes, test.quality_db)
    return float(bjontegaard.bd_rate(*curves, method="pchip", require_matching_points=False, min_overlap=0))
