"""The linear floor: the KLT of 8×8 blocks of RGB, and what its coefficients spread without any context.

    crops uint8 (n, s, s, 3) --second moments of RGB / 255 - 1/2--> basis (k, 192), variances (k,)

The transform of colours is inside: any orthonormal one before would leave the result as it is. The moments are averaged
over the eight turns and reflections of the square, since training turns its pictures too.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.transforms import MIDDLE
from vaecodec.photo.regions import BLOCKS_A_POSITION, DETAIL_BLOCK

BLOCK_VALUES = 3 * DETAIL_BLOCK**2
FLOOR = 0.02  # of a variance in squared steps: rounding hides what lies below
COARSER = 0.4  # of the mean variance is what most blocks have; edges hold the rest


def second_moments(residuals: Tensor) -> NDArray[np.float64]:
    """Of the 8×8 blocks of (b, 3, H, W), averaged over the square's symmetries: (192, 192), channel by channel."""
    blocks = F.pixel_unshuffle(residuals.double(), DETAIL_BLOCK).permute(0, 2, 3, 1).reshape(-1, BLOCK_VALUES)
    moments = (blocks.t() @ blocks / len(blocks)).numpy()
    cells = np.arange(BLOCK_VALUES).reshape(3, DETAIL_BLOCK, DETAIL_BLOCK)
    total = np.zeros_like(moments)
    for square in (cells, cells.transpose(0, 2, 1)):
        for turned in (square, square[:, ::-1], square[:, :, ::-1], square[:, ::-1, ::-1]):
            order = turned.reshape(-1)
            total += moments[np.ix_(order, order)] / 8
    return total


def karhunen_loeve(moments: NDArray[np.float64], components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows (k, 192) by falling variance, each of positive sum or first value, and their variances (k,)."""
    values, vectors = np.linalg.eigh(moments)
    basis = vectors[:, ::-1].T[:components]
    signs = np.where(np.abs(basis.sum(1)) > 1e-9, np.sign(basis.sum(1)), np.sign(basis[:, 0]))
    return basis * signs[:, None], values[::-1][:components].copy()


@torch.no_grad()
def set_transform(model: Photo, moments: NDArray[np.float64]) -> None:
    """Give the detail its KLT, and each level the spread of its coefficients in that level's steps."""
    basis, variances = karhunen_loeve(moments, model.config.detail_components)
    model.detail_transform.basis.copy_(torch.from_numpy(basis))
    spread = torch.from_numpy(variances).float().repeat_interleave(BLOCKS_A_POSITION)
    step = torch.exp(model.log_step.value)
    model.detail_heads.spread.value.copy_(0.5 * (COARSER * spread / step**2 + FLOOR).log())


@torch.no_grad()
def begin_linear(model: Photo, crops: NDArray[np.uint8]) -> None:
    """Make an untrained model the linear codec: the base gives mid-grey, the detail is the KLT of the pixels."""
    model.synthesis.leave.weight.zero_()
    if model.synthesis.leave.bias is not None:
        model.synthesis.leave.bias.zero_()
    some = torch.from_numpy(crops[:512]).permute(0, 3, 1, 2).float() / 255 - MIDDLE
    set_transform(model, second_moments(some))


def untrained_config() -> PhotoConfig:
    """Where training starts from nothing, the detail is told at every level: it is the whole picture at first."""
    return PhotoConfig(detail_from=0.0)
