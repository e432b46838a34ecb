"""ObjectiveConfig: the table [objective], as every family's objective is told it; some add numbers of their own.

Objectives that have a Gaussian posterior always, or weigh the rate otherwise than by β, say so by the checks below.
"""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.errors import ConfigError
from vaecodec.recipes.checks import at_least, one_of

LIKELIHOODS = ("bernoulli", "gaussian")
RATES = ("gaussian-kl", "uniform-noise")


@dataclass(frozen=True, slots=True)
class ObjectiveConfig:
    """distortion + β · rate, nats an image, summed over pixels and latents.

    likelihood: "bernoulli" (cross-entropy) or "gaussian" (squared error / (2·pixel_sigma²), pixels in 0..1).
    rate: "gaussian-kl" (KL to N(0, 1), the paper's) or "uniform-noise" (the learned prior's information content of
    y + U(-½, ½)). β means nothing without these two. warmup_steps: in which the rate's weight rises from 0.
    anneal_from, anneal_steps: β goes from the one to `beta`, geometrically, in so many steps; 0: it is constant.
    """

    beta: float = 1.0
    likelihood: str = "bernoulli"
    pixel_sigma: float = 0.1
    rate: str = "gaussian-kl"
    warmup_steps: int = 0
    anneal_from: float = 0.0
    anneal_steps: int = 0

    def __post_init__(self) -> None:
        one_of("likelihood", self.likelihood, LIKELIHOODS)
        one_of("rate", self.rate, RATES)
        at_least("beta", self.beta, 0.0)
        at_least("pixel_sigma", self.pixel_sigma, 1e-4)
        at_least("warmup_steps", self.warmup_steps, 0)
        at_least("anneal_from", self.anneal_from, 0.0)
        at_least("anneal_steps", self.anneal_steps, 0)
        if self.anneal_steps and not (self.anneal_from and self.beta):
            raise ConfigError("anneal_steps: β goes geometrically, so neither anneal_from nor beta may be 0")


def has_gaussian_posterior(objective: ObjectiveConfig, family: str) -> None:
    """Raise ConfigError where the learned prior's nats are to be the rate: they take y + U(-½, ½)."""
    if objective.rate != "gaussian-kl":
        raise ConfigError(f"rate: {family} has a Gaussian posterior, so it must be gaussian-kl")


def rounds_its_latents(objective: ObjectiveConfig, family: str) -> None:
    """Raise ConfigError where the rate is to be the KL of a Gaussian: latents are trained in the quantizer's steps."""
    if objective.rate != "uniform-noise":
        raise ConfigError(f"rate: {family} has latents in steps of a quantizer: it must be uniform-noise")


def beta_is_one(objective: ObjectiveConfig, family: str) -> None:
    """Raise ConfigError where β is another."""
    if objective.beta != 1:
        raise ConfigError(f"beta: {family} weighs its rate otherwise, so it must be 1, found {objective.beta:g}")
