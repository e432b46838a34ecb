"""TrainingConfig: everything that decides a training run, read from TOML, refused where it makes no sense.

[top level] name, family, data, seed      [model] sizes      [objective] β, likelihood, rate, the family's own
[optimiser] steps, batch, learning rate   [finish] how the codec is made of the trained model
"""

from __future__ import annotations

import dataclasses
import math
import os
import tomllib
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vaecodec.errors import ConfigError
from vaecodec.recipes.checks import at_least, at_most
from vaecodec.recipes.objective_config import ConditionedObjective, objective_type
from vaecodec.recipes.objective_config import ObjectiveConfig as ObjectiveConfig
from vaecodec.recipes.sizes import CONDITIONED_FAMILY, ConditionedConfig, Sizes, sizes_of

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

    default_file_bytes: a model with levels has as its default the one whose mean file is nearest to it. prior_steps: in
    which the networks are fitted that tell the coder what the groups of an nvae cost. latent_step: of a lossless-vae,
    the step of its latents' quantizer, in those that training rounds to; a smaller one puts more bits into the latents.
    prune_share: of a conditioned-vae's synthesis, the least hidden units are cut, up to this share of the energy that a
    block's units add to the stream (vaecodec.families.conditioned.prune).
    """

    step_multipliers: tuple[float, ...] = (2.5, 3.0, 3.46, 4.13, 5.0)
    synthesis_steps: int = 1200
    synthesis_learning_rate: float = 5e-4
    default_file_bytes: float = 28.0
    prior_steps: int = 3000
    latent_step: float = 1.0
    prune_share: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.latent_step) and self.latent_step > 0):
            raise ConfigError(f"latent_step: expected a positive number, found {self.latent_step!r}")
        if not self.step_multipliers or not all(m > 0 and math.isfinite(m) for m in self.step_multipliers):
            raise ConfigError(f"step_multipliers: expected positive numbers, found {self.step_multipliers}")
        if not 0 <= self.prune_share < 1:
            raise ConfigError(f"prune_share: expected a share in 0..1, below 1, found {self.prune_share!r}")
        at_least("synthesis_steps", self.synthesis_steps, 0)
        at_least("prior_steps", self.prior_steps, 0)
        at_least("synthesis_learning_rate", self.synthesis_learning_rate, 0)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run. data: "mnist", "dsprites" or a folder of images. Raises ConfigError."""

    name: str
    data: str
    model: Sizes
    family: str = "beta-vae"
    seed: int = 0
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    finish: FinishConfig = field(default_factory=FinishConfig)

    def __post_init__(self) -> None:
        if not self.name or any(not (c.isalnum() or c in "-_.") for c in self.name) or self.name.startswith("."):
            raise ConfigError(f"name: expected letters, digits, '-', '_', '.', found {self.name!r}")
        at_least("seed", self.seed, 0)
        if type(self.model) is not sizes_of(self.family):
            raise ConfigError(f"model: family {self.family!r} takes other sizes than {type(self.model).__name__}")
        if type(self.objective) is not objective_type(self.family):
            raise ConfigError(f"objective: family {self.family!r} takes another than {type(self.objective).__name__}")
        if isinstance(self.model, ConditionedConfig) and isinstance(self.objective, ConditionedObjective):
            at_most("levels_an_image", self.objective.levels_an_image, self.model.levels)
            at_most("stem_steps", self.objective.stem_steps, 0 if self.model.half_planes else self.optimiser.steps - 1)
        if self.family == CONDITIONED_FAMILY and (self.objective.rate, self.objective.beta) != ("uniform-noise", 1.0):
            raise ConfigError(
                f"objective: {self.family} has its β in the model; rate must be uniform-noise, and beta 1"
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """The inverse of to_dict; unknown keys are refused."""
        family = str(values.get("family", "beta-vae"))
        values = {"objective": {}, **values}  # the family decides which record its defaults are of
        nested: dict[str, type[Any]] = {
            "model": sizes_of(family),
            "objective": objective_type(family),
            "optimiser": OptimiserConfig,
            "finish": FinishConfig,
        }
        parts = {key: _record(kind, values[key], key) for key, kind in nested.items() if key in values}
        return _record(cls, {**values, **parts}, "config")

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return dataclasses.asdict(self)


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables of a TOML file, for TrainingConfig.from_dict. Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{os.fspath(path)}: {error}") from error


def _record(kind: type[T], values: Any, where: str) -> T:
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected a table, found {values!r}")
    known = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; there are: {', '.join(known)}")
    frozen = {key: _typed(f"{where}.{key}", value, str(known[key].type)) for key, value in values.items()}
    try:
        return kind(**frozen)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def _typed(where: str, value: Any, wanted: str) -> Any:
    """Lists become tuples, whole numbers become floats where floats are wanted; anything else must have the type."""
    if wanted.startswith("tuple"):
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where}: expected a list, found {value!r}")
        return tuple(_typed(where, item, "float" if "float" in wanted else "int") for item in value)
    if wanted == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    simple = {"int": int, "float": float, "str": str, "bool": bool}.get(wanted)
    if simple is not None and type(value) is not simple:
        raise ConfigError(f"{where}: expected {wanted}, found {value!r}")
    return value
