"""Which objective trains which family: a config in, what the loop steps on out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.families.conditioned.objective import ConditionedTrainable, begin_conditioned
from vaecodec.families.conv.objective_capacity import CapacityTrainable
from vaecodec.families.conv.objective_decomposition import DecompositionTrainable
from vaecodec.families.conv.objective_gan import AdversarialTrainable
from vaecodec.families.hfvae.model import HFVAE
from vaecodec.families.hfvae.objective import HFVAETrainable
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.families.lossless.objective import LosslessTrainable, begin_lossless
from vaecodec.families.nvae.model import NVAE
from vaecodec.families.nvae.objective import NVAETrainable
from vaecodec.families.registry import build
from vaecodec.layers.base import VAE
from vaecodec.recipes.batches import stream_seed
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.objective import Trainable
from vaecodec.recipes.objective_config import (
    AdversarialObjective,
    CapacityObjective,
    ConditionedObjective,
    DecompositionObjective,
    HFVAEObjective,
    LosslessObjective,
    NVAEObjective,
    ObjectiveConfig,
)

AnyTrainable = Trainable | ConditionedTrainable | LosslessTrainable


def make_trainable(config: TrainingConfig, *, population: int = 1) -> AnyTrainable:
    """A fresh model with the config's seed; the global random state is left as it was.

    population: images of the training set; training needs it, finishing does not.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed))
        model = build(config.family, config.model)
        if isinstance(model, ConditionedVAE):
            assert isinstance(config.objective, ConditionedObjective)
            return ConditionedTrainable(model, config.objective)
        if isinstance(model, LosslessVAE):
            assert isinstance(config.objective, LosslessObjective)
            return LosslessTrainable(model, config.objective)
        assert isinstance(model, VAE)
        return trainable_of(model, config.objective, population)


def trainable_of(model: VAE, objective: ObjectiveConfig, population: int) -> Trainable:
    """The objective over the model. population: images of the training set."""
    if isinstance(objective, CapacityObjective):
        return CapacityTrainable(model, objective)
    if isinstance(objective, DecompositionObjective):
        return DecompositionTrainable(model, objective)
    if isinstance(objective, AdversarialObjective):
        return AdversarialTrainable(model, objective)
    if isinstance(objective, HFVAEObjective):
        assert isinstance(model, HFVAE)
        return HFVAETrainable(model, objective, population)
    if isinstance(objective, NVAEObjective):
        assert isinstance(model, NVAE)
        return NVAETrainable(model, objective)
    return Trainable(model, objective)


def begin(trainable: AnyTrainable, images: npt.NDArray[np.uint8], pixel_sigma: float) -> None:
    """What a family makes of its weights from the training images (N, h, w), before the first step."""
    if isinstance(trainable, ConditionedTrainable):
        begin_conditioned(trainable.model, images, pixel_sigma)
    elif isinstance(trainable, LosslessTrainable):
        begin_lossless(trainable, images)


def enter_stage(trainable: AnyTrainable, step: int) -> int:
    """Before each step: some families train a part of themselves first. The step since which the rate warms up."""
    if isinstance(trainable, LosslessTrainable):
        trainable.drawing = step < trainable.config.drawing_steps
    elif isinstance(trainable, ConditionedTrainable):
        return trainable.enter_step(step)
    return 0
