"""Checkpoints: what a run needs to go on exactly where it was, written so that a kill leaves the old one or the new.

Batches and noise are functions of (seed, step), so a checkpoint is the weights, the optimiser's state, the scale of
fp16's gradients and the step. It says what made it, so that nothing else goes on from it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vaecodec.errors import CheckpointError, ConfigError
from vaecodec.families import training_config
from vaecodec.files.outputs import replacing
from vaecodec.recipes.config import TrainingConfig
from vaecodec.training.conditions import Conditions, differences
from vaecodec.training.run_folder import CHECKPOINT


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """step: how many steps are done; config: TrainingConfig.to_dict(); elapsed_s: time spent on them.

    model, optimiser: state dicts. second_turn: that of the second turn's optimiser (in the file it is called "rival"),
    scaler: that of fp16's gradient scaler; empty where there is none.
    """

    step: int
    elapsed_s: float
    config: dict[str, Any]
    model: dict[str, Any]
    optimiser: dict[str, Any]
    second_turn: dict[str, Any]
    scaler: dict[str, Any]
    conditions: Conditions


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write it in the place of the one before."""
    names = ("step", "elapsed_s", "model", "optimiser", "scaler")
    state = {**{name: getattr(checkpoint, name) for name in names}, "rival": checkpoint.second_turn}
    plain = {"config": checkpoint.config, "conditions": checkpoint.conditions.to_dict()}
    with replacing(folder / CHECKPOINT) as file:
        torch.save({**state, **{name: json.dumps(value) for name, value in plain.items()}}, file)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint of a run folder. Raises CheckpointError; executes no code of the file."""
    path = folder / CHECKPOINT
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load itself lets most damage pass
            if (damaged := archive.testzip()) is not None:
                raise CheckpointError(f"{path}: {damaged} is damaged")
        state = torch.load(path, weights_only=True, map_location="cpu")
        if not isinstance(state, dict):
            raise CheckpointError(f"{path}: not a checkpoint")
        return Checkpoint(
            step=int(state["step"]),
            elapsed_s=float(state["elapsed_s"]),
            config=json.loads(state["config"]),
            model=state["model"],
            optimiser=state["optimiser"],
            second_turn=state.get("rival", {}),  # checkpoints of earlier releases have none
            scaler=state["scaler"],
            conditions=Conditions(**json.loads(state["conditions"])),
        )
    except CheckpointError:
        raise
    except Exception as error:  # zipfile and torch raise errors of a dozen kinds, with no narrower parent
        raise CheckpointError(f"{path}: not a readable checkpoint ({error})") from error


def load_matching(folder: Path, config: TrainingConfig) -> Checkpoint:
    """As load_checkpoint; raises CheckpointError where the checkpoint belongs to another config.

    How the codec is made of the trained model, [finish], may have changed: training does not depend on it.
    """
    checkpoint = load_checkpoint(folder)
    stored = checkpoint.config
    with suppress(ConfigError):  # else unknown keys are among the differences
        stored = training_config(stored).to_dict()  # with the defaults of what is new since
    found, wanted = (
        json.loads(json.dumps({key: value for key, value in values.items() if key != "finish"}))
        for values in (stored, config.to_dict())
    )
    refuse_differences(folder, "another config", found, wanted)
    return checkpoint


def refuse_differences(folder: Path, what: str, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise CheckpointError that names each difference, where there is one."""
    found = "; ".join(differences(stored, wanted))
    if found:
        raise CheckpointError(f"{folder / CHECKPOINT}: made with {what} ({found}); choose another run folder")
