"""From trained weights to a model file that needs no torch.

weights-0.npz, weights-1.npz, crops of a pack --calibration--> integer networks
                            --ONNX, packed weights--> analysis, hyperanalysis         --> PhotoModel
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.convert import make_exact
from vaecodec.families.photo.model import Photo
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.photo.known_answer import make_answers
from vaecodec.photo.model import Encoder, PhotoModel, make_photo_model
from vaecodec.photo.regions import BLOCK
from vaecodec.recipes.onnx_export import export_map, halve_weights

ANALYSIS_STEPS = 24  # in a standard deviation of its weights
EXAMPLE = 8  # positions a side of y, of the example that graphs are traced with


@torch.no_grad()
def export_model(
    name: str,
    model: Photo,
    levels: Tensor,
    pictures: NDArray[np.uint8],
    *,
    calibrated_at: Sequence[float],
    about: dict[str, Any],
) -> PhotoModel:
    """levels (n,): the real levels of the file, rising. pictures (b, H, W, 3): sides multiples of 64; calibration.

    Raises NotExact.
    """
    model = model.eval()
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    networks = make_exact(model, levels, x, calibrated_at)
    beta = (1 / model.config.lambda_of(levels.double())).tolist()
    encoder = Encoder(
        analysis=_graph(model.analysis, (3, BLOCK * EXAMPLE), BLOCK),
        hyper=_graph(model.hyper_analysis, (model.config.base_channels, EXAMPLE), 1),
        gain=_gains(model.log_gain(levels)),
        z_gain=_gains(model.log_z_gain(levels)),
        halo=analysis_halo(model.config),
    )
    answers = make_answers(networks, sorted({max(networks.silent - 1, 0), len(levels) - 1}))
    middle = len(levels) // 2
    return make_photo_model(name, networks, tuple(beta), encoder, answers, about, default_level=middle)


def analysis_halo(config: PhotoConfig) -> int:
    """Positions of y on either side whose pixels a latent depends on: of each layer, its radius in pixels."""
    at = 2  # pixels a position after the unshuffle
    pixels = 0
    for _ in config.analysis_widths:
        pixels += 2 * at  # 5×5
        at *= 2
        pixels += config.analysis_blocks * at
    return -(-(pixels + at) // BLOCK)


def _graph(module: nn.Module, example: tuple[int, int], multiple: int) -> Analysis:
    halved = copy.deepcopy(module)
    halve_weights(halved)
    channels, side = example
    return export_map(halved, torch.zeros(1, channels, side, side), multiple=multiple, steps=ANALYSIS_STEPS)


def _gains(logarithms: Tensor) -> NDArray[np.float32]:
    """(levels, c, 1, 1) -> (levels, c)."""
    return np.asarray(logarithms.exp().flatten(1).numpy(), np.float32)
