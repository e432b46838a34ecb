"""The objective of beta-vae-gan: distortion + β · rate − w · ln D(x̂), and the discriminator's own against it.

    1. model:          distortion + β · rate − w · ln D(x̂), D as it is           (this module's forward)
    2. discriminator:  −ln D(x) − ln(1 − D(x̂)), x̂ as it is                        (Contest)

Our own choice: a beta-vae (Higgins et al. 2017) with the non-saturating loss of Goodfellow et al. 2014. Each step of
training takes both turns, each with its own Adam.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from vaecodec.families.conv.beta_vae_gan import Discriminator
from vaecodec.layers.base import VAE
from vaecodec.recipes.objective import Losses, Trainable, distortion_nats
from vaecodec.recipes.objective_config import AdversarialObjective
from vaecodec.recipes.sizes import ModelConfig


@dataclass(frozen=True, slots=True)
class AdversarialLosses(Losses):
    """decoded: x̂ of the batch, in 0..1, without gradients: what the discriminator is shown."""

    decoded: Tensor


class AdversarialTrainable(Trainable):
    """The model's turn; `discriminator` is updated by the other one."""

    config: AdversarialObjective

    def __init__(self, model: VAE, config: AdversarialObjective) -> None:
        super().__init__(model, config)
        assert isinstance(model.config, ModelConfig)
        self.discriminator = Discriminator(model.config)

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> AdversarialLosses:
        y, rate = self.rate.sample(self.model.analyse(x), rng)
        logits = self.model.synthesise(y)
        distortion = distortion_nats(logits, x, self.config).mean()
        rate_total = rate.sum(dim=1)
        decoded = logits.sigmoid()
        fooled = F.softplus(-self._verdict(decoded)).mean()  # -ln D(x̂)
        objective = distortion + self.weigh(rate_total, beta) + self.config.adversarial_weight * fooled
        return AdversarialLosses(distortion.detach(), rate_total.mean().detach(), objective, decoded.detach())

    def goal(self, x: Float[Tensor, "b h w"], y_hat: Float[Tensor, "b m"]) -> Float[Tensor, "b h w"]:
        """What the float synthesis gives: the distortion to x alone would blur it again."""
        return self.model.synthesise(y_hat).sigmoid()

    def learned(self) -> Iterator[nn.Parameter]:
        rivals = {id(parameter) for parameter in self.discriminator.parameters()}
        return (parameter for parameter in self.parameters() if id(parameter) not in rivals)

    def _verdict(self, decoded: Float[Tensor, "b h w"]) -> Float[Tensor, " b"]:
        """The discriminator's logits, with gradients to the images and none to its weights."""
        frozen = {name: parameter.detach() for name, parameter in self.discriminator.named_parameters()}
        logits: Tensor = functional_call(self.discriminator, frozen, (decoded,))
        return logits


class Contest(nn.Module):
    """The discriminator's turn."""

    def __init__(self, discriminator: Discriminator) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, x: Float[Tensor, "b h w"], decoded: Float[Tensor, "b h w"]) -> Tensor:
        """−ln D(x) − ln(1 − D(x̂)), the mean over the images."""
        real, made = self.discriminator(torch.cat([x, decoded])).split(len(x))
        return (F.softplus(-real) + F.softplus(made)).mean()
