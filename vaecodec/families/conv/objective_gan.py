"""The objective of beta-vae-gan: distortion + β · rate − w · ln D(x̂), and the discriminator's own against it.

    1. model:          distortion + β · rate − w · ln D(x̂), D as it is           (this module's forward)
    2. discriminator:  −ln D(x) − ln(1 − D(x̂)), x̂ as it is                        (Contest)

    x, x̂ (b, h, w) ─patch─ conv 4×4/2 ─LeakyReLU─ … ─> one logit (b,): is it an image of the data?   (Discriminator)

Our own choice: a beta-vae (Higgins et al. 2017) with the non-saturating loss of Goodfellow et al. 2014. Each step of
training takes both turns, each with its own Adam.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from vaecodec.families.conv.config import AdversarialObjective
from vaecodec.families.conv.model import ConvVAE
from vaecodec.layers.sizes import ConvSizes
from vaecodec.recipes.objective import Losses, SecondTurn, Trainable, distortion_nats

SLOPE = 0.2  # of the leaky ReLUs: the generator needs a gradient where the discriminator is sure
MOMENTS = (0.5, 0.999)  # Radford et al. 2016: less momentum than Adam's own keeps the two from chasing each other


@dataclass(frozen=True, slots=True)
class AdversarialLosses(Losses):
    """decoded: x̂ of the batch, in 0..1, without gradients: what the discriminator is shown."""

    decoded: Tensor


class Discriminator(nn.Module):
    """As wide as the encoder; spectral norms of 1 keep its slope, and so the generator's gradient, bounded.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks".
    """

    def __init__(self, config: ConvSizes) -> None:
        super().__init__()
        widths = [config.patch**2, *config.channels]
        layers: list[nn.Module] = [nn.PixelUnshuffle(config.patch)]
        for before, after in itertools.pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1)), nn.LeakyReLU(SLOPE)]
        channels, height, width = config.feature_shape
        layers += [nn.Flatten(), spectral_norm(nn.Linear(channels * height * width, 1))]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, " b"]:
        logits: Tensor = self.layers(x[:, None] - 0.5)
        return logits[:, 0]


class AdversarialTrainable(Trainable):
    """The model's turn; `discriminator` is updated by the other one."""

    config: AdversarialObjective

    def __init__(self, model: ConvVAE, config: AdversarialObjective) -> None:
        super().__init__(model, config)
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

    def second_turn(self, accelerator: Accelerator) -> DiscriminatorTurn:
        return DiscriminatorTurn(self.discriminator, self.config.discriminator_learning_rate, accelerator)

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


class DiscriminatorTurn(SecondTurn):
    """The second half of each step: the discriminator learns to tell images from what the model makes of them."""

    def __init__(self, discriminator: Discriminator, highest_learning_rate: float, accelerator: Accelerator) -> None:
        contest = Contest(discriminator)
        self.highest_learning_rate = highest_learning_rate
        optimiser = torch.optim.Adam(contest.parameters(), lr=highest_learning_rate, betas=MOMENTS)
        self._accelerator = accelerator
        self._contest, self.optimiser = accelerator.prepare(contest, optimiser)

    def step(self, x: Float[Tensor, "b h w"], losses: Losses, learning_rate: float) -> None:
        """One update. x, losses: the batch's images and what the model's turn gave."""
        assert isinstance(losses, AdversarialLosses)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        with self._accelerator.autocast():
            loss = self._contest(x, losses.decoded)
        self.optimiser.zero_grad()
        self._accelerator.backward(loss)
        self.optimiser.step()
