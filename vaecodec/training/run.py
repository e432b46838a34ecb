"""A run from its config to its model file.

config, images ──train──> what was trained ──finish──> Model ──> NAME.vaem in the run folder
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vaecodec.data.image_set import ImageSet
from vaecodec.errors import CheckpointError
from vaecodec.families import find_family
from vaecodec.families.trainables import make_trainable
from vaecodec.files.outputs import replacing
from vaecodec.modelfile.installed import SUFFIX
from vaecodec.modelfile.model import Model, pack_model
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.recipes.objective import TrainingStep
from vaecodec.training.checkpoint import load_matching, refuse_differences
from vaecodec.training.loop import train
from vaecodec.training.run_folder import CHECKPOINT, read_run_config, write_config


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
    own, hardware = find_family(config.family).own_loop, hardware or Hardware()
    how: dict[str, Any] = {"resume": resume, "hardware": hardware, "show_progress": show_progress}
    trainable: TrainingStep
    if own is None:
        trainable = train(config, training.images, validation.images, folder, **how)
    else:
        write_config(config, folder)
        trainable = own.train(config, training, validation, folder, **how)
    return write_model(finish(trainable, config, training, validation), folder / f"{config.name}{SUFFIX}")


def export(folder: Path, training: ImageSet, validation: ImageSet) -> Model:
    """The model of what a run folder's last checkpoint holds; its record says so where training is not done.

    Raises CheckpointError where there is none, or it was made with another config or other images than these.
    """
    config = read_run_config(folder)
    own = find_family(config.family).own_loop
    if own is not None:
        return finish(own.trained(config, folder).eval(), config, training, validation)
    trainable, step = _trained(config, folder, training)
    model = finish(trainable.eval(), config, training, validation)
    if step < config.optimiser.steps:
        model.about["stopped_at_step"] = step
    return model


def _trained(config: TrainingConfig, folder: Path, training: ImageSet) -> tuple[TrainingStep, int]:
    """What vaecodec.training.loop has left, and how many steps are done."""
    checkpoint = load_matching(folder, config)
    stored = {"training_sha256": checkpoint.conditions.training_sha256}
    refuse_differences(folder, "other training images", stored, {"training_sha256": training.sha256})
    trainable = make_trainable(config)
    try:
        trainable.load_state_dict(checkpoint.model)
    except (RuntimeError, KeyError) as error:
        raise CheckpointError(f"{folder / CHECKPOINT}: does not fit the model ({error})") from error
    return trainable, checkpoint.step


def finish(trainable: TrainingStep, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content, by the way of the family."""
    model: Model = find_family(config.family).finish(trainable, config, training, validation)
    return model


def write_model(model: Model, path: Path) -> Path:
    """Write it in the place of an older one; its path."""
    with replacing(path) as file:
        file.write(pack_model(model))
    return path
