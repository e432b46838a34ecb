"""From a config to what the loop trains, whatever the family."""

from __future__ import annotations

import torch

from vaecodec.families import find_family
from vaecodec.recipes.batches import stream_seed
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.objective import TrainingStep


def make_trainable(config: TrainingConfig, *, population: int = 1) -> TrainingStep:
    """A fresh model with the config's seed; the global random state is left as it was. Raises ConfigError.

    population: images of the training set; training needs it, finishing does not.
    """
    family = find_family(config.family)
    family.check(config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed))
        trainable: TrainingStep = family.trainable(family.build(config.model), config.objective, population)
    return trainable
