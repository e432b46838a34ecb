"""vaecodec evaluate of a photograph model: every picture of a folder, of whatever size, from real streams."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from vaecodec.codec.quality import mse, psnr_db_from_mse
from vaecodec.errors import DataError
from vaecodec.evaluation.distortion import ms_ssim_db, ms_ssim_per_image, scales_for

from .files import naming
from .mirror import say_linked
from .pictures import read_picture
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.codec.photograph import PhotographCodec
    from vaecodec.codec.target import Target

LEAST_SIDE = 11  # pixels, of MS-SSIM's window: it is the mean over the pictures that have them


@dataclass(frozen=True, slots=True)
class Measured:
    """One picture. mse: over its pixels and channels. ms_ssim: None where a side is too short, with so many scales."""

    pixels: int
    file_bytes: int
    payload_bytes: int
    mse: float
    ms_ssim: float | None
    ms_ssim_scales: int


def evaluate_pictures(codec: PhotographCodec, folder: str, limit: int | None, target: Target) -> dict[str, Any]:
    """Rate and distortion of the pictures below a folder, in the order of their paths, for JSON.

    Raises DataError, ImageError, TargetMissed.
    """
    paths = _paths(folder, limit)
    found, progress = [], Progress(quiet=False)
    for path in paths:
        found.append(_measured(codec, path, target))
        if progress.due():
            progress.draw(f"{len(found)} of {len(paths)} pictures{progress.left(len(found), len(paths))}")
    progress.clear()
    pixels, file_bytes = sum(one.pixels for one in found), sum(one.file_bytes for one in found)
    error = sum(one.mse for one in found) / len(found)
    similar = [one.ms_ssim for one in found if one.ms_ssim is not None]
    ms_ssim = sum(similar) / len(similar) if similar else None
    model_bytes = len(codec.model.to_bytes())
    return {
        "model": codec.model.name,
        "fingerprint": codec.fingerprint.hex(),
        "data": os.path.basename(os.path.abspath(folder)),
        "images": len(found),
        "pixels": pixels,
        "file_bytes": file_bytes / len(found),
        "file_bpp": 8 * file_bytes / pixels,
        "payload_bytes": sum(one.payload_bytes for one in found) / len(found),
        "psnr_db": psnr_db_from_mse(error) if error else None,
        "mean_image_psnr_db": _mean_psnr_db([one.mse for one in found]),
        "ms_ssim": ms_ssim,
        "ms_ssim_db": None if ms_ssim is None or ms_ssim >= 1 else ms_ssim_db(ms_ssim),
        "ms_ssim_scales": sorted({one.ms_ssim_scales for one in found if one.ms_ssim is not None}),
        "model_file_bytes": model_bytes,
    }


def _paths(folder: str, limit: int | None) -> list[str]:
    """Raises DataError where there is none."""
    from vaecodec.data.folder import SUFFIXES
    from vaecodec.files.walk import files_below

    if not os.path.isdir(folder):
        raise DataError(f"{folder}: a photograph model is evaluated on the pictures of a folder")
    found = files_below(folder, SUFFIXES)
    say_linked(folder, found.linked)
    if not found.files:
        raise DataError(f"{folder}: found no file that ends in {' '.join(sorted(SUFFIXES))}")
    return [os.path.join(folder, file) for file in found.files[:limit]]


def _measured(codec: PhotographCodec, path: str, target: Target) -> Measured:
    with naming(path):
        picture = read_picture(path)
        stream = codec.code(picture, target).stream
        decoded = codec.decompress_picture(stream)
    height, width = picture.size
    is_large = min(height, width) >= LEAST_SIDE
    channels = 1 if picture.grey else 3
    own, other = (np.moveaxis(one.pixels[..., :channels], 2, 0) for one in (picture, decoded))
    return Measured(
        pixels=height * width,
        file_bytes=len(stream),
        payload_bytes=sum(map(len, codec.receive(stream).payloads)),
        mse=mse(other, own),
        ms_ssim=float(ms_ssim_per_image(own, other).mean()) if is_large else None,
        ms_ssim_scales=scales_for(height, width) if is_large else 0,
    )


def _mean_psnr_db(errors: list[float]) -> float | None:
    """None where a picture is exact."""
    return sum(map(psnr_db_from_mse, errors)) / len(errors) if all(errors) else None


def lines(found: dict[str, Any]) -> Iterator[str]:
    """For people."""

    def decibels(value: float | None) -> str:
        return "exact" if value is None else f"{value:.2f} dB"

    scales = ", ".join(map(str, found["ms_ssim_scales"]))
    ms_ssim = "none: every picture has a side below 11 pixels"
    if found["ms_ssim"] is not None:
        ms_ssim = f"{found['ms_ssim']:.4f}, {decibels(found['ms_ssim_db'])} ({scales} scales; mean of the channels)"
    for label, text in (
        ("model", f"{found['model']}, {found['model_file_bytes']} bytes"),
        ("data", f"{found['data']}, {found['images']} pictures, {found['pixels']} pixels"),
        ("file", f"{found['file_bytes']:.2f} bytes, {found['file_bpp']:.4f} bits per pixel"),
        ("payload", f"{found['payload_bytes']:.2f} bytes"),
        ("PSNR", f"{decibels(found['psnr_db'])} (from the mean MSE)"),
        ("mean per-image PSNR", decibels(found["mean_image_psnr_db"])),
        ("MS-SSIM", ms_ssim),
    ):
        yield f"{label:<22}{text}"


def refuse_options(split: str | None, resize: str | None, grey: bool) -> None:
    """Raises click.UsageError for what means nothing where pictures of any size are taken as they are."""
    given = [name for name, value in (("--split", split), ("--resize", resize), ("--grey", grey)) if value]
    if given:
        raise click.UsageError(f"{given[0]}: a photograph model takes every picture of a folder, as it is")
