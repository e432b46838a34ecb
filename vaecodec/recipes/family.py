"""Family: the one record by which the rest of the package knows a family.

    plain values ──config_of──> TrainingConfig ──build──> model ──trainable──> TrainingStep ──finish──> model file

What happens before and between the steps (beginning, stages, a second network's turn) is said by what is trained:
vaecodec.recipes.objective.TrainingStep. A record is read without torch: its functions import what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from vaecodec.data.image_set import ImageSet
from vaecodec.errors import ConfigError
from vaecodec.layers.sizes import ImageSizes
from vaecodec.modelfile.model import Model
from vaecodec.recipes.config import (
    FORMER_FINISH,
    FinishConfig,
    Hardware,
    OptimiserConfig,
    TrainingConfig,
    record_of,
)
from vaecodec.recipes.objective_config import ObjectiveConfig
from vaecodec.recipes.suggested import geometry_alone, learned_rate_objective, nothing

if TYPE_CHECKING:
    from torch import nn

    from vaecodec.recipes.objective import TrainingStep

Sizes = TypeVar("Sizes", bound=ImageSizes)
Objective = TypeVar("Objective", bound=ObjectiveConfig)
Network = TypeVar("Network", bound="nn.Module")
Trained = TypeVar("Trained", bound="TrainingStep")
Trained_co = TypeVar("Trained_co", bound="TrainingStep", covariant=True)
Suggested = Callable[[ImageSet, int], dict[str, Any]]
OfImages = Callable[[ImageSet], dict[str, Any]]


class Train(Protocol[Trained_co]):
    """A training of a family's own, from the first step or from what is in the folder to the last."""

    def __call__(
        self,
        config: TrainingConfig,
        training: ImageSet,
        validation: ImageSet,
        folder: Path,
        *,
        resume: bool,
        hardware: Hardware,
        show_progress: bool,
    ) -> Trained_co: ...


@dataclass(frozen=True, slots=True)
class OwnLoop(Generic[Trained]):
    """Of a family that vaecodec.training.loop cannot train, say because its images have many sizes.

    trained: reads what `train` left in the folder, for an export; raises CheckpointError where that is not the last
    step of this config. The run folder's config.json is written by whoever calls `train`.
    """

    train: Train[Trained]
    trained: Callable[[TrainingConfig, Path], Trained]


def _agree(sizes: Any, objective: Any, optimiser: OptimiserConfig) -> None:
    """Any sizes go with any objective."""


@dataclass(frozen=True, slots=True)
class Family(Generic[Sizes, Objective, Network, Trained]):
    """name: what files and configs store. sizes, objective, finishing: the tables [model], [objective] and [finish].

    build: an untrained model. trainable: what the loop steps on; it is told how many images there are to train with.
    finish: the model file's content, its analysis exported among it, from what was trained and the training and
    validation images; it raises NotExact. suggested_sizes, suggested_objective: the two tables where no config says
    them, by the images and the number of steps; suggested_optimiser, suggested_finish: parts of two others. colour:
    whether images may have three channels. agree: raises ConfigError where sizes, objective and optimiser do not
    go together. retired: table → key → the one value that a key had which this release does not know any more; stored
    configs that say it are read. own_loop: where vaecodec.training.loop does not serve.
    """

    name: str
    sizes: type[Sizes]
    objective: type[Objective]
    build: Callable[[Sizes], Network]
    trainable: Callable[[Network, Objective, int], Trained]
    finish: Callable[[Trained, TrainingConfig, ImageSet, ImageSet], Model]
    finishing: type[FinishConfig] = FinishConfig
    suggested_sizes: OfImages = geometry_alone
    suggested_objective: Suggested = learned_rate_objective
    suggested_optimiser: OfImages = nothing
    suggested_finish: OfImages = nothing
    colour: bool = False
    agree: Callable[[Sizes, Objective, OptimiserConfig], None] = _agree
    retired: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    own_loop: OwnLoop[Trained] | None = None

    def config_of(self, values: Mapping[str, Any]) -> TrainingConfig:
        """The inverse of TrainingConfig.to_dict; unknown keys are refused. Raises ConfigError."""
        values = {"objective": {}, "finish": {}, **values, "family": self.name}  # the family decides on defaults
        kinds: dict[str, type[Any]] = {
            "model": self.sizes,
            "objective": self.objective,
            "optimiser": OptimiserConfig,
            "finish": self.finishing,
        }
        parts = {k: record_of(kind, self._current(k, values[k]), k) for k, kind in kinds.items() if k in values}
        config = record_of(TrainingConfig, {**values, **parts}, "config")
        self.check(config)
        return config

    def check(self, config: TrainingConfig) -> None:
        """Raise ConfigError where a config is not of this family, or its parts do not go together."""
        if config.family != self.name:
            raise ConfigError(f"family: expected {self.name!r}, found {config.family!r}")
        if type(config.model) is not self.sizes:
            raise ConfigError(f"model: family {self.name!r} takes other sizes than {type(config.model).__name__}")
        if type(config.objective) is not self.objective:
            raise ConfigError(f"objective: family {self.name!r} takes another than {type(config.objective).__name__}")
        if type(config.finish) is not self.finishing:
            raise ConfigError(f"finish: family {self.name!r} takes another than {type(config.finish).__name__}")
        self.agree(config.model, config.objective, config.optimiser)

    def _current(self, table: str, values: Any) -> Any:
        """A table without the keys that are no more, where they say what has become the only way."""
        gone = {**(FORMER_FINISH if table == "finish" else {}), **self.retired.get(table, {})}
        if not isinstance(values, dict):
            return values
        return {key: value for key, value in values.items() if key not in gone or value != gone[key]}


AnyFamily = Family[Any, Any, Any, Any]
