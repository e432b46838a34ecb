"""Which objective trains which family: a model and its config in, what the loop steps on out."""

from __future__ import annotations

from vaecodec.models.base import VAE
from vaecodec.models.hfvae import HFVAE
from vaecodec.models.nvae import NVAE
from vaecodec.training.objective import Trainable
from vaecodec.training.objective_capacity import CapacityTrainable
from vaecodec.training.objective_config import (
    AdversarialObjective,
    CapacityObjective,
    DecompositionObjective,
    HFVAEObjective,
    NVAEObjective,
    ObjectiveConfig,
)
from vaecodec.training.objective_decomposition import DecompositionTrainable
from vaecodec.training.objective_gan import AdversarialTrainable
from vaecodec.training.objective_hfvae import HFVAETrainable
from vaecodec.training.objective_nvae import NVAETrainable


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
