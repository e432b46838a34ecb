"""Checkpoints of a run: all that is needed to go on exactly where it was, and the averaged weights as float16.

    checkpoint.pt    weights, average, moments, generator, plan: exact, for the same kind of machine
    weights-K.npz    the average alone (weights.py), for what comes after, and for machines that give back small files

A kill leaves the old file or the new one, whole.
"""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from vaecodec.errors import CheckpointError
from vaecodec.families.photo.plan import Plan
from vaecodec.families.photo.step import Trainer
from vaecodec.families.photo.weights import save_weights
from vaecodec.files.outputs import replacing

CHECKPOINT, WEIGHTS = "checkpoint.pt", "weights"


def save(folder: Path, trainer: Trainer, plan: Plan, *, exact: bool) -> None:
    """Write both; without `exact` only the weights."""
    save_weights(folder, WEIGHTS, trainer.model.config, trainer.averaged())
    if not exact:
        return
    state = {
        "config": trainer.model.config.to_dict(),
        "names": trainer.names,
        "model": trainer.model.state_dict(),
        "average": trainer.average,
        "adam": trainer.adam.state_dict(),
        "rng": trainer.batches.rng.get_state(),
        "reported": trainer.reported,
        "plan": asdict(plan),
    }
    with replacing(folder / CHECKPOINT) as file:
        torch.save(state, file)


def resume(folder: Path, trainer: Trainer, plan: Plan) -> None:
    """Take up the checkpoint of a folder, if there is one. The plan keeps its own steps or budget.

    Raises CheckpointError where it is damaged, or of another network or choice of parameters.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return
    try:
        state: dict[str, Any] = torch.load(path, map_location=trainer.device, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: not a whole checkpoint: {error}") from error
    if state["config"] != trainer.model.config.to_dict() or state["names"] != trainer.names:
        raise CheckpointError(f"{path}: of another network, or other parameters were learned")
    trainer.model.load_state_dict(state["model"])
    trainer.adam.load_state_dict(state["adam"])
    for group, rate in zip(trainer.adam.param_groups, trainer.used_rates, strict=True):
        group["lr"] = rate
    for average, stored in zip(trainer.average, state["average"], strict=True):
        average.copy_(stored)
    trainer.batches.rng.set_state(state["rng"].cpu())
    trainer.reported.copy_(state["reported"])
    for name in ("step", "progress", "spent_s"):
        setattr(plan, name, state["plan"][name])
