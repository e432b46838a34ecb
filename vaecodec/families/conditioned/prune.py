"""Cutting hidden units that do next to nothing, before the exact twin is made: whole rows of two matrices each.

sample ──blocks──> energy of what each hidden unit adds to the stream ──the least, up to a share──> smaller blocks

Structured pruning by magnitude (Li et al. 2017, "Pruning filters for efficient ConvNets"), with what a unit adds on
images in the place of its weights. ReLU units that no image wakes add nothing; mnist-flagship-4 has 151 of 768.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vaecodec.families.conditioned.model import ConditionedSynthesis, LevelBlock


@torch.no_grad()
def prune_hidden(
    synthesis: ConditionedSynthesis,
    symbols: Float[Tensor, "b n"],
    level: Int[Tensor, " b"],
    weight: Float[Tensor, " b"],
    share: float,
) -> None:
    """Cut from each block the hidden units that add least, together at most `share` of the energy all of them add.

    symbols, level: a sample; weight: what each of it counts. At least one unit of a block stays.
    """
    h = synthesis.enter((symbols * synthesis.gain(level))[:, : synthesis.config.deep])
    for block in synthesis.blocks:
        assert isinstance(block, LevelBlock)
        after = block(h, level)
        active = block.inner((h * block.gain(level) + block.offset(level)).relu()).relu()
        energy = (weight[:, None] * active.square()).mean(dim=0) * block.outer.weight.square().sum(dim=0)
        _keep(block, _needed(energy, share))
        h = after


def _needed(energy: Float[Tensor, " u"], share: float) -> Bool[Tensor, " u"]:
    """False for the smallest, as long as their sum stays within `share` of the whole; never for the largest."""
    order = energy.double().argsort()
    needed = torch.empty(len(energy), dtype=torch.bool)
    needed[order] = energy.double()[order].cumsum(0) > share * energy.double().sum()
    needed[order[-1]] = True
    return needed


def _keep(block: LevelBlock, needed: Bool[Tensor, " u"]) -> None:
    inner, outer, count = block.inner, block.outer, int(needed.sum())
    block.inner, block.outer = nn.Linear(inner.in_features, count), nn.Linear(count, outer.out_features)
    block.inner.weight.copy_(inner.weight[needed])
    block.inner.bias.copy_(inner.bias[needed])
    block.outer.weight.copy_(outer.weight[:, needed])
    block.outer.bias.copy_(outer.bias)
