"""The rate-distortion curve of a model: -log2 p of rounded symbols (no coder), pixels rounded and clamped.

pictures uint8 (h, w, 3), levels --> one Point a level
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vaecodec.families.photo.model import Photo
from vaecodec.photo.regions import HYPER_BLOCK

PEAK = 255.0


@dataclass(frozen=True, slots=True)
class Point:
    """A level's means over pictures. psnr_db is the mean of the pictures' PSNR, psnr_of_mse_db that of their mean MSE.

    rate_bpp = z_bpp + y_bpp + detail_bpp. base_db: the mean PSNR of the pictures that the base latents give alone.
    """

    level: float
    rate_bpp: float
    z_bpp: float
    y_bpp: float
    detail_bpp: float
    psnr_db: float
    psnr_of_mse_db: float
    base_db: float


@torch.no_grad()
def curve(model: Photo, pictures: Sequence[NDArray[np.uint8]], levels: Sequence[float]) -> list[Point]:
    """One Point for each level; pictures of any size are padded at their edges to multiples of 64."""
    device = next(model.parameters()).device
    found: list[list[Tensor]] = [[] for _ in levels]
    for picture in pictures:
        x = torch.from_numpy(np.ascontiguousarray(picture)).to(device).permute(2, 0, 1)[None].float() / PEAK
        padded = F.pad(x, (0, -x.shape[3] % HYPER_BLOCK, 0, -x.shape[2] % HYPER_BLOCK), mode="replicate")
        y = model.analysis(padded.contiguous(memory_format=torch.channels_last))
        for row, level in zip(found, levels, strict=True):
            row.append(_measured(model, x, padded, y, torch.full((1,), float(level), device=device)))
    return [_point(level, torch.stack(row).cpu()) for level, row in zip(levels, found, strict=True)]


def _measured(model: Photo, x: Tensor, padded: Tensor, y: Tensor, level: Tensor) -> Tensor:
    """Bits a pixel of z, y and detail, the MSE of the picture and that of the base alone, (5,)."""
    coded = model.code(padded, y, level)
    height, width = x.shape[2:]
    bits = torch.cat((coded.z_bits, coded.y_bits, coded.detail_bits)) / (height * width)
    errors = [_squared_error(v[:, :, :height, :width], x) for v in (coded.x_hat, coded.picture)]
    return torch.cat((bits, torch.stack(errors))).double()


def _squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    return ((x_hat.clamp(0, 1) * PEAK).round() - x * PEAK).square().mean()


def _point(level: float, measured: Tensor) -> Point:
    z, y, detail = measured[:, :3].mean(0).tolist()
    psnr = 10 * torch.log10(PEAK**2 / measured[:, 3:].clamp_min(1e-9)).mean(0)
    of_mse = 10 * math.log10(PEAK**2 / measured[:, 3].mean().item())
    return Point(level, z + y + detail, z, y, detail, psnr[0].item(), of_mse, psnr[1].item())
