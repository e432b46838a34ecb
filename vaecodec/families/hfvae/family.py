"""The record of hfvae (Esmaeili et al. 2019): a category beside groups of latents, a convolutional network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.data.image_set import ImageSet
from vaecodec.families.hfvae.config import HFVAE_FAMILY, HFVAEConfig, HFVAEObjective
from vaecodec.modelfile.model import Model
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.family import Family
from vaecodec.recipes.suggested import conv_sizes, gaussian_objective

if TYPE_CHECKING:
    from vaecodec.families.hfvae.model import HFVAE
    from vaecodec.families.hfvae.objective import HFVAETrainable


def build(sizes: HFVAEConfig) -> HFVAE:
    """An untrained model."""
    from vaecodec.families.hfvae.model import HFVAE

    return HFVAE(sizes)


def trainable(model: HFVAE, objective: HFVAEObjective, population: int) -> HFVAETrainable:
    """What the loop trains; the estimates of the aggregate posterior need the population."""
    from vaecodec.families.hfvae.objective import HFVAETrainable

    return HFVAETrainable(model, objective, population)


def finish(trainable: HFVAETrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content."""
    from vaecodec.families.hfvae.symbol_layout import layout_of
    from vaecodec.recipes.finish import finish

    return finish(trainable, config, training, validation, lambda quantised: layout_of(trainable.structured, quantised))


FAMILY = Family(
    name=HFVAE_FAMILY,
    sizes=HFVAEConfig,
    objective=HFVAEObjective,
    build=build,
    trainable=trainable,
    finish=finish,
    suggested_sizes=conv_sizes,
    suggested_objective=gaussian_objective,
)
