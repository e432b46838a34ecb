"""HFVAEConfig, HFVAEObjective: the sizes of an hfvae and the weights of its rate's parts."""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.errors import ConfigError
from vaecodec.recipes.checks import at_least
from vaecodec.recipes.objective_config import ObjectiveConfig, beta_is_one, has_gaussian_posterior
from vaecodec.recipes.sizes import ModelConfig

HFVAE_FAMILY = "hfvae"
MAX_CATEGORIES = 256
MAX_JOINT = 3  # latents in a jointly coded group: a table has 4,096 columns at most, so 15 values for each of three


@dataclass(frozen=True, slots=True)
class HFVAEConfig(ModelConfig):
    """One category beside groups of continuous latents.

    categories: of the one discrete latent. groups: sizes of the continuous groups, which add up to `latents`; empty
    means one group. joint: code each group with one table over its cells, not with a table for each latent. Raises
    ConfigError.
    """

    categories: int = 10
    groups: tuple[int, ...] = ()
    joint: bool = False

    def __post_init__(self) -> None:
        ModelConfig.__post_init__(self)
        if not 2 <= self.categories <= MAX_CATEGORIES:
            raise ConfigError(f"categories: expected 2..{MAX_CATEGORIES}, found {self.categories}")
        if min(self.group_sizes) < 1 or sum(self.group_sizes) != self.latents:
            raise ConfigError(f"groups {self.groups}: expected positive sizes that add up to {self.latents} latents")
        if self.joint and max(self.group_sizes) > MAX_JOINT:
            raise ConfigError(f"groups {self.groups}: a joint table takes groups of at most {MAX_JOINT} latents")

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Sizes of the continuous groups."""
        return self.groups or (self.latents,)

    def plain(self, latents: int) -> ModelConfig:
        """The sizes of a plain convolutional network with so many latents."""
        return ModelConfig(self.height, self.width, latents, self.channels, self.hidden, self.patch)


@dataclass(frozen=True, slots=True)
class HFVAEObjective(ObjectiveConfig):
    """Weights of the four terms of the rate (Esmaeili et al. 2019, section 3); all of them 1 is the ELBO.

    information: of I(x; y). dimension: of Σ KL(q(y_d) ‖ p(y_d)). within: of the total correlation within the groups.
    between: of the total correlation between them. temperature: of the Concrete category in training.
    """

    information: float = 1.0
    dimension: float = 1.0
    within: float = 1.0
    between: float = 1.0
    temperature: float = 0.66

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        has_gaussian_posterior(self, HFVAE_FAMILY)
        beta_is_one(self, HFVAE_FAMILY)
        for name in ("information", "dimension", "within", "between"):
            at_least(name, getattr(self, name), 0.0)
        at_least("temperature", self.temperature, 1e-3)
