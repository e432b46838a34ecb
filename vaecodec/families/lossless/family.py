"""The record of lossless-vae: latents, then the pixels given the latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vaecodec.data.image_set import ImageSet
from vaecodec.families.lossless.config import LOSSLESS_FAMILY, LosslessConfig, LosslessFinish, LosslessObjective
from vaecodec.modelfile.model import Model
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.family import Family
from vaecodec.recipes.suggested import geometry_alone, two_valued

if TYPE_CHECKING:
    from vaecodec.families.lossless.model import LosslessVAE
    from vaecodec.families.lossless.objective import LosslessTrainable


def build(sizes: LosslessConfig) -> LosslessVAE:
    """An untrained model."""
    from vaecodec.families.lossless.model import LosslessVAE

    return LosslessVAE(sizes)


def trainable(model: LosslessVAE, objective: LosslessObjective, population: int) -> LosslessTrainable:
    """What the loop trains."""
    from vaecodec.families.lossless.objective import LosslessTrainable

    return LosslessTrainable(model, objective)


def finish(trainable: LosslessTrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content."""
    from vaecodec.families.lossless.finish import finish_lossless

    return finish_lossless(trainable, config, training, validation)


def suggested_sizes(images: ImageSet) -> dict[str, Any]:
    """One bit a pixel where the images are black and white."""
    return {**geometry_alone(images), "bit_depth": 1 if two_valued(images) else 8}


FAMILY = Family(
    name=LOSSLESS_FAMILY,
    sizes=LosslessConfig,
    objective=LosslessObjective,
    build=build,
    trainable=trainable,
    finish=finish,
    finishing=LosslessFinish,
    suggested_sizes=suggested_sizes,
)
