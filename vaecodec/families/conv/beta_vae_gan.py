"""beta-vae-gan: a beta-vae whose decoder is also trained against a discriminator. The objective is our own choice.

objective: distortion + β · rate − w · ln D(x̂). The discriminator D is training's alone: the model file has the codec.

The paper names such a model in its references without saying what it minimises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.families.conv.config import AdversarialObjective
from vaecodec.families.conv.record import conv_family

if TYPE_CHECKING:
    from vaecodec.families.conv.model import ConvVAE
    from vaecodec.families.conv.objective_gan import AdversarialTrainable


def trainable(model: ConvVAE, objective: AdversarialObjective, population: int) -> AdversarialTrainable:
    """What the loop trains."""
    from vaecodec.families.conv.objective_gan import AdversarialTrainable

    return AdversarialTrainable(model, objective)


FAMILY = conv_family("beta-vae-gan", AdversarialObjective, trainable)
