"""TrainingConfig: everything that decides a training run, refused where it makes no sense; the tables of a TOML file.

[top level] name, family, data, seed      [model] sizes      [objective] β, likelihood, rate, the family's own
[optimiser] steps, batch, learning rate   [finish] how the codec is made of the trained model
"""

from __future__ import annotations

import dataclasses
import math
import os
import tomllib
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from vaecodec.errors import ConfigError
from vaecodec.layers.sizes import ImageSizes
from vaecodec.recipes.checks import at_least
from vaecodec.recipes.objective_config import ObjectiveConfig

DEFAULT_FAMILY = "beta-vae"
# [finish] was one table for all families: stored configs say every family's keys, with the values that mean nothing.
FORMER_FINISH = {"default_file_bytes": 28.0, "prior_steps": 3000, "latent_step": 1.0, "prune_share": 0.0}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    """Adam with a linear warm-up and a cosine decay to zero. Counts are steps.

    shift_pixels: augmentation, images move by up to so many. unmoved_steps: the last so many steps see them in place,
    as the codec will.
    """

    steps: int = 5000
    batch_size: int = 128
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    validate_every: int = 500
    checkpoint_every: int = 500
    shift_pixels: int = 0
    unmoved_steps: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "validate_every", "checkpoint_every"):
            at_least(name, getattr(self, name), 1)
        for name in ("learning_rate", "warmup_steps", "shift_pixels", "unmoved_steps"):
            at_least(name, getattr(self, name), 0)


@dataclass(frozen=True, slots=True)
class FinishConfig:
    """After training: step multipliers tried on the validation set, and fine-tuning of the exact synthesis.

    A family that is finished otherwise has a child of its own.
    """

    step_multipliers: tuple[float, ...] = (2.5, 3.0, 3.46, 4.13, 5.0)
    synthesis_steps: int = 1200
    synthesis_learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        if not self.step_multipliers or not all(m > 0 and math.isfinite(m) for m in self.step_multipliers):
            raise ConfigError(f"step_multipliers: expected positive numbers, found {self.step_multipliers}")
        at_least("synthesis_steps", self.synthesis_steps, 0)
        at_least("synthesis_learning_rate", self.synthesis_learning_rate, 0)


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where a run is trained; it is not a part of the run's config.

    device: "cpu" or "auto" (what Accelerate finds); mixed_precision: "no", "bf16" or "fp16".
    """

    device: str = "auto"
    mixed_precision: str = "no"


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run. data: "mnist", "dsprites" or a folder of images. Raises ConfigError.

    family: a name. model, objective, finish: of the types that the family's record names; Family.check says whether
    they are. vaecodec.families.training_config makes a config of what to_dict gives.
    """

    name: str
    data: str
    model: ImageSizes
    family: str = DEFAULT_FAMILY
    seed: int = 0
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    finish: FinishConfig = field(default_factory=FinishConfig)

    def __post_init__(self) -> None:
        if not self.name or any(not (c.isalnum() or c in "-_.") for c in self.name) or self.name.startswith("."):
            raise ConfigError(f"name: expected letters, digits, '-', '_', '.', found {self.name!r}")
        at_least("seed", self.seed, 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return dataclasses.asdict(self)


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables of a TOML file, for vaecodec.families.training_config. Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{os.fspath(path)}: {error}") from error


def record_of(kind: type[T], values: Any, where: str) -> T:
    """A frozen record from a table of plain values; unknown keys and other types are refused. Raises ConfigError."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected a table, found {values!r}")
    known = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; there are: {', '.join(known)}")
    wanted = get_type_hints(kind)
    frozen = {key: _typed(f"{where}.{key}", value, wanted[key]) for key, value in values.items()}
    try:
        return kind(**frozen)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def _typed(where: str, value: Any, wanted: Any) -> Any:
    """Lists become tuples, whole numbers become floats where floats are wanted; anything else must have the type."""
    if get_origin(wanted) is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where}: expected a list, found {value!r}")
        return tuple(_typed(where, item, get_args(wanted)[0]) for item in value)
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if wanted in (int, float, str, bool) and type(value) is not wanted:
        raise ConfigError(f"{where}: expected {wanted.__name__}, found {value!r}")
    return value
