"""Checkpoints: what a run needs to go on exactly where it was, written so that a kill leaves the old one or the new.

Batches and noise are functions of (seed, step), so a checkpoint is the weights, the optimiser's state and the step.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vaecodec.errors import CheckpointError

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """step: how many steps are done; config: TrainingConfig.to_dict(); elapsed_s: time spent on them."""

    step: int
    elapsed_s: float
    config: dict[str, Any]
    model: dict[str, Any]
    optimiser: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write to a temporary file, sync, rename."""
    temporary = folder / f"{CHECKPOINT}.tmp"
    with open(temporary, "wb") as file:
        state = {name: getattr(checkpoint, name) for name in ("step", "elapsed_s", "model", "optimiser")}
        torch.save({**state, "config": json.dumps(checkpoint.config)}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / CHECKPOINT)


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
        )
    except CheckpointError:
        raise
    except Exception as error:  # zipfile and torch raise errors of a dozen kinds, with no narrower parent
        raise CheckpointError(f"{path}: not a readable checkpoint ({error})") from error


def load_matching(folder: Path, config: dict[str, Any]) -> Checkpoint:
    """As load_checkpoint; raises CheckpointError where the checkpoint belongs to another config."""
    checkpoint = load_checkpoint(folder)
    if json.dumps(checkpoint.config, sort_keys=True) != json.dumps(config, sort_keys=True):
        raise CheckpointError(f"{folder / CHECKPOINT}: made with another config; choose another run folder")
    return checkpoint
