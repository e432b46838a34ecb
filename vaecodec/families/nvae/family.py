"""The record of nvae (Vahdat & Kautz 2020): groups of latents, coarse to fine, coded one group after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.data.image_set import ImageSet
from vaecodec.families.nvae.config import NVAE_FAMILY, NVAEConfig, NVAEFinish, NVAEObjective, check_scale_betas
from vaecodec.modelfile.model import Model
from vaecodec.recipes.config import OptimiserConfig, TrainingConfig
from vaecodec.recipes.family import Family

if TYPE_CHECKING:
    from vaecodec.families.nvae.model import NVAE
    from vaecodec.families.nvae.objective import NVAETrainable


def build(sizes: NVAEConfig) -> NVAE:
    """An untrained model."""
    from vaecodec.families.nvae.model import NVAE

    return NVAE(sizes)


def trainable(model: NVAE, objective: NVAEObjective, population: int) -> NVAETrainable:
    """What the loop trains."""
    from vaecodec.families.nvae.objective import NVAETrainable

    return NVAETrainable(model, objective)


def finish(trainable: NVAETrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content."""
    from vaecodec.families.nvae.finish import finish_nvae

    return finish_nvae(trainable, config, training, validation)


def agree(sizes: NVAEConfig, objective: NVAEObjective, optimiser: OptimiserConfig) -> None:
    """A β for each scale, or none."""
    check_scale_betas(sizes, objective)


FAMILY = Family(
    name=NVAE_FAMILY,
    sizes=NVAEConfig,
    objective=NVAEObjective,
    build=build,
    trainable=trainable,
    finish=finish,
    finishing=NVAEFinish,
    agree=agree,
)
