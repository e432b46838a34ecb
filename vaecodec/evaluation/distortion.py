"""Distortion between two sets of 8-bit images, grey or in colour: MSE, PSNR and MS-SSIM.

    a, b (n, h, w) uint8 --mse--> (n,) --mean--> "PSNR"          (psnr_of_set)
                         --mse--> (n,) --PSNR of each--> mean    (mean_image_psnr, always named so)
                         --ms_ssim--> one number, the mean over images

MS-SSIM is Wang, Simoncelli, Bovik 2003 with as many of its five scales as the images have room for, so that it is
defined for 28 x 28 (two scales) and 64 x 64 (three): say how many wherever the number is printed. Of images in colour,
(n, h, w, 3), it is the mean of the three channels' own, and the MSE is over all of them.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.arrays import Pixels
from vaecodec.codec.quality import PEAK, mse_of_each
from vaecodec.codec.quality import psnr_db_from_mse as psnr_db_from_mse

Float64 = NDArray[np.float64]

WINDOW = 11  # taps of the Gaussian
SIGMA_PX = 1.5
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2
C1 = (0.01 * PEAK) ** 2
C2 = (0.03 * PEAK) ** 2
CHUNK_PIXELS = 1 << 18  # five float64 maps of a chunk stay within 10 MB, near enough to the cache


def mse(a: Pixels, b: Pixels) -> Float64:
    """Mean squared error of each image, in squared levels: uint8 (n, h, w) twice -> float64 (n,)."""
    _check_pair(a, b)
    return mse_of_each(a, b)


def psnr_of_set(a: Pixels, b: Pixels) -> float:
    """PSNR as this project prints it: in dB, from the mean MSE over the set (images must not be empty)."""
    return psnr_db_from_mse(float(mse(a, b).mean()))


def mean_image_psnr(a: Pixels, b: Pixels) -> float:
    """Mean of the PSNR of each image, in dB; infinite as soon as one image is exact."""
    return float(np.mean([psnr_db_from_mse(float(error)) for error in mse(a, b)]))


def scales_for(height: int, width: int) -> int:
    """How many of the five scales keep the short side at 11 px or more. Raises ValueError below 11 px."""
    short = min(height, width)
    if short < WINDOW:
        raise ValueError(f"ms-ssim: expected a short side of {WINDOW} px or more, found {height} x {width}")
    return min(len(SCALE_WEIGHTS), int(math.log2(short / WINDOW)) + 1)


def ms_ssim(a: Pixels, b: Pixels) -> float:
    """Mean MS-SSIM over the images, at most 1: uint8 (n, h, w) twice. Raises ValueError for sides below 11 px."""
    return float(ms_ssim_per_image(a, b).mean())


def ms_ssim_per_image(a: Pixels, b: Pixels) -> Float64:
    """MS-SSIM of each image, 0..1: uint8 (n, h, w) or (n, h, w, 3), twice -> float64 (n,).

    Gaussian window of 11 taps and sigma 1.5, valid positions only, 2 x 2 mean pooling between scales, the mean of each
    scale clamped at 0, weights renormalised to the scales used (`scales_for`).
    """
    _check_pair(a, b)
    if a.ndim == 4:
        channels = [ms_ssim_per_image(a[..., k], b[..., k]) for k in range(a.shape[3])]
        return np.asarray(np.mean(channels, axis=0), np.float64)
    weights = np.array(SCALE_WEIGHTS[: scales_for(*a.shape[1:])])
    weights /= weights.sum()
    values = np.empty(len(a))
    for part in _chunks(a):
        values[part] = _ms_ssim_chunk(a[part].astype(np.float64), b[part].astype(np.float64), weights)
    return values


def ms_ssim_db(value: float) -> float:
    """MS-SSIM spread out near 1: -10 log10(1 - value), in dB; infinite at 1."""
    return math.inf if value >= 1 else -10 * math.log10(1 - value)


def _ms_ssim_chunk(x: Float64, y: Float64, weights: Float64) -> Float64:
    product = np.ones(len(x))
    for scale, weight in enumerate(weights):
        if scale:
            x, y = _halve(x), _halve(y)
        similarity, contrast_structure = _ssim_means(x, y)
        # Wang et al. 2003, eq. 7: luminance counts at the coarsest scale only.
        factor = similarity if scale == len(weights) - 1 else contrast_structure
        product *= np.maximum(factor, 0.0) ** weight
    return product


def _ssim_means(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Mean SSIM and mean contrast-structure term of each image, float64 (n,) both."""
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x * mean_x
    var_y = _blur(y * y) - mean_y * mean_y
    covariance = _blur(x * y) - mean_x * mean_y
    contrast_structure = (2 * covariance + C2) / (var_x + var_y + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x * mean_x + mean_y * mean_y + C1)
    return (luminance * contrast_structure).mean(axis=(1, 2)), contrast_structure.mean(axis=(1, 2))


def _gaussian_taps() -> tuple[float, ...]:
    at = np.arange(WINDOW) - WINDOW // 2
    taps = np.exp(-0.5 * (at / SIGMA_PX) ** 2)
    return tuple(float(tap) for tap in taps / taps.sum())


_TAPS = _gaussian_taps()


def _blur(x: Float64) -> Float64:
    """Separable Gaussian at the valid positions: (n, h, w) -> (n, h - 10, w - 10)."""
    rows, columns = x.shape[1] - WINDOW + 1, x.shape[2] - WINDOW + 1
    down = sum((tap * x[:, i : i + rows] for i, tap in enumerate(_TAPS)), np.zeros((len(x), rows, x.shape[2])))
    return sum((tap * down[:, :, i : i + columns] for i, tap in enumerate(_TAPS)), np.zeros((len(x), rows, columns)))


def _halve(x: Float64) -> Float64:
    """2 x 2 mean pooling; an odd last row or column is left out."""
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    return np.asarray((x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4)


def _chunks(images: NDArray[Any]) -> list[slice]:
    step = max(1, CHUNK_PIXELS // max(1, images[0].size)) if len(images) else 1
    return [slice(start, start + step) for start in range(0, len(images), step)]


def _is_set(images: Pixels) -> bool:
    return images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)


def _check_pair(a: Pixels, b: Pixels) -> None:
    if a.dtype != np.uint8 or b.dtype != np.uint8 or a.shape != b.shape or not _is_set(a):
        raise ValueError(
            f"images: expected two uint8 arrays of one shape, (n, h, w) or (n, h, w, 3), found {a.shape} and {b.shape}"
        )
    if not a.size:
        raise ValueError("images: expected at least one")
