"""What the flagship's curve stands beside: every codec of the stored results, point by point and by its BD-rate.

results/classical-<data>.json ──────┐
results/rate-distortion-<data>.json ┴─> Rival (fixed-β models, PCA, WebP, ...) ──beside our levels──> Comparison
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.measure import LevelPoint
from benchmarks.studies.flagship_bars import cheapest_at
from vaecodec.evaluation.bd import bd_rate, bd_rate_ms_ssim
from vaecodec.evaluation.rd import RateCurve, RatePoint

SWEEP, PCA = "β-VAE sweep", "PCA"


@dataclass(frozen=True, slots=True)
class Rival:
    """A curve, and the name of the result that it stands in."""

    curve: RateCurve
    source: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A point of a rival, and our cheapest level of at least its PSNR; None where we have none.

    psnr_db: None where every image is exact.
    """

    setting: str
    images: int
    file_bytes: float
    psnr_db: float | None
    our_level: int | None
    our_bytes: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Per cent by which our files are larger, over what both curves cover; None where there is no such number."""

    codec: str
    source: str
    psnr_per_cent: float | None
    ms_ssim_per_cent: float | None
    points: tuple[Beside, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_rivals(data: str, folder: Path, pixels_sha256: str, ours: str = "") -> list[Rival]:
    """Every curve that is stored of the same test images; a result of other pixels, or none, gives no curve.

    ours: name of a model that is none of its own rivals.
    """
    found = []
    for name, curves in ((f"classical-{data}", _classical), (f"rate-distortion-{data}", _learned)):
        path = folder / f"{name}.json"
        result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        if result is not None and result["data"]["pixels_sha256"] == pixels_sha256:
            found += [Rival(curve, name) for curve in curves(data, result) if curve.codec != ours]
    return found


def curve_of(name: str, data: str, points: Iterable[LevelPoint]) -> RateCurve:
    """Our levels as one curve."""
    return RateCurve(name, data, tuple(one.point for one in points))


def compare(rival: Rival, points: Sequence[LevelPoint]) -> Comparison:
    """A rival beside our points, all of one effort."""
    ours = curve_of("flagship", rival.curve.data, points)
    return Comparison(
        codec=rival.curve.codec,
        source=rival.source,
        psnr_per_cent=defined(bd_rate, rival.curve, ours),
        ms_ssim_per_cent=defined(bd_rate_ms_ssim, rival.curve, ours),
        points=tuple(_beside(point, points) for point in rival.curve.points),
    )


def defined(rate: Callable[[RateCurve, RateCurve], float], anchor: RateCurve, test: RateCurve) -> float | None:
    """The BD-rate; None where the curves share no range, or one has too few points."""
    try:
        return rate(anchor, test)
    except ValueError:
        return None


def _beside(point: RatePoint, points: Sequence[LevelPoint]) -> Beside:
    wanted = float("inf") if point.psnr_db is None else point.psnr_db
    found = cheapest_at(wanted, points)
    ours = (None, None) if found is None else (found.level, found.point.file_bytes)
    return Beside(point.setting, point.images, point.file_bytes, point.psnr_db, *ours)


def _classical(data: str, result: Mapping[str, Any]) -> Iterator[RateCurve]:
    yield from (RateCurve.from_dict(curve) for curve in result["curves"])


def _learned(data: str, result: Mapping[str, Any]) -> Iterator[RateCurve]:
    for name, key in ((SWEEP, "sweep"), (PCA, "pca")):
        yield RateCurve(name, data, tuple(RatePoint.from_dict(entry["point"]) for entry in result[key]))
    for model in result["zoo"]:
        yield RateCurve(model["name"], data, (RatePoint.from_dict(model["point"]),))
