"""How two curves of photographs compare: Bjøntegaard rates over all that both cover and over parts of it, and margins.

    anchor, test: points (bits a pixel, dB) --bd_rate--> per cent of the anchor's bytes, at equal quality
                                            --margin---> the least advantage in dB, at equal bytes

By three qualities: the mean of the photographs' PSNR, as papers print it; PSNR from the mean MSE, as this project does;
and MS-SSIM as −10·log10(1 − MS-SSIM). A rate of one never stands beside a rate of another without its name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.measuring.photo_points import PhotoPoint
from vaecodec.evaluation.bd import Point, bd_rate_of_points

MEAN_IMAGE_PSNR, PSNR, MS_SSIM = "mean_image_psnr", "psnr_of_mean_mse", "ms_ssim"
QUALITIES: Mapping[str, Callable[[PhotoPoint], float]] = {
    MEAN_IMAGE_PSNR: lambda point: point.mean_image_psnr_db,
    PSNR: lambda point: point.psnr_db,
    MS_SSIM: lambda point: point.ms_ssim_db,
}
PARTS_DB = ((27.0, 30.0), (30.0, 33.0), (33.0, 36.0), (36.0, 39.0))  # of PSNR, mean of images
MARGIN_BPP = (0.15, 1.2)
MARGIN_SAMPLES = 400


def pairs(points: Sequence[PhotoPoint], quality: str) -> list[Point]:
    """(bits a pixel, dB) of a measured curve by one of QUALITIES."""
    return [(point.file_bpp, QUALITIES[quality](point)) for point in points]


def compare(anchor: Sequence[Point], test: Sequence[Point]) -> dict[str, Any] | None:
    """The rate over the common range of quality, and over those of PARTS_DB that both cover; None without a range."""
    low, high = (pick(pick_of(q for _, q in anchor), pick_of(q for _, q in test))
                 for pick, pick_of in ((max, min), (min, max)))  # fmt: skip
    if low >= high:
        return None
    parts = [part for part in PARTS_DB if low <= part[0] and part[1] <= high]
    return {
        "rate_per_cent": bd_rate_of_points(anchor, test),
        "from_db": low,
        "to_db": high,
        "parts": [
            {"from_db": part[0], "to_db": part[1], "rate_per_cent": bd_rate_of_points(anchor, test, between_db=part)}
            for part in parts
        ],
    }


def margin(anchor: Sequence[Point], test: Sequence[Point]) -> dict[str, Any] | None:
    """The least difference in dB, test less anchor, at rates within MARGIN_BPP that both curves cover, and where.

    None where they cover none.
    """
    low = max(MARGIN_BPP[0], min(anchor)[0], min(test)[0])
    high = min(MARGIN_BPP[1], max(anchor)[0], max(test)[0])
    if low >= high:
        return None
    rates = np.geomspace(low, high, MARGIN_SAMPLES)
    advantage = _quality_at(test, rates) - _quality_at(anchor, rates)
    worst = int(advantage.argmin())
    return {
        "from_bpp": low,
        "to_bpp": high,
        "least_db": float(advantage[worst]),
        "at_bpp": float(rates[worst]),
        "covers_all": low <= MARGIN_BPP[0] and high >= MARGIN_BPP[1],
    }


def _quality_at(points: Sequence[Point], rates: Any) -> Any:
    """dB at rates, by PCHIP over the logarithm of the rate, as the Bjøntegaard rate interpolates."""
    from scipy.interpolate import PchipInterpolator

    rate, quality = zip(*sorted(points), strict=True)
    return PchipInterpolator(np.log(rate), quality)(np.log(rates))


def all_comparisons(
    curves: Mapping[str, Sequence[PhotoPoint]], published: Sequence[Mapping[str, Any]], anchor: str
) -> dict[str, Any]:
    """Of every curve with the anchor, by each quality; published ones by the quality that they are printed in."""
    measured = {
        name: {quality: compare(pairs(curves[anchor], quality), pairs(points, quality)) for quality in QUALITIES}
        for name, points in curves.items()
        if name != anchor
    }
    by_papers = pairs(curves[anchor], MEAN_IMAGE_PSNR)
    return {
        "anchor": anchor,
        "measured": measured,
        "published": {
            one["id"]: {MEAN_IMAGE_PSNR: compare(by_papers, [(rate, db) for rate, db in one["points"]])}
            for one in published
        },
    }
