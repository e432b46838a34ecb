"""What the records of this folder have in common: the network, and how its codec is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from vaecodec.data.image_set import ImageSet
from vaecodec.modelfile.model import Model
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.family import Family, Suggested
from vaecodec.recipes.objective_config import ObjectiveConfig
from vaecodec.recipes.sizes import ModelConfig
from vaecodec.recipes.suggested import conv_sizes, learned_rate_objective

if TYPE_CHECKING:
    from vaecodec.families.conv.model import ConvVAE
    from vaecodec.recipes.objective import Trainable

Objective = TypeVar("Objective", bound=ObjectiveConfig)
ConvFamily = Family[ModelConfig, Any, "ConvVAE", "Trainable"]


def build(sizes: ModelConfig) -> ConvVAE:
    """An untrained model."""
    from vaecodec.families.conv.model import ConvVAE

    return ConvVAE(sizes)


def beta_rate(model: ConvVAE, objective: ObjectiveConfig, population: int) -> Trainable:
    """distortion + β · rate."""
    from vaecodec.recipes.objective import Trainable

    return Trainable(model, objective)


def finish(trainable: Trainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content."""
    from vaecodec.recipes.finish import finish

    return finish(trainable, config, training, validation)


def conv_family(
    name: str,
    objective: type[Objective],
    trainable: Callable[[ConvVAE, Objective, int], Trainable] = beta_rate,
    suggested_objective: Suggested = learned_rate_objective,
) -> ConvFamily:
    """The record of a family of this folder, which differs from the others by its objective."""
    return Family(
        name=name,
        sizes=ModelConfig,
        objective=objective,
        build=build,
        trainable=trainable,
        finish=finish,
        suggested_sizes=conv_sizes,
        suggested_objective=suggested_objective,
    )
