"""A comparison by BD-rate, three ways: whole files, payloads, and whole files where each side may send its exact ones.

points of a codec and of a flagship's levels ──bd_rate──> Anchor

A BD-rate of small files says as much about containers as about codes: AVIF's has 269 bytes. And where a picture's
exact file is smaller than any lossy one of it, nobody would send the lossy one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.studies.flagship_rivals import defined
from vaecodec.evaluation.bd import bd_rate
from vaecodec.evaluation.rd import RateCurve, RatePoint


@dataclass(frozen=True, slots=True)
class Anchor:
    """Per cent by which our bytes are more, at equal PSNR; None where the curves share no range.

    images: over how many its lossy points were measured. files: whole files. payloads: headers and containers stripped
    on both sides. exact_too: whole files, each point at the codec's mean exact size at the most.
    """

    codec: str
    images: int
    files: float | None
    payloads: float | None
    exact_too: float | None


def anchors(data: str, classical: Mapping[str, Any], flagship: Mapping[str, Any]) -> list[Anchor]:
    """Of every classical codec with lossy points, against the levels of the lowest effort."""
    points = tuple(RatePoint.from_dict(level["point"]) for level in flagship["efforts"][0]["levels"])
    ours = RateCurve(flagship["model"]["name"], data, points)
    exact = flagship.get("lossless")
    capped_ours = ours if exact is None else _at_most(ours, exact["bytes"])
    found = []
    for curve in map(RateCurve.from_dict, classical["curves"]):
        lossy = [point for point in curve.points if not point.lossless]
        if lossy:
            files, payloads = defined(bd_rate, curve, ours), defined(bd_rate, payload_curve(curve), payload_curve(ours))
            exact_too = defined(bd_rate, with_exact_files(curve), capped_ours)
            found.append(Anchor(curve.codec, min(point.images for point in lossy), files, payloads, exact_too))
    return found


def payload_curve(curve: RateCurve) -> RateCurve:
    """The same points, their payload taken for the whole file."""
    return _changed(curve, [point.payload_bytes for point in curve.points])


def with_exact_files(curve: RateCurve) -> RateCurve:
    """The same points, none larger than the codec's smallest exact mode; without such a mode the same."""
    exact = [point.file_bytes for point in curve.points if point.lossless]
    return _at_most(curve, min(exact)) if exact else curve


def _at_most(curve: RateCurve, most_bytes: float) -> RateCurve:
    return _changed(curve, [min(point.file_bytes, most_bytes) for point in curve.points])


def _changed(curve: RateCurve, file_bytes: Sequence[float]) -> RateCurve:
    """By PSNR, where another size changes the order."""
    points = [replace(point, file_bytes=size) for point, size in zip(curve.points, file_bytes, strict=True)]
    lossy = sorted((point for point in points if point.psnr_db is not None), key=lambda point: -point.mse)
    return replace(curve, points=tuple(lossy))
