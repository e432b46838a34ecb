"""A run from its config to its model file.

run folder:  config.json   metrics.jsonl   checkpoint.pt   NAME.vaem
"""

from __future__ import annotations

import json
from pathlib import Path

from vaecodec.data.image_set import ImageSet
from vaecodec.errors import CheckpointError
from vaecodec.families.conditioned.finish import finish_conditioned
from vaecodec.families.conditioned.objective import ConditionedTrainable
from vaecodec.families.lossless.finish import finish_lossless
from vaecodec.families.lossless.objective import LosslessTrainable
from vaecodec.families.nvae.finish import finish_nvae
from vaecodec.families.nvae.objective import NVAETrainable
from vaecodec.families.trainables import AnyTrainable, make_trainable
from vaecodec.modelfile.installed import SUFFIX
from vaecodec.modelfile.model import Model, pack_model
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.finish import finish
from vaecodec.training.checkpoint import CHECKPOINT, load_matching, refuse_differences, replacing
from vaecodec.training.loop import Hardware, train


def run(
    config: TrainingConfig,
    folder: Path,
    training: ImageSet,
    validation: ImageSet,
    *,
    resume: bool = False,
    hardware: Hardware | None = None,
    show_progress: bool = True,
) -> Path:
    """Train, finish, write the model file into the run folder; the file's path. Raises what train() raises."""
    trainable = train(
        config,
        training.images,
        validation.images,
        folder,
        resume=resume,
        hardware=hardware,
        show_progress=show_progress,
    )
    model = finish_any(trainable, config, training, validation)
    return write_model(model, folder / f"{config.name}{SUFFIX}")


def export(folder: Path, training: ImageSet, validation: ImageSet) -> Model:
    """The model of a run folder whose training is done.

    Raises CheckpointError where it is not, or was done with another config or other images than these.
    """
    config = read_run_config(folder)
    checkpoint = load_matching(folder, config)
    stored = {"training_sha256": checkpoint.conditions.training_sha256}
    refuse_differences(folder, "other training images", stored, {"training_sha256": training.sha256})
    if checkpoint.step < config.optimiser.steps:
        raise CheckpointError(
            f"{folder}: {checkpoint.step} of {config.optimiser.steps} steps are done; go on with train --resume first"
        )
    trainable = make_trainable(config)
    try:
        trainable.load_state_dict(checkpoint.model)
    except (RuntimeError, KeyError) as error:
        raise CheckpointError(f"{folder / CHECKPOINT}: does not fit the model ({error})") from error
    return finish_any(trainable.eval(), config, training, validation)


def finish_any(trainable: AnyTrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content, by the way of the trained model's kind."""
    if isinstance(trainable, ConditionedTrainable):
        return finish_conditioned(trainable, config, training, validation)
    if isinstance(trainable, LosslessTrainable):
        return finish_lossless(trainable, config, training, validation)
    if isinstance(trainable, NVAETrainable):
        return finish_nvae(trainable, config, training, validation)
    return finish(trainable, config, training, validation)


def read_run_config(folder: Path) -> TrainingConfig:
    """The config of a run folder. Raises CheckpointError, ConfigError."""
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not a run folder ({error})") from error
    return TrainingConfig.from_dict(values)


def write_model(model: Model, path: Path) -> Path:
    """Write it in the place of an older one; its path."""
    with replacing(path) as file:
        file.write(pack_model(model))
    return path
