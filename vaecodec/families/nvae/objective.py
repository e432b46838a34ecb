"""The objective of an nvae: distortion + β · Σ β_s · rate of scale s + λ · Σ spectral norms.

While β still rises (warm-up), each group's rate is weighed by γ ∝ rate / latents of the group, the mean of all γ being
1 (Vahdat & Kautz 2020, appendix A; the size divides, as their published program has it): a group that is hardly used
pays little, so that it comes into use, and none is left to the others.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.families.nvae.config import NVAEObjective, check_scale_betas
from vaecodec.families.nvae.model import NVAE
from vaecodec.families.nvae.spectral import SpectralNorms
from vaecodec.recipes.objective import Losses, Trainable, distortion_nats

LEAST_RATE_NATS = 0.01  # a group that carries nothing yet still pays something


class NVAETrainable(Trainable):
    """An nvae with its own priors; of its parent it keeps what is said of quantised latents."""

    config: NVAEObjective
    model: NVAE

    def __init__(self, model: NVAE, config: NVAEObjective) -> None:
        torch.nn.Module.__init__(self)  # the priors are the model's: there is no rate of Trainable's kind
        check_scale_betas(model.config, config)
        self.model = model
        self.config = config
        self.norms = SpectralNorms(model)

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1; beta: the weight of the rate, which may still be rising."""
        walk = self.model.walk(x, lambda mean: mean + torch.empty_like(mean).uniform_(-0.5, 0.5, generator=rng))
        distortion = distortion_nats(walk.logits, x, self.config).mean()
        sizes = list(self.model.config.group_sizes)
        groups = torch.stack([part.sum(dim=1).mean() for part in torch.split(walk.rate_nats, sizes, dim=1)])
        weights = self._scale_weights(groups)
        if beta < self.config.beta:
            weights = weights * balance(groups.detach(), sizes)
        objective = distortion + beta * (weights * groups).sum()
        if self.training and self.config.spectral_weight:
            objective = objective + self.config.spectral_weight * self.norms()
        return Losses(distortion.detach(), groups.sum().detach(), objective)

    def _scale_weights(self, groups: Float[Tensor, " g"]) -> Float[Tensor, " g"]:
        betas = self.config.scale_betas or (1.0,) * self.model.config.scales
        return groups.new_tensor([betas[scale] for scale in self.model.config.group_scales])


def balance(rates: Float[Tensor, " g"], sizes: list[int]) -> Float[Tensor, " g"]:
    """γ of each group."""
    each = (rates + LEAST_RATE_NATS) / rates.new_tensor(sizes)
    return each / each.mean()
