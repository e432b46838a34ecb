"""Cutting the units of a residual network that hardly any image wakes: what it computes of the others stays the same.

inputs ──enter──> h ──relu, inner, relu, outer──(+)──> … ──relu──> leave
                  a unit of h that is never above 0 where it is read, and a hidden one that never is, add nothing
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from vaecodec.layers.residual import RECTIFIED, ResidualBlock, ResidualMLP

Kept = Bool[Tensor, " _"]  # of any number of units


@torch.no_grad()
def cut_dead_units(network: ResidualMLP, batches: Iterable[Float[Tensor, "b i"]], share: float = 0.0) -> ResidualMLP:
    """The network without the units that at most `share` of the inputs wake; one at least stays in each place.

    batches: of inputs, a thousand at once or so, since they are held in memory. Of inputs that wake none of those it
    computes the same. Raises ValueError for a network that reads its stream normalised, where every unit counts.
    """
    if network.reading is not RECTIFIED:
        raise ValueError("a network that reads its stream normalised has no units without effect")
    blocks = [block for block in network.blocks if isinstance(block, ResidualBlock)]
    stream = torch.zeros(len(blocks) + 1, network.enter.out_features)  # rows that wake a unit, at each reading
    hidden = [torch.zeros(block.inner.out_features) for block in blocks]
    inputs = 0
    for rows in batches:
        inputs += len(rows)
        h = network.enter(rows)
        for k, block in enumerate(blocks):
            stream[k] += (h > 0).sum(dim=0)
            hidden[k] += (block.inner(h.relu()) > 0).sum(dim=0)
            h = block(h)
        stream[-1] += (h > 0).sum(dim=0)
    most = share * inputs
    return _restricted(network, blocks, _above(stream.amax(dim=0), most), [_above(count, most) for count in hidden])


def _above(count: Float[Tensor, " u"], most: float) -> Kept:
    kept = count > most
    kept[count.argmax()] = True
    return kept


def _restricted(network: ResidualMLP, blocks: list[ResidualBlock], stream: Kept, hidden: list[Kept]) -> ResidualMLP:
    inputs, units, outputs = network.enter.in_features, int(stream.sum()), network.leave.out_features
    small = ResidualMLP(inputs, units, 0, outputs)
    _copy(small.enter, network.enter, stream, torch.ones(inputs, dtype=torch.bool))
    _copy(small.leave, network.leave, torch.ones(outputs, dtype=torch.bool), stream)
    for block, kept in zip(blocks, hidden, strict=True):
        cut = ResidualBlock(units, int(kept.sum()))
        _copy(cut.inner, block.inner, kept, stream)
        _copy(cut.outer, block.outer, stream, kept)
        small.blocks.append(cut)
    return small


def _copy(to: nn.Linear, of: nn.Linear, rows: Kept, columns: Kept) -> None:
    to.weight.copy_(of.weight[rows][:, columns])
    to.bias.copy_(of.bias[rows])
