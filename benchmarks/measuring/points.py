"""A point of a rate-distortion curve: a classical codec at one setting measured, and any point in one line.

images uint8 (n, h, w[, 3]) --encode--> n files --decode--> RatePoint --describe--> a line for a terminal
"""

import numpy as np

from benchmarks.measuring.images import Images
from vaecodec.evaluation.classical import ClassicalCodec
from vaecodec.evaluation.rd import RatePoint, measure_point


def measure_classical(codec: ClassicalCodec, images: Images) -> RatePoint:
    """One setting over images uint8 (n, h, w[, 3]): every file made, read back and, where lossless, compared."""
    files = [codec.encode(image) for image in images]
    decoded = np.stack([codec.decode(data, colour=images.ndim == 4) for data in files])
    point = measure_point(
        codec.name,
        codec.setting,
        images,
        decoded,
        file_sizes=[len(data) for data in files],
        payload_sizes=[codec.payload_size(data) for data in files],
    )
    if codec.lossless and not point.lossless:
        raise AssertionError(f"{codec.name} {codec.setting} is said to be lossless and is not")
    return point


def describe(point: RatePoint) -> str:
    """One line of a table."""
    psnr = "  exact" if point.psnr_db is None else f"{point.psnr_db:7.2f}"
    return (
        f"{point.codec:10} {point.setting:12} {point.images:6} images {point.file_bytes:7.1f} B file"
        f" {point.payload_bytes:7.1f} B payload {psnr} dB  MS-SSIM({point.ms_ssim_scales}) {point.ms_ssim:.4f}"
    )
