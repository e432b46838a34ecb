"""The whole exact twin of a trained model, from a calibration on pictures.

Photo, pictures (b, 3, H, W) at some levels --greatest inputs--> fraction bits --> ExactPhoto for a grid of levels
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.families.photo.convert_heads import convert_base_heads, convert_detail_heads, convert_hyper
from vaecodec.families.photo.convert_layers import fraction_bits, greatest_inputs
from vaecodec.families.photo.convert_synthesis import convert_synthesis, trunk_bits
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.prior import Prior
from vaecodec.photo.gaussians import GaussianTables
from vaecodec.photo.latents import ExactPhoto

Z_REACH = 48  # symbols of z on either side of 0; rarer ones are escapes


@torch.no_grad()
def make_exact(model: Photo, levels: Tensor, pictures: Tensor, calibrated_at: Sequence[float]) -> ExactPhoto:
    """levels (n,): the grid, rising. pictures (b, 3, H, W) in 0..1, sides multiples of 64. Raises NotExact."""
    with greatest_inputs(model) as greatest:
        for level in calibrated_at:
            model(pictures, torch.full((len(pictures),), level))
    joins = [f"base_heads.nets.{number}.join.0" for number in range(len(model.config.base_slices))]
    facts_bits = fraction_bits(greatest, *joins)
    trunk = trunk_bits(model, greatest)[0]
    return ExactPhoto(
        synthesis=convert_synthesis(model, levels, greatest),
        hyper=convert_hyper(model, levels, greatest, facts_bits),
        base_heads=convert_base_heads(model, greatest, facts_bits),
        detail_heads=convert_detail_heads(model, levels, greatest, trunk_bits=trunk, facts_bits=facts_bits),
        z_tables=_z_tables(model),
        gaussians=GaussianTables.make(),
        silent=int((levels < model.config.detail_from).sum()),
    )


def _z_tables(model: Photo) -> CodingTables:
    prior: Prior = model.prior  # type: ignore[assignment]
    symbols = torch.arange(-Z_REACH, Z_REACH + 1, dtype=torch.float32)
    channels = model.config.hyper_channels
    bits = prior.bits(symbols[:, None, None, None].expand(-1, channels, 1, 1))[:, :, 0, 0].t().double().numpy()
    probabilities = np.exp2(-bits)
    beyond = np.maximum(1 - probabilities.sum(1, keepdims=True), 1e-7)
    counts = counts_from_probabilities(np.concatenate((probabilities, beyond), 1))
    return CodingTables(np.full(channels, -Z_REACH, np.int32), counts, np.ones(channels, np.bool_))
