"""The record of conditioned-vae: one model for the whole rate-distortion curve, β an input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vaecodec.data.image_set import ImageSet
from vaecodec.families.conditioned.config import (
    CONDITIONED_FAMILY,
    ConditionedConfig,
    ConditionedFinish,
    ConditionedObjective,
)
from vaecodec.families.conditioned.suggested import (
    suggested_finish,
    suggested_objective,
    suggested_optimiser,
    suggested_sizes,
)
from vaecodec.modelfile.model import Model
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.family import Family

if TYPE_CHECKING:
    from vaecodec.families.conditioned.model import ConditionedVAE
    from vaecodec.families.conditioned.objective import ConditionedTrainable

# Options of one study, which benchmarks/studies/several_levels.py has now; what was trained without them says so.
RETIRED: dict[str, dict[str, Any]] = {
    "model": {"shared_blocks": 0, "own_latents": 0, "own_until": 8.0},
    "objective": {"levels_an_image": 1, "stem_steps": 0},
}


def build(sizes: ConditionedConfig) -> ConditionedVAE:
    """An untrained model."""
    from vaecodec.families.conditioned.model import ConditionedVAE

    return ConditionedVAE(sizes)


def trainable(model: ConditionedVAE, objective: ConditionedObjective, population: int) -> ConditionedTrainable:
    """What the loop trains."""
    from vaecodec.families.conditioned.objective import ConditionedTrainable

    return ConditionedTrainable(model, objective)


def finish(trainable: ConditionedTrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content."""
    from vaecodec.families.conditioned.finish import finish_conditioned

    return finish_conditioned(trainable, config, training, validation)


FAMILY = Family(
    name=CONDITIONED_FAMILY,
    sizes=ConditionedConfig,
    objective=ConditionedObjective,
    build=build,
    trainable=trainable,
    finish=finish,
    finishing=ConditionedFinish,
    suggested_sizes=suggested_sizes,
    suggested_objective=suggested_objective,
    suggested_optimiser=suggested_optimiser,
    suggested_finish=suggested_finish,
    colour=True,
    retired=RETIRED,
)
