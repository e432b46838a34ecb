"""FactorizedPrior: the learned density of what is coded, one channel for each latent.

The density is compressai's EntropyBottleneck (Ballé et al. 2018, appendix 6.1). It is used in training and for making
integer tables at export; it never codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

if TYPE_CHECKING:
    from compressai.entropy_models import EntropyBottleneck

SMALLEST_LIKELIHOOD = 1e-9  # what a symbol that the density finds impossible costs in training: 30 bits


class FactorizedPrior(nn.Module):
    """P(symbol) of n latents with unit steps: the density's mass over [y - 1/2, y + 1/2]."""

    def __init__(self, latents: int, *, init_scale: float = 10.0) -> None:
        super().__init__()
        from compressai.entropy_models import EntropyBottleneck  # 5 s to import: only where a prior is trained

        self.bottleneck: EntropyBottleneck = EntropyBottleneck(latents, init_scale=init_scale)
        del self.bottleneck.quantiles  # the auxiliary quantiles serve compressai's own coder alone
        self.bottleneck.register_buffer("quantiles", torch.zeros(latents, 1, 3), persistent=False)

    def likelihood(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """Mass of the unit interval around y."""
        mass, _, _ = self.bottleneck._likelihood(y.T[:, None])
        likelihood: Tensor = mass[:, 0].T.clamp_min(SMALLEST_LIKELIHOOD)
        return likelihood

    def rate_nats(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """-ln P of each latent: the information content that its symbol will cost."""
        return -self.likelihood(y).log()

    def start_from(self, location: Float[Tensor, " n"], spread: Float[Tensor, " n"]) -> None:
        """Shift and stretch the fresh density to the data's median and spread, so that training starts close."""
        with torch.no_grad():
            first, bias = self.bottleneck.matrices[0], self.bottleneck.biases[0]
            stretch = (self.bottleneck.init_scale / spread.clamp_min(0.1)).to(first.dtype)[:, None, None]
            slope = nn.functional.softplus(first) * stretch
            first.copy_(slope + torch.log(-torch.expm1(-slope)))  # the inverse of softplus
            bias.sub_(slope * location[:, None, None])

    @torch.no_grad()
    def probabilities(self, lowest: int, highest: int) -> Float[Tensor, "n a"]:
        """P of the symbols lowest..highest, float64."""
        doubled = self.bottleneck.double()
        grid = torch.arange(lowest, highest + 1, dtype=torch.float64).expand(doubled.channels, 1, -1)
        lower, upper = (doubled._logits_cumulative(grid + half, stop_gradient=True) for half in (-0.5, 0.5))
        sign = -torch.sign(lower + upper)  # take the difference on the tail's side, where it does not cancel
        mass = (torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower)).abs()
        self.bottleneck.float()
        return mass[:, 0].clamp_min(0.0)
