"""Rate-distortion points and curves.

    originals, decoded, file sizes --measure_point--> RatePoint --many--> RateCurve

A point says its rate four ways, all per image: bytes on disk first, then bits per pixel of those bytes, payload bytes
(headers stripped), and, for learned codecs, the model's information content under its stored tables.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from vaecodec.arrays import Pixels
from vaecodec.errors import ConfigError
from vaecodec.evaluation.distortion import (
    mean_image_psnr,
    ms_ssim_db,
    ms_ssim_per_image,
    mse,
    psnr_db_from_mse,
    scales_for,
)


@dataclass(frozen=True, slots=True)
class RatePoint:
    """One codec at one setting over a set of images; every rate is the mean over the images.

    file_bytes: whole files. file_bpp: 8 * file_bytes / pixels. payload_bytes: headers stripped. information_bytes:
    -log2 p under the stored tables, None for codecs without. psnr_db: from the mean MSE, None where every image is
    exact (JSON has no infinity). mean_image_psnr_db: None where some image is exact. ms_ssim: over ms_ssim_scales.
    """

    codec: str
    setting: str
    images: int
    file_bytes: float
    file_bpp: float
    payload_bytes: float
    information_bytes: float | None
    mse: float
    psnr_db: float | None
    mean_image_psnr_db: float | None
    ms_ssim: float
    ms_ssim_scales: int

    @property
    def lossless(self) -> bool:
        """Every image came back exactly."""
        return self.mse == 0

    @property
    def ms_ssim_db(self) -> float:
        """-10 log10(1 - MS-SSIM); infinite for exact images."""
        return ms_ssim_db(self.ms_ssim)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RatePoint":
        """The inverse of `to_dict`. Raises ConfigError for missing and unknown keys."""
        _check_keys(cls, values)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class RateCurve:
    """The points of one codec on one data set, in rising order of file bytes."""

    codec: str
    data: str
    points: tuple[RatePoint, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(sorted(self.points, key=lambda point: point.file_bytes)))

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back."""
        return {"codec": self.codec, "data": self.data, "points": [point.to_dict() for point in self.points]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RateCurve":
        """The inverse of `to_dict`. Raises ConfigError for missing and unknown keys."""
        _check_keys(cls, values)
        return cls(values["codec"], values["data"], tuple(RatePoint.from_dict(point) for point in values["points"]))


def measure_point(
    codec: str,
    setting: str,
    originals: Pixels,
    decoded: Pixels,
    *,
    file_sizes: Sequence[int],
    payload_sizes: Sequence[int],
    information_bits: Sequence[float] | None = None,
) -> RatePoint:
    """The point of one setting: images uint8 (n, h, w) twice, and for each image its sizes (bytes; bits where named).

    Raises ValueError where the lengths disagree.
    """
    lengths = {len(file_sizes), len(payload_sizes), len(originals)}
    if information_bits is not None:
        lengths.add(len(information_bits))
    if len(lengths) != 1:
        raise ValueError(f"{codec} {setting}: one size for each image expected, found lengths {sorted(lengths)}")
    file_bytes = float(np.mean(file_sizes))
    mean_squared_error = float(mse(originals, decoded).mean())
    return RatePoint(
        codec=codec,
        setting=setting,
        images=len(originals),
        file_bytes=file_bytes,
        file_bpp=8 * file_bytes / math.prod(originals.shape[1:3]),
        payload_bytes=float(np.mean(payload_sizes)),
        information_bytes=None if information_bits is None else float(np.mean(information_bits)) / 8,
        mse=mean_squared_error,
        psnr_db=_finite(psnr_db_from_mse(mean_squared_error)),
        mean_image_psnr_db=_finite(mean_image_psnr(originals, decoded)),
        ms_ssim=float(ms_ssim_per_image(originals, decoded).mean()),
        ms_ssim_scales=scales_for(*originals.shape[1:3]),
    )


def bytes_at_psnr(psnr_db: float, curve: Sequence[tuple[float, float]]) -> tuple[float, bool]:
    """File bytes of a codec at a PSNR, from its (PSNR dB, bytes) points: linear between them.

    Below its lowest point the codec cannot save more: its smallest file counts, and the second value is True. Raises
    ValueError above its highest point.
    """
    points = sorted(curve)
    if not points or psnr_db > points[-1][0]:
        raise ValueError(f"no point at {psnr_db:.2f} dB or above")
    if psnr_db <= points[0][0]:
        return points[0][1], psnr_db < points[0][0]
    for (psnr_low, bytes_low), (psnr_high, bytes_high) in pairwise(points):
        if psnr_db <= psnr_high:
            share = (psnr_db - psnr_low) / (psnr_high - psnr_low)
            return bytes_low + share * (bytes_high - bytes_low), False
    raise AssertionError("the points are sorted and psnr_db lies between the first and the last")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _check_keys(cls: type, values: dict[str, Any]) -> None:
    expected = {field.name for field in fields(cls)}
    if set(values) != expected:
        wrong = sorted(set(values) ^ expected)
        raise ConfigError(f"{cls.__name__}: missing or unknown keys {', '.join(wrong)}")
