"""beta-vae-gan: a beta-vae whose decoder is also trained against a discriminator. The objective is our own choice.

objective: distortion + β · rate − w · ln D(x̂). The discriminator D is training's alone: the model file has the codec.

The paper names such a model in its references without saying what it minimises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaecodec.families.conv.record import conv_family
from vaecodec.recipes.checks import at_least
from vaecodec.recipes.objective_config import ObjectiveConfig

if TYPE_CHECKING:
    from vaecodec.families.conv.model import ConvVAE
    from vaecodec.families.conv.objective_gan import AdversarialTrainable


@dataclass(frozen=True, slots=True)
class AdversarialObjective(ObjectiveConfig):
    """distortion + β · rate − adversarial_weight · ln D(x̂), in nats; D has an Adam of its own."""

    adversarial_weight: float = 10.0
    discriminator_learning_rate: float = 2e-4

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        at_least("adversarial_weight", self.adversarial_weight, 0.0)
        at_least("discriminator_learning_rate", self.discriminator_learning_rate, 0.0)


def trainable(model: ConvVAE, objective: AdversarialObjective, population: int) -> AdversarialTrainable:
    """What the loop trains."""
    from vaecodec.families.conv.objective_gan import AdversarialTrainable

    return AdversarialTrainable(model, objective)


FAMILY = conv_family("beta-vae-gan", AdversarialObjective, trainable)
