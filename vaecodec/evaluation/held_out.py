"""The curve of a model beside WebP's, AVIF's and JPEG XL's on images that its training has not seen.

codec, images ──some levels──────> Curve ┐
        images ──every setting───> Curve ┴─table──> lines      ─chart──> Chart

All rates are whole files, headers and all: what a folder of such files takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaecodec.arrays import Pixels
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Setting
from vaecodec.evaluation.classical import ClassicalCodec, classical_codecs
from vaecodec.evaluation.distortion import psnr_of_set
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.rd import bytes_at_psnr

RIVALS = ("WebP", "AVIF", "JPEG XL")
LEVELS = 9  # of the model, evenly spaced, the coarsest and the finest among them
BASE_IMAGES, BASE_PIXELS, LEAST_IMAGES = 300, 28 * 28, 40  # a rival's encoder takes milliseconds for a small image
NO_MATCH = "-"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (PSNR in dB from the mean MSE, mean bytes of a file), the smallest files first."""

    name: str
    points: tuple[tuple[float, float], ...]


def few_of(images: Pixels) -> Pixels:
    """As many of the images, evenly spaced, as the rivals code in half a minute."""
    count = max(LEAST_IMAGES, int(BASE_IMAGES * BASE_PIXELS / (images.shape[1] * images.shape[2])))
    count = min(count, BASE_IMAGES, len(images))
    return images[np.linspace(0, len(images) - 1, count).astype(np.intp)]


def measured_curves(codec: Codec, images: Pixels) -> list[Curve]:
    """The model's curve and those of the rivals that Pillow can write here: images (n, h, w) or (n, h, w, 3)."""
    last = len(codec.model.levels) - 1
    levels = np.unique(np.linspace(0, last, LEVELS).round().astype(int)).tolist()
    curves = [Curve(codec.model.name, _rising([_of_level(codec, images, level) for level in levels]))]
    for name in RIVALS:
        settings = [one for one in classical_codecs([name]) if not one.lossless]
        if settings:
            curves.append(Curve(name, _rising([_of_setting(one, images) for one in settings])))
    return curves


def _of_level(codec: Codec, images: Pixels, level: int) -> tuple[float, float]:
    streams = codec.lossy.compress(codec.frame.fit_all(images), [Setting(level, 0)] * len(images))
    return psnr_of_set(images, np.stack(codec.decompress_batch(streams))), float(np.mean([len(one) for one in streams]))


def _of_setting(codec: ClassicalCodec, images: Pixels) -> tuple[float, float]:
    files = [codec.encode(image) for image in images]
    decoded = np.stack([codec.decode(data, colour=images.ndim == 4) for data in files])
    return psnr_of_set(images, decoded), float(np.mean([len(data) for data in files]))


def _rising(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return tuple(sorted(points, key=lambda point: point[1]))


def table(curves: Sequence[Curve]) -> list[str]:
    """Lines: at each point of the first curve, the bytes that the others need for the same PSNR.

    "<" marks the smallest files of a codec that cannot go so low, NO_MATCH one that does not come so high.
    """
    ours, *rivals = curves
    rows = [["PSNR", ours.name, *(rival.name for rival in rivals)]]
    for psnr_db, file_bytes in ours.points:
        rows.append([f"{psnr_db:.1f} dB", f"{file_bytes:.0f} B", *(_needed(rival, psnr_db) for rival in rivals)])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _needed(rival: Curve, psnr_db: float) -> str:
    try:
        file_bytes, too_low = bytes_at_psnr(psnr_db, rival.points)
    except ValueError:
        return NO_MATCH
    return f"<{file_bytes:.0f} B" if too_low else f"{file_bytes:.0f} B"


def chart(curves: Sequence[Curve], images: int) -> Chart:
    """PSNR against the bytes of a file."""
    series = []
    for number, curve in enumerate(curves):
        psnr_db, file_bytes = zip(*curve.points, strict=True)
        series.append(Series(curve.name, tuple(file_bytes), tuple(psnr_db), colour=number))
    axes = ("bytes a file, everything counted", "PSNR from the mean MSE, dB")
    panel = Panel(f"{images} images that training has not seen", *axes, tuple(series))
    return Chart(curves[0].name, (panel,))
