"""Training of a conditioned-vae: each image of a batch at a level of its own.

    objective: mean over images of rate + distortion / β(level)

Divided by β the two ends of the curve weigh alike; the minimum at each level is that of distortion + β · rate.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.models.conditioned import ConditionedVAE
from vaecodec.training.config import ObjectiveConfig
from vaecodec.training.objective import Losses, distortion_nats


class ConditionedTrainable(nn.Module):
    """What one step of training updates; called as vaecodec.training.objective.Trainable is."""

    def __init__(self, model: ConditionedVAE, config: ObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1; `beta` scales the rate of all levels (warm-up)."""
        levels = self.model.config.levels
        level = torch.randint(levels, (len(x),), generator=rng, device=x.device)
        latents = self.model.analyse(x, level)
        y = latents + torch.empty_like(latents).uniform_(-0.5, 0.5, generator=rng)
        rate = self.model.prior.rate_nats(y, level).sum(dim=1)
        distortion = distortion_nats(self.model.synthesise(y, level), x, self.config)
        objective = (beta * rate + distortion / self.model.betas[level]).mean()
        return Losses(distortion.mean().detach(), rate.mean().detach(), objective)
