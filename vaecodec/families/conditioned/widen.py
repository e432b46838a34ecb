"""From one level to all: what the middle of the grid has learned is where every other level begins.

    table(middle) ─┬──────────────> gain and offset of each block, at every knot
                   └─ · √(β / β(middle)) ─> step, gain and prior of each latent, as reverse water-filling has them

Levels teach each other little once each has an image encoded its own way: trained at all of them from the start, a
model needs as many images for each as separate models would. Begun from one of them, they share what it has learned.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.families.conditioned.level_prior import MIXTURE
from vaecodec.families.conditioned.levels import LevelTable
from vaecodec.families.conditioned.model import ConditionedSynthesis, ConditionedVAE, LevelBlock

LEAST_LOG_SCALE = -2.5  # a prior that begins narrower never widens: symbols other than 0 have no gradient there


def middle_level(model: ConditionedVAE) -> int:
    """The level that is trained first."""
    return model.config.levels // 2


@torch.no_grad()
def widen(model: ConditionedVAE) -> None:
    """Let every level begin as the middle one is. Latents that it has not opened stay as they began, going straight."""
    synthesis, middle, config = model.synthesis, middle_level(model), model.config
    assert isinstance(synthesis, ConditionedSynthesis)
    first, end = int(model.first[middle]), int(model.opened[middle])
    log_beta = torch.linspace(math.log(config.beta_high), math.log(config.beta_low), config.knots)
    finer = 0.5 * (float(model.betas[middle].log()) - log_beta)[:, None]  # ln of steps(middle) / steps(knot)
    for block in (*model.analysis.blocks, *synthesis.blocks):
        assert isinstance(block, LevelBlock)
        for table in (block.gain, block.offset):
            _set(table, table.table()[min(middle, len(table.basis) - 1)].expand_as(table.knots))  # shared: one level
    _set(model.log_step, model.log_step.table()[middle, first:end] - finer, first)
    _set(synthesis.gain, synthesis.gain.table()[middle, first:end] * (-finer).exp(), first)
    prior, mixed, begin = model.prior, slice(first * MIXTURE, end * MIXTURE), first * MIXTURE
    _set(prior.log_scale, (prior.log_scale.table()[middle, mixed] + finer).clamp_min(LEAST_LOG_SCALE), begin)
    _set(prior.mean, prior.mean.table()[middle, mixed] * finer.exp(), begin)
    _set(prior.weight, prior.weight.table()[middle, mixed].expand(config.knots, -1), begin)
    synthesis.enter.weight[:, end:] = 0


def _set(table: LevelTable, knots: Float[Tensor, "k c"], first: int = 0) -> None:
    """Channels of a table, from `first` on."""
    table.knots[:, first : first + knots.shape[1]] = knots
