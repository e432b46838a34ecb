"""The objective: distortion + β · rate, in nats an image; the families that minimise something else derive from it.

TrainingStep is what the loop knows of any family's training, Trainable the step of a VAE:

x ──analyse──> posterior ──sample──> y ──synthesise──> logits
                   └────── rate ──┘                       └── distortion against x
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.layers.base import VAE, Posterior
from vaecodec.layers.priors import FactorizedPrior
from vaecodec.recipes.objective_config import ObjectiveConfig

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass(frozen=True, slots=True)
class Losses:
    """Means over a batch, nats an image, and the objective that is minimised."""

    distortion_nats: Tensor
    rate_nats: Tensor
    objective_nats: Tensor


@dataclass(frozen=True, slots=True)
class Reached:
    """A point of the curve, as training sees it: nats of a file's symbols; mean squared error, squared grey levels."""

    rate_nats: float
    mse: float


class Rate(nn.Module, ABC):
    """How latents are sampled in training, and what the samples cost."""

    @abstractmethod
    def sample(self, posterior: Posterior, rng: torch.Generator) -> tuple[Float[Tensor, "b n"], Float[Tensor, "b m"]]:
        """(y, rate in nats of each latent, or of all together)."""


class GaussianKL(Rate):
    """The paper's: y ~ q(y|x), rate KL(q(y|x) ‖ N(0, 1))."""

    def sample(self, posterior: Posterior, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return posterior.sample(rng), posterior.kl_nats()


class UniformNoise(Rate):
    """Ballé et al. 2017: y = mean + U(-½, ½), rate -ln P under the learned prior; the quantizer's step is 1."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.prior = FactorizedPrior(latents)

    def sample(self, posterior: Posterior, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        y = posterior.mean + torch.empty_like(posterior.mean).uniform_(-0.5, 0.5, generator=rng)
        return y, self.prior.rate_nats(y)


def make_rate(config: ObjectiveConfig, latents: int) -> Rate:
    """The rate that the config names."""
    return GaussianKL() if config.rate == "gaussian-kl" else UniformNoise(latents)


def distortion_nats(
    logits: Float[Tensor, "b ..."], x: Float[Tensor, "b ..."], config: ObjectiveConfig
) -> Float[Tensor, " b"]:
    """-log p(x|y) up to a constant, summed over the pixels and their channels."""
    inner = tuple(range(1, x.ndim))
    if config.likelihood == "bernoulli":
        return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=inner)
    return (logits.sigmoid() - x).square().sum(dim=inner) / (2 * config.pixel_sigma**2)


class SecondTurn(ABC):
    """What a step of training does after the model's own update: another network learns, with its own optimiser."""

    highest_learning_rate: float
    optimiser: Any

    @abstractmethod
    def step(self, x: Float[Tensor, "b h w"], losses: Losses, learning_rate: float) -> None:
        """One update. x, losses: the batch's images in 0..1, and what the model's turn gave."""


class TrainingStep(nn.Module, ABC):
    """Everything with parameters that one step of training updates together; `model` becomes the model file."""

    model: Any
    config: ObjectiveConfig

    @abstractmethod
    def forward(self, x: Float[Tensor, "b ..."], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1; beta: the weight of the rate, which may still be rising."""

    def begin(self, images: npt.NDArray[np.uint8]) -> None:
        """What becomes of fresh weights before the first step, given the training images (N, h, w[, 3]): nothing."""

    def enter(self, step: int) -> int:
        """Called before each step, for a training in stages; the step since which the learning rate warms up."""
        return 0

    def reached(self, x: Float[Tensor, "b ..."]) -> tuple[Reached, ...]:
        """What images in 0..1 would take and lose now, coarsest first; () where a family cannot tell before its end."""
        return ()

    def learned(self) -> Iterator[nn.Parameter]:
        """The parameters that the first optimiser updates."""
        return self.parameters()

    def second_turn(self, accelerator: Accelerator) -> SecondTurn | None:
        """The other half of each step, where there is one. accelerator: prepares what is trained there."""
        return None


class Trainable(TrainingStep):
    """A VAE and its rate."""

    model: VAE
    rate: Rate

    def __init__(self, model: VAE, config: ObjectiveConfig) -> None:
        super().__init__()
        self.model = model
        self.rate = make_rate(config, model.config.latents)
        self.config = config

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        """Losses of one batch of images in 0..1; beta: the weight of the rate, which may still be rising."""
        y, rate = self.rate.sample(self.model.analyse(x), rng)
        distortion = distortion_nats(self.model.synthesise(y), x, self.config).mean()
        rate_total = rate.sum(dim=1)
        return Losses(distortion.detach(), rate_total.mean().detach(), distortion + self.weigh(rate_total, beta))

    def weigh(self, rate_nats: Float[Tensor, " b"], beta: float) -> Tensor:
        """What the rates of a batch's images add to the objective (Higgins et al. 2017, eq. 4)."""
        return beta * rate_nats.mean()

    def judge(self, distortion_nats: float, rate_nats: float, coded_latents: int) -> float:
        """The objective of a quantizer, by which its step is chosen: distortion and rate as files have them."""
        return distortion_nats + self.config.beta * rate_nats

    def goal(self, x: Float[Tensor, "b h w"], y_hat: Float[Tensor, "b m"]) -> Float[Tensor, "b h w"]:
        """The images that the integer-exact synthesis is fine-tuned to give for the quantised latents of x."""
        return x
