"""What tells the coder a group's prior: a small network of the symbols before, float to begin with, then integer-exact.

symbols of the groups before (b, p) ─Linear─ residual blocks ─Linear─> mean (b, n), ln σ (b, n) of the group's symbols
ExactPrior: the same on whole numbers ─────────────────────────────────> mean in sixteenths, number of a scale

The trunk of the nvae knows these priors as well, but in float, and a coder's must be the same on every machine.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.entropy.tables import counts_from_probabilities
from vaecodec.exact.network import ExactNetwork
from vaecodec.families.nvae.config import NVAEConfig
from vaecodec.families.nvae.gaussian_prior import MOST_SCALE, rate_nats
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.exact.residual import exact_layer
from vaecodec.layers.exact.symbols import SymbolRange, SymbolsToHidden
from vaecodec.layers.residual import ResidualMLP

LEAST_SCALE = 0.08  # of the tables: what is coded is whole, and below this certain already
SCALES = 48  # σ, geometric: neighbours differ by a tenth, which costs less than 0.002 bit
FRACTIONS = 16  # of a symbol's step, in which means are told
REACH = 32  # symbols on either side of the mean that have a column: 3.2 of the largest σ, the rest escapes
INDEX_TOP = 4095  # of what a network gives: means of ±255 steps
SCALE_STEP = math.log(MOST_SCALE / LEAST_SCALE) / (SCALES - 1)


class PriorNetwork(nn.Module):
    """Of one group of n symbols behind p others."""

    def __init__(self, config: NVAEConfig, before: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.layers = ResidualMLP(before, config.prior_units, config.prior_blocks, 2 * size)

    def forward(self, before: Float[Tensor, "b p"]) -> tuple[Tensor, Tensor]:
        """Mean and ln σ, (b, n) each, in steps."""
        mean, log_scale = self.layers(before / LATENT_SCALE).chunk(2, dim=1)
        return LATENT_SCALE * mean, log_scale.clamp(math.log(LEAST_SCALE), math.log(MOST_SCALE))

    def nats(self, before: Float[Tensor, "b p"], symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """-ln P of the group's symbols."""
        return rate_nats(symbols, *self(before))


class ExactPrior(nn.Module):
    """The twin of a PriorNetwork. limit (p,): of the symbols before; sample (b, p) of them, for calibration."""

    @torch.no_grad()
    def __init__(self, network: PriorNetwork, limit: Float[Tensor, " p"], sample: Float[Tensor, "b p"]) -> None:
        super().__init__()
        count, self.size = len(limit), network.size
        meaning = SymbolRange(torch.zeros(count), torch.ones(count), torch.arange(count), limit)
        self.hidden = SymbolsToHidden(network.layers, meaning, sample)
        leave, size = network.layers.leave, self.size
        weight, bias = leave.weight.clone(), leave.bias.clone()
        weight[:size] *= LATENT_SCALE
        bias[:size] *= LATENT_SCALE
        bias[size:] -= math.log(LEAST_SCALE)
        units = torch.tensor([1 / FRACTIONS, SCALE_STEP]).repeat_interleave(size)
        self.leave = exact_layer(weight, bias, self.hidden.trunk.relu.unit, units, -INDEX_TOP, INDEX_TOP)

    def forward(self, before: Float[Tensor, "b p"]) -> tuple[Tensor, Tensor]:
        """Means in sixteenths and numbers of scales, (b, n) each, whole numbers."""
        means, scales = self.leave(self.hidden(before)).chunk(2, dim=1)
        return means, scales.clamp(0, SCALES - 1)

    def nats(self, before: Float[Tensor, "b p"], symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """-ln P of the group's symbols, as the tables have it."""
        means, scales = self(before)
        return rate_nats(symbols, means / FRACTIONS, scales * SCALE_STEP + math.log(LEAST_SCALE))

    def to_network(self) -> ExactNetwork:
        """Result: the means, then the numbers of scales, not clamped yet. Raises NotExact."""
        graph = self.hidden.begin()
        graph.exact_dense(self.leave, self.hidden.build(graph, graph.input))
        return graph.network()


def shape_counts() -> npt.NDArray[np.uint32]:
    """Counts (SCALES, FRACTIONS, 2·REACH + 2): of the symbols -REACH … REACH and the rest, for a mean of f / FRACTIONS.

    A Gaussian convolved with the unit uniform: the mass of each unit interval.
    """
    scale = LEAST_SCALE * torch.exp(SCALE_STEP * torch.arange(SCALES, dtype=torch.float64))
    mean = torch.arange(FRACTIONS, dtype=torch.float64) / FRACTIONS
    edges = torch.arange(-REACH, REACH + 2, dtype=torch.float64) - 0.5
    places = (edges - mean[:, None]) / scale[:, None, None]
    # The difference of what lies nearer to the tail keeps its digits.
    below, above = torch.special.ndtr(places), torch.special.ndtr(-places)
    mass = torch.where(places[..., :-1] > 0, above[..., :-1] - above[..., 1:], below[..., 1:] - below[..., :-1])
    rest = below[..., :1] + above[..., -1:]
    return counts_from_probabilities(torch.cat([mass, rest], dim=-1).numpy())
