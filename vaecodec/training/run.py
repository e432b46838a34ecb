"""A run from its config to its model file.

run folder:  config.json   metrics.jsonl   checkpoint.pt   NAME.vaem
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from vaecodec.data import load_dataset
from vaecodec.data.image_set import ImageSet
from vaecodec.errors import CheckpointError
from vaecodec.runtime.installed import SUFFIX
from vaecodec.runtime.model_file import Model, pack_model
from vaecodec.training.checkpoint import CHECKPOINT, load_matching, refuse_differences, replacing
from vaecodec.training.conditioned import ConditionedTrainable
from vaecodec.training.config import TrainingConfig
from vaecodec.training.finish import finish
from vaecodec.training.finish_conditioned import finish_conditioned
from vaecodec.training.finish_lossless import finish_lossless
from vaecodec.training.finish_nvae import finish_nvae
from vaecodec.training.loop import Hardware, train
from vaecodec.training.lossless import LosslessTrainable
from vaecodec.training.objective_nvae import NVAETrainable
from vaecodec.training.trainables import AnyTrainable, make_trainable


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


def load_splits(config: TrainingConfig, data_dir: str | os.PathLike[str] | None = None) -> tuple[ImageSet, ImageSet]:
    """The training and the validation images that the config names."""
    training, validation = (load_dataset(config.data, split, data_dir=data_dir) for split in ("train", "validation"))
    return training, validation


def write_model(model: Model, path: Path) -> Path:
    """Write it in the place of an older one; its path."""
    with replacing(path) as file:
        file.write(pack_model(model))
    return path
