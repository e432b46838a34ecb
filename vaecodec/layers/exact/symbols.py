"""What symbols mean to a network that reads them, and the first layers of exact twins that do.

symbols (b, n) ─SymbolRange.dequantise─> latents                       of the float network, for calibration
symbols ─clamp─ symbols_layer ─> stream ─ExactTrunk─> 0..255           SymbolsToHidden, the twin of an MLP's inside
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.exact.dense import FIRST_WEIGHT_LIMIT, ExactDense
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.residual import STREAM_TOP, ExactTrunk
from vaecodec.layers.residual import ResidualBlock, ResidualMLP


@dataclass(frozen=True, slots=True)
class SymbolRange:
    """What the symbols mean: y = center + step · symbol for `active` latents, the others stay at center.

    center, step (latents,); active: numbers of the n coded latents; limit (n,): larger |symbol| are clamped.
    """

    center: Float[Tensor, " latents"]
    step: Float[Tensor, " latents"]
    active: Tensor
    limit: Tensor

    def dequantise(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b latents"]:
        """Latents of symbols given as floats."""
        y = self.center.expand(len(symbols), -1).clone()
        y[:, self.active] += self.step[self.active] * symbols
        return y


class SymbolsToHidden(nn.Module):
    """Symbols (b, n) to the activations behind the blocks of an MLP.

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
