"""A point of a photograph codec's curve: each photograph coded into a file, read back from it and compared.

    photographs --encode--> files on the disk --read, decode--> PhotoMeasure of each --mean--> PhotoPoint

Photographs differ in size, so that every mean is over photographs: of the bits a pixel of each, of the MSE of each
(all three channels), of the PSNR of each, and of the MS-SSIM of each, which is the mean of the three channels'.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.measuring.machine import write_json
from benchmarks.measuring.photo_codecs import PhotoCodec
from benchmarks.measuring.photo_sets import PhotoSet
from vaecodec.arrays import Pixels
from vaecodec.evaluation.distortion import ms_ssim_db, ms_ssim_per_image, mse, psnr_db_from_mse, scales_for


@dataclass(frozen=True, slots=True)
class PhotoMeasure:
    """One photograph's file: its bytes and the distortion of what is decoded from it."""

    name: str
    file_bytes: int
    file_bpp: float
    mse: float
    ms_ssim: float


@dataclass(frozen=True, slots=True)
class PhotoPoint:
    """One codec at one setting over photographs: means over them of each one's measures.

    psnr_db: from the mean MSE. mean_image_psnr_db: the mean of each one's PSNR. ms_ssim: over ms_ssim_scales.
    """

    codec: str
    setting: str
    photographs: int
    file_bytes: float
    file_bpp: float
    mse: float
    psnr_db: float
    mean_image_psnr_db: float
    ms_ssim: float
    ms_ssim_scales: int

    @property
    def ms_ssim_db(self) -> float:
        """-10 log10(1 - MS-SSIM)."""
        return ms_ssim_db(self.ms_ssim)

    def __str__(self) -> str:
        by_psnr = f"{self.mean_image_psnr_db:6.2f} dB (mean of images) {self.psnr_db:6.2f} dB (mean MSE)"
        return f"{self.codec:18} {self.setting:9} {self.file_bpp:7.4f} bpp {by_psnr}  MS-SSIM {self.ms_ssim:.4f}"


def measure(codec: PhotoCodec, name: str, pixels: Pixels, folder: Path) -> PhotoMeasure:
    """One photograph uint8 (h, w, 3) through a file in the folder."""
    path = folder / name
    path.write_bytes(codec.encode(pixels))
    data = path.read_bytes()
    decoded = codec.decode(data)
    if decoded.shape != pixels.shape:
        raise AssertionError(f"{codec.name} {codec.setting}: {name} of {pixels.shape} comes back as {decoded.shape}")
    planes, decoded_planes = (np.ascontiguousarray(np.moveaxis(one, 2, 0)) for one in (pixels, decoded))
    return PhotoMeasure(
        name,
        len(data),
        8 * len(data) / (pixels.shape[0] * pixels.shape[1]),
        float(mse(planes, decoded_planes).mean()),
        float(ms_ssim_per_image(planes, decoded_planes).mean()),
    )


def measure_set(codec: PhotoCodec, photographs: PhotoSet) -> list[PhotoMeasure]:
    """measure() of each photograph of a set."""
    return list(_measured_from(codec, photographs, 0))


def measured_once(codec: PhotoCodec, photographs: PhotoSet, cache: Path, *, afresh: bool = False) -> list[PhotoMeasure]:
    """measure_set(), each kept in the folder `cache`, so that a run which was cut short goes on where it was."""
    stem = "".join(c if c.isalnum() else "-" for c in f"{codec.name} {codec.setting}".lower())
    path = cache / photographs.name / f"{stem}.json"
    measured: list[PhotoMeasure] = []
    if path.is_file() and not afresh:
        measured = [PhotoMeasure(**one) for one in json.loads(path.read_text(encoding="utf-8"))["photographs"]]
    for one in _measured_from(codec, photographs, len(measured)):
        measured.append(one)
        write_json(path, {"photographs": [asdict(one) for one in measured]})
    return measured


def _measured_from(codec: PhotoCodec, photographs: PhotoSet, first: int) -> Iterator[PhotoMeasure]:
    with tempfile.TemporaryDirectory() as folder:
        for name, pixels in zip(photographs.names[first:], photographs.images[first:], strict=True):
            yield measure(codec, name, pixels, Path(folder))


def point_of(codec: PhotoCodec, measured: Sequence[PhotoMeasure], pixels: Pixels) -> PhotoPoint:
    """The means over the photographs; `pixels`: one of them, uint8 (h, w, 3), whose size tells MS-SSIM's scales."""
    errors = [one.mse for one in measured]
    return PhotoPoint(
        codec=codec.name,
        setting=codec.setting,
        photographs=len(measured),
        file_bytes=float(np.mean([one.file_bytes for one in measured])),
        file_bpp=float(np.mean([one.file_bpp for one in measured])),
        mse=float(np.mean(errors)),
        psnr_db=psnr_db_from_mse(float(np.mean(errors))),
        mean_image_psnr_db=float(np.mean([psnr_db_from_mse(error) for error in errors])),
        ms_ssim=float(np.mean([one.ms_ssim for one in measured])),
        ms_ssim_scales=scales_for(*pixels.shape[:2]),
    )
