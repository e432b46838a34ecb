"""Integer-exact twins of the map networks: symbols (b, n) to a feature map (b, h/2, w/2, c) of 0..255.

grid          symbols ─Dense─> stream ─ExactTrunk─> 0..255 ─Dense─> 0..255 ─> (h/2, w/2, c)
half-planes   symbols ─Dense─> stream ─ExactTrunk─> 0..255 ─Dense─> A, B, C ─┬─> A·r + B·c + C' ─> 0..255 ─Dense─>
                 └────────────Dense───────────> r0, c0 ─ C' = C - A·r0 - B·c0 ┘    at every position
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.families.lossless.config import LATENT_SCALE
from vaecodec.families.lossless.map import GridMap
from vaecodec.layers.calibration import tops_of_channels
from vaecodec.layers.exact.dense import ACTIVATION_TOP, FIRST_WEIGHT_LIMIT, ExactDense
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.residual import STREAM_TOP, ExactTrunk, exact_layer
from vaecodec.layers.exact.synthesis import SymbolRange
from vaecodec.layers.residual import ResidualBlock, ResidualMLP


class SymbolsToHidden(nn.Module):
    """What both maps begin with: symbols (b, n) to the activations behind the blocks of an MLP.

    meaning: of the symbols. symbols: a sample.
    """

    limit: Tensor

    @torch.no_grad()
    def __init__(self, layers: ResidualMLP, meaning: SymbolRange, symbols: Float[Tensor, "b n"]) -> None:
        super().__init__()
        self.register_buffer("limit", meaning.limit.float(), persistent=False)
        sample = layers.enter(meaning.dequantise(symbols) / LATENT_SCALE)
        self.trunk = ExactTrunk(cast("list[ResidualBlock]", list(layers.blocks)), sample)
        self.enter = symbols_layer(layers.enter, meaning, self.trunk.stream_unit, STREAM_TOP)

    def forward(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b u"]:
        active: Tensor = self.trunk(self.enter(symbols.clamp(-self.limit, self.limit)))
        return active

    def begin(self) -> ExactGraph:
        """A graph whose inputs are the symbols."""
        limit = self.limit.numpy().astype(np.int32)
        return ExactGraph(-limit, limit)

    def build(self, graph: ExactGraph, symbols: int) -> int:
        """Add the operations."""
        return self.trunk.build(graph, graph.exact_dense(self.enter, symbols))


def symbols_layer(layer: nn.Linear, meaning: SymbolRange, unit: Float[Tensor, " out"], top: int) -> ExactDense:
    """A layer of latents / LATENT_SCALE as one of symbols: they are small, so that weights may be wide."""
    weight = layer.weight / LATENT_SCALE
    bias = layer.bias + weight @ meaning.center
    weight = (weight * meaning.step)[:, meaning.active]
    reach = meaning.limit.float()
    return ExactDense(weight / unit[:, None], bias / unit, reach, low=-top, high=top, weight_limit=FIRST_WEIGHT_LIMIT)


class ExactGridMap(nn.Module):
    """The twin of GridMap. unit (c,): what one unit of the map is worth."""

    unit: Tensor

    @torch.no_grad()
    def __init__(self, grid: GridMap, meaning: SymbolRange, symbols: Float[Tensor, "b n"]) -> None:
        super().__init__()
        self.shape = grid.shape
        self.hidden = SymbolsToHidden(grid.layers, meaning, symbols)
        sample = grid(meaning.dequantise(symbols)).permute(0, 2, 3, 1)
        self.register_buffer("unit", tops_of_channels(sample) / ACTIVATION_TOP)
        leave, height, width = grid.layers.leave, *self.shape[:2]
        self.leave = exact_layer(
            leave.weight, leave.bias, self.hidden.trunk.relu.unit, self.unit.repeat(height * width), 0, ACTIVATION_TOP
        )

    def forward(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b h w c"]:
        flat: Tensor = self.leave(self.hidden(symbols))
        return flat.view(-1, *self.shape)

    def to_network(self) -> ExactNetwork:
        """Raises NotExact."""
        graph = self.hidden.begin()
        flat = graph.exact_dense(self.leave, self.hidden.build(graph, graph.input))
        graph.reshape(flat, *self.shape[:2])
        return graph.network()
